"""The examples of docs/examples: each trains, is compared, proved, stopped, resumed, tested, shown and reported."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import forks
from tests.registries import restored
from tests.report.test_show import check_file
from triptych.cli.main import run
from triptych.experiments import jobs
from triptych.experiments.lockstep import prove
from triptych.experiments.train import train
from triptych.frameworks import FRAMEWORKS
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.recipes.serialise import from_dict
from triptych.utils.files import read_tensors

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "examples"
SMALL = {
    "steps": 400,
    "warm_up": 60,
    "checkpoint_every": 100,
    "batch_size": 8,
    "threads": 1,
    "evaluate_every": 0,
    "best_window": 3,
}
MEMORY = {
    "num_envs": 1, "algorithm.update_every": 1, "algorithm.sequence_length": 6, "algorithm.burn_in": 2,
    "algorithm.n_step": 1, "algorithm.target_every": (100, "steps"),
}  # fmt: skip
EXAMPLES: dict[str, dict[str, Any]] = {
    "algorithm": SMALL,
    "layer": SMALL,
    "memory": SMALL | MEMORY,
    "environment": SMALL,
    "logger": SMALL,
}
SHOWN = {  # what a page must show of each
    "algorithm": ("def penalty(xp, values, taken)", "conservatism"),
    "layer": ("def in_torch(placed: Any)", "def in_keras(placed: Any, policy: str)", "glu_1"),
    "memory": ("def in_jax(placed: Any, stored: str, compute: str)", "average_1"),
    "environment": ("mine/Room-v0", "def make_loss(config"),
    "logger": ("def make_loss(config",),
}
STOPPER = """
import os, signal

def at_250(run, tick):
    if run.counters.steps == 250 and not os.environ.get("AGAIN"):
        os.kill(os.getpid(), signal.SIGTERM)
"""


@pytest.fixture(autouse=True)
def taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    with restored():
        yield


def file_of(name: str) -> str:
    return str(FOLDER / f"own_{name}.py")


def flags(changes: dict[str, Any]) -> list[str]:
    found = []
    for name, value in changes.items():
        found += [f"--{name.replace('_', '-')}", *map(str, value if isinstance(value, tuple) else [value])]
    return found


def triptych(*arguments: str, code: int = 0) -> str:
    """The command in a process of its own, which has run nobody's file before; what it said."""
    done = forks.command(*arguments)
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert "Traceback" not in said
    return said


def test_there_is_a_test_of_each() -> None:
    assert {path.stem.removeprefix("own_") for path in FOLDER.glob("*.py")} == {*EXAMPLES, "study"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_is_stopped_resumed_tested_and_reported(name: str, tmp_path: Path) -> None:
    """Each in a process that has not run the file before; the run ends with the weights of one that was never stopped."""
    (tmp_path / "stopper.py").write_text(STOPPER)
    stopped = [*flags(EXAMPLES[name]), "--callback", "stopper:at_250", "--run-name", "stopped", "--quiet"]
    if name == "environment":  # its games cannot be saved: only a regular checkpoint gives the same numbers
        stopped.append("--exact")
    triptych("train", file_of(name), *stopped, code=128 + signal.SIGTERM)
    said = triptych("resume", "stopped", "--quiet")
    assert "finished: all " in said
    whole = train(file_of(name), run_name="whole", **EXAMPLES[name])
    for weights in ("latest", "best"):
        found, wanted = (
            read_tensors(Path(f"runs/{run}/checkpoints/{weights}.safetensors"))[0] for run in ("stopped", "whole")
        )
        assert found.keys() == wanted.keys()
        assert all((found[key] == wanted[key]).all() for key in wanted), weights
    assert "over 1 game of" in triptych("evaluate", "stopped", "--games", "1")
    said = triptych("report", "stopped")
    page = Path("runs/stopped/report.html").read_text(encoding="utf-8")
    assert "no sources" not in said, said
    assert all(text in page for text in SHOWN[name]), SHOWN[name]
    assert f"triptych train {file_of(name)} --framework torch --seed 0" in page
    assert whole.steps == 400


@pytest.mark.usefixtures("forked")
@pytest.mark.parametrize("name", EXAMPLES)
def test_it_is_compared(name: str, tmp_path: Path) -> None:
    """In processes of their own, which know the file; where no framework sees what is new, in one of them."""
    names = list(FRAMEWORKS) if name in ("algorithm", "layer", "memory") else ["jax"]
    given = [*flags(EXAMPLES[name]), "--games", "2", "--quiet", "--frameworks", *names]
    assert run(["compare", file_of(name), *given]) == 0
    made = sorted(path for path in Path("runs").iterdir() if (path / "summary.json").exists())
    assert len(made) == len(names)
    for path in made:
        assert json.loads((path / "summary.json").read_text())["steps"] == 400
        assert (path / "rows.jsonl").exists() == (name == "logger"), "its logger watches there too"


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_is_proved(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The three frameworks, here in this process."""
    monkeypatch.setattr(prove, "work", lambda kind, job: jobs.JOBS[kind](from_dict(job["recipe"]), job))
    assert run(["lockstep", file_of(name), *flags(EXAMPLES[name] | {"steps": 700}), "--quiet"]) == 0
    assert "lockstep: agree" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["algorithm", "layer", "memory"])
def test_its_files_run_by_themselves(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(["show", file_of(name), "--write", "shown"]) == 0
    kind = load_recipe(file_of(name)).algorithm.kind
    assert sorted(path.name for path in Path("shown").iterdir()) == [f"{kind}_{f}.py" for f in sorted(FRAMEWORKS)]
    recipe = override(load_recipe(file_of(name)), EXAMPLES[name] | {"precision": "float64"})
    for framework in FRAMEWORKS:
        check_file(recipe, name, framework, tmp_path / "checked", monkeypatch)


def test_the_logger_keeps_each_row_once_and_stops_the_run() -> None:
    load_recipe(file_of("logger"))
    module = next(module for name, module in sys.modules.items() if name.startswith("_own_logger_"))
    module.ENOUGH = 1.0
    result = train(file_of("logger"), run_name="logged", **EXAMPLES["logger"] | {"steps": 5_000})
    assert result.stopped_by == "good enough"
    assert result.episodes == 100
    rows = [json.loads(line) for line in (result.path / "rows.jsonl").read_text().splitlines()]
    assert sum(row["table"] == "episodes" for row in rows) == 100


@pytest.mark.usefixtures("forked")
def test_the_study(capsys: pytest.CaptureFixture[str]) -> None:
    """Two arms, a run each, one page; what is done is not done again, wherever the file lies."""
    for _ in range(2):
        given = ["--quick", "--seeds", "1", "--steps", "400", "--out", "result", "--quiet"]
        assert run(["study", file_of("study"), *given]) == 0
    page = Path("result/study.html").read_text(encoding="utf-8")
    assert "Does CartPole want a wide network?" in page
    assert len([path for path in Path("runs").iterdir() if (path / "summary.json").exists()]) == 2
    assert json.loads(Path("result/study.json").read_text())["seeds"] == 1
