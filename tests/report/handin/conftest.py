"""Runs and a study as folders, made by hand: what they score is known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.report.test_page import a_test, made, write_run

SCORES = {  # the tests' means of the runs, a seed each
    ("cartpole", "torch"): [400.0, 420.0, 410.0],
    ("cartpole", "jax"): [405.0, 415.0, 411.0],
    ("cartpole-ppo", "torch"): [200.0, 260.0, 230.0],
}


def write_tested(folder: Path, recipe: str, framework: str, seed: int, mean: float) -> Path:
    """A run folder whose best weights were tested; its curve ends at about a tenth of that."""
    run = write_run(folder / f"{recipe}-{framework}-{seed}", made("", framework, recipe, seed))
    (run / "evaluations").mkdir()
    (run / "evaluations" / "best.json").write_text(json.dumps(a_test(mean)))
    return run


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine runs of three groups: DQN in two frameworks, PPO in one."""
    folder = tmp_path_factory.mktemp("asked")
    for (recipe, framework), scores in SCORES.items():
        for seed, mean in enumerate(scores):
            write_tested(folder, recipe, framework, seed, mean)
    return folder


STUDY = {
    "study": "memory", "question": "Which <memory>?", "framework": "torch", "games": 50, "quick": False, "processor": "some",
    "reading": "How it is read.", "learned": "LSTM wins.", "choice": "", "window": 100, "goals": {"chain": {"chance": 0.0, "threshold": 0.5}},
    "rows": [
        {"task": "chain", "label": "none", "flicker": None, "scores": [0.0, 0.1], "measures": {"reached": [None, None]}},
        {"task": "chain", "label": "lstm", "flicker": None, "scores": [1.0, 0.9], "measures": {"reached": [1000, 3000]}},
        {"task": "catch", "label": "none", "flicker": None, "scores": [0.5, 0.5]},
        {"task": "catch", "label": "lstm", "flicker": None, "scores": [0.5, 0.5]},
    ],
}  # fmt: skip


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study's results folder with two tasks and two variants."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "study.json").write_text(json.dumps(STUDY))
    curve = {"x": [0.0, 100.0], "mean": [0.0, 1.0], "low": [0.0, 0.9], "high": [0.1, 1.0], "settings": ["a"]}
    (folder / "curves.json").write_text(json.dumps({"chain": [curve | {"name": "none"}, curve | {"name": "lstm"}]}))
    (folder / "runs.csv").write_text("framework\n")
    return folder
