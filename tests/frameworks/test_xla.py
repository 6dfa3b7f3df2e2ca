"""By whom JAX's convolutions are on the processor: the rule, that XLA is told, and that a run goes on as it was begun."""

from __future__ import annotations

import json
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triptych
from triptych import frameworks
from triptych.experiments import resume as resuming
from triptych.frameworks import xla
from triptych.recipes import load_recipe
from triptych.spec import Observation
from triptych.spec.weights import initial_weights
from triptych.utils.checks import InputError

EVERY = "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT,LIBRARY_FUSION_TYPE_INDIVIDUAL_CONVOLUTION,LIBRARY_FUSION_TYPE_REDUCE"
SMALL: dict[str, Any] = {
    "steps": 100, "warm_up": 60, "num_envs": 2, "batch_size": 4, "checkpoint_every": 100, "threads": 1, "algorithm.replay_size": 400,
    "algorithm.update_every": 20, "env.size": 44, "network.0.filters": 4, "network.1.filters": 4, "network.2.filters": 4,
    "network.4.units": 8, "network.5.units": 8,
}  # fmt: skip


def pretend(
    monkeypatch: pytest.MonkeyPatch, machine: str = "x86_64", jaxlib: str | None = "0.10.2", flags: str = ""
) -> None:
    def version(name: str) -> str:
        if jaxlib is None:
            raise metadata.PackageNotFoundError(name)
        return jaxlib

    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setenv("XLA_FLAGS", flags)


@pytest.mark.parametrize(
    ("here", "by"),
    [
        ({}, "eigen"),
        ({"machine": "AMD64"}, "eigen"),
        ({"flags": "--xla_cpu_enable_fast_math=false"}, "eigen"),
        ({"machine": "arm64"}, ""),
        ({"jaxlib": "0.11.0"}, ""),
        ({"jaxlib": None}, ""),
        ({"flags": f"--{xla.OPTION}=+eltwise"}, ""),
    ],
    ids=str,
)
def test_the_rule_knows_machine_and_jaxlib_and_leaves_the_users_flags(
    here: dict[str, Any], by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, **here)
    assert xla.usual() == by
    xla.set_convolutions("eigen")  # as a run that goes on wants it
    assert ("eigen" if here.get("machine") == "arm64" else by) == xla.CONVOLUTIONS
    xla.set_convolutions("")
    assert xla.CONVOLUTIONS == ""


@pytest.mark.parametrize("by", ["onednn", 5, ["eigen"]])
def test_a_library_that_is_not_known_is_refused(by: Any) -> None:
    with pytest.raises(InputError, match=r"convolutions is .*; allowed: eigen"):
        xla.set_convolutions(by)


def compiled(by: str, options: dict[str, str] | None = None) -> str:
    """The operations that XLA makes of a network's values of pictures, a line each."""
    recipe = load_recipe("space-invaders")
    network = recipe.make_network(Observation((4, 84, 84), "uint8"), 6)
    weights = initial_weights(network, np.random.default_rng(0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xla, "CONVOLUTIONS", by)
        patch.setitem(xla.WAYS, by, (xla.WAYS[by][0] if options is None else options, 64))
        learner = frameworks.load("jax").Learner(network, None, recipe.optimiser, weights, "float32")
    text: str = learner.forward.lower(learner.online, np.zeros((8, 4, 84, 84), np.uint8)).compile().as_text()
    return "\n".join(line.partition(", metadata=")[0] for line in text.splitlines() if " = " in line)


@pytest.mark.skipif(not xla.usual(), reason="needs an x86-64 machine with a jaxlib that was tried")
def test_xla_is_told() -> None:
    """Each convolution was a call of YNNPACK's, and is none; all else is as before."""
    chosen, told = compiled(""), compiled("eigen")
    assert compiled("", {xla.OPTION: EVERY}) == chosen, "the default of this jaxlib is another one than was tried"
    assert chosen.count("ynn_fusion") > told.count("ynn_fusion") > 0


def test_a_run_records_it_and_goes_on_as_it_was_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[str] = []
    session = resuming.Session

    def watched(*given: Any, **how: Any) -> Any:
        made = session(*given, **how)
        used.append(made.training.learner.convolutions)
        return made

    monkeypatch.setattr(resuming, "Session", watched)
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=false")
    run = triptych.train("space-invaders", "jax", run_name="r", runs_dir=tmp_path, video=False, **SMALL).path
    config = json.loads((run / "config.json").read_text())
    assert config.get("convolutions", "") == xla.usual()
    assert config["xla_flags"] == "--xla_cpu_enable_fast_math=false"
    triptych.resume(run, steps=140)
    config = json.loads((run / "config.json").read_text())
    config.pop("convolutions", None)  # as a run of an earlier version stands there
    (run / "config.json").write_text(json.dumps(config))
    triptych.resume(run, steps=180)
    assert used == [xla.usual(), ""]
    triptych.load_agent(run)
    assert xla.CONVOLUTIONS == ""


CONFIG = {"framework": "jax", "convolutions": "eigen", "xla_flags": "--a=1"}


def test_a_resume_says_what_is_compiled_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, flags="--a=1")
    xla.set_convolutions("eigen")
    assert xla.differences(CONFIG, "jax") == []
    pretend(monkeypatch, jaxlib="0.11.0")
    xla.set_convolutions("eigen")
    assert xla.differences(CONFIG, "jax") == [
        "convolutions as JAX chooses, since this JAX or XLA_FLAGS cannot be told to use Eigen as before",
        "other XLA_FLAGS than before (--a=1)",
    ]
    assert xla.differences(CONFIG, "torch") == []
    assert xla.differences({"framework": "torch"}, "jax") == [], "its numbers are others anyhow"
    assert xla.differences({"framework": "jax"}, "jax") == []
