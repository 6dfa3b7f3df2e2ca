"""What the house promises whoever adds to it, each kept from outside: nothing of the package is touched.

An environment is one file and a line, too: tests/envs/test_kinds.py adds a kind by `triptych.envs.register_kind`, and
docs/examples/own_environment.py a game.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import triptych
from tests.registries import restored
from triptych import frameworks
from triptych.algorithms import ALGORITHMS
from triptych.cli.main import run
from triptych.experiments.evaluate import evaluate
from triptych.experiments.train import train
from triptych.frameworks import FRAMEWORKS, Framework
from triptych.spec.registry import BUILDERS
from triptych.utils.checks import InputError
from triptych.utils.files import read_tensors

PACKAGE = Path(triptych.__file__).parent
SMALL = {"steps": 300, "warm_up": 60, "batch_size": 8, "threads": 1, "evaluate_every": 0, "best_window": 3}

ALGORITHM = """
import dataclasses
from typing import ClassVar
import triptych
from triptych.algorithms import dqn

@dataclasses.dataclass(frozen=True)
class Config(dqn.Config):
    kind: ClassVar[str] = "monte_carlo"

def make_loss(config):
    def loss(xp, online, target, batch):
        error = batch.reward - xp.select(online(batch.obs), batch.action)
        scalars = {"q_mean": xp.mean(error), "td_error_mean": xp.mean(xp.abs(error))}
        return xp.mean(batch.weight * xp.square(error)), (error, scalars)
    return loss

triptych.register_algorithm(Config, make_loss=make_loss)  # the line
recipe = dataclasses.replace(triptych.load_recipe("cartpole"), algorithm=Config())
"""

TWIN = """
import sys
from triptych.frameworks import FRAMEWORKS, Framework
FRAMEWORKS["twin"] = Framework("Twin", "twin", ("torch",), ("torch",), "#000000", "twin")  # the line
from triptych.__main__ import main
main(sys.argv[1:])
"""

LAYER = """
import dataclasses
from typing import ClassVar
import triptych
from triptych.spec import LayerSpec

@dataclasses.dataclass(frozen=True)
class Half(LayerSpec):
    kind: ClassVar[str] = "half"
    def output_shape(self, shape):
        return shape

def in_torch(placed):
    import torch
    class Module(torch.nn.Module):
        def forward(self, x):
            return x / 2
    return Module()

triptych.register_layer(Half, torch=in_torch)
cartpole = triptych.load_recipe("cartpole")
recipe = dataclasses.replace(cartpole, network=(Half(), *cartpole.network))
"""


def content() -> dict[str, str]:
    """Every file of the package by its hash, but what Python itself writes there."""
    files = (path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(autouse=True)
def untouched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test adds lies in its own folder, and is gone from the tables when it ends."""
    monkeypatch.chdir(tmp_path)
    before = content()
    with restored():
        yield
    assert content() == before


def twin(folder: Path) -> None:
    """A framework as somebody else would bring it: a folder like ours, beside their own files."""
    shutil.copytree(PACKAGE / "frameworks" / "torch", folder / "twin", ignore=shutil.ignore_patterns("__pycache__"))
    for path in (folder / "twin").glob("*.py"):
        text = re.sub(r"\btriptych\.frameworks\.torch\b", "twin", path.read_text(encoding="utf-8"))
        path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("framework", list(FRAMEWORKS))
def test_an_algorithm_is_a_file_and_a_line(framework: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(ALGORITHM)
    known = set(ALGORITHMS)
    result = train("mine.py", framework, run_name="mine", **SMALL)
    assert result.updates == 60
    assert set(ALGORITHMS) - known == {"monte_carlo"}
    assert len(evaluate(result.path, 2).rewards) == 2
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".py"] == ["mine.py"]


def test_a_framework_is_a_folder_and_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It trains, is tested, and does what the folder that it was copied from does, bit for bit."""
    twin(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(FRAMEWORKS, "twin", Framework("Twin", "twin", ("torch",), ("torch",), "#000000", "twin"))
    runs = {name: train("cartpole", name, run_name=name, **SMALL).path for name in ("torch", "twin")}
    assert Path(str(frameworks.load("twin").__file__)).parent == tmp_path / "twin"
    ours, theirs = (read_tensors(path / "checkpoints/latest.safetensors")[0] for path in runs.values())
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    scores = [evaluate(path, 3).rewards for path in runs.values()]
    assert scores[0] == scores[1]
    assert run(["report", "runs/twin"]) == 0
    for name in [name for name in sys.modules if name.partition(".")[0] == "twin"]:
        monkeypatch.delitem(sys.modules, name)


def test_the_flags_offer_a_framework_of_one_s_own(tmp_path: Path) -> None:
    twin(tmp_path)
    (tmp_path / "with_twin.py").write_text(TWIN)
    environment = os.environ | {"PYTHONPATH": f"{PACKAGE.parent}{os.pathsep}{tmp_path}"}

    def triptych(*arguments: str) -> str:
        command = [sys.executable, "with_twin.py", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "{torch,jax,keras,twin}" in triptych("train", "--help").replace(" ", "").replace("\n", "")
    flags = ["--steps", "200", "--warm-up", "60", "--batch-size", "8", "--quiet"]
    assert "200 steps" in triptych("train", "cartpole", "--framework", "twin", "--run-name", "mine", *flags)
    assert ", twin float32" in triptych("evaluate", "mine", "--games", "1")


def test_a_layer_of_one_framework_is_refused_in_the_others(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(LAYER)
    result = train("mine.py", "torch", run_name="mine", **SMALL)
    assert result.steps == 300
    assert [framework for framework, found in BUILDERS.items() if any(spec.kind == "half" for spec in found)] == [
        "torch"
    ]
    for framework in ("jax", "keras"):
        with pytest.raises(InputError, match=f"^the framework of half is '{framework}'; allowed: torch$"):
            train("mine.py", framework, run_name=framework, **SMALL)
        assert not (tmp_path / "runs" / framework).exists(), "nothing was written"
    assert run(["report", "mine"]) == 0
