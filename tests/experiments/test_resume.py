"""A run killed at any moment and resumed gives the very bytes of the run that was never stopped."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.experiments.sessions import Place, sit
from triptych.experiments.resume import resume
from triptych.frameworks import FRAMEWORKS

CARTPOLE = {
    "recipe": "cartpole", "steps": 2_600, "warm_up": 150, "checkpoint_every": 500, "num_envs": 2, "batch_size": 16,
    "log_every": 100, "evaluate_every": 700, "evaluate_games": 2, "threads": 1, "algorithm.epsilon_steps": 1_000,
}  # fmt: skip
SPACE_INVADERS = {
    "recipe": "space-invaders", "steps": 2_400, "warm_up": 300, "checkpoint_every": 700, "num_envs": 2, "env.time_limit": 150,
    "log_every": 200, "threads": 2, "algorithm.prioritised": True, "algorithm.n_step": 3, "algorithm.replay_size": 1_500, "algorithm.update_every": 16, "best_window": 2,
    "network.0.filters": 4, "network.1.filters": 4, "network.2.filters": 4, "network.4.units": 16, "network.5.units": 8,
}  # fmt: skip
PIXELS = {
    "recipe": "cartpole-pixels-tuned", "steps": 700, "checkpoint_every": 120, "batch_size": 16, "env.size": (20, 24),
    "warm_up": 60, "algorithm.epsilon_steps": 200, "algorithm.target_every": (3, "episodes"), "evaluate_every": (4, "episodes"),
    "weights_every": (5, "episodes"), "video_fps": None, "episodes": None, "threads": 1, "log_every": 50, "best_window": 2,
}  # fmt: skip
BREAKOUT = {
    "recipe": "breakout", "steps": 1_700, "checkpoint_every": 500, "algorithm.replay_size": 2_000, "threads": 1,
    "algorithm.learn_from": 200, "algorithm.update_every": 8, "algorithm.target_every": (2, "episodes"), "log_every": 100,
    "evaluate_every": (5, "episodes"), "evaluate_steps": 40, "weights_every": (4, "episodes"), "video_fps": None, "best_window": 2,
    "network.0.filters": 4, "network.1.filters": 4, "network.3.units": 16,
}  # fmt: skip
MEMORY = {
    "recipe": "drqn-cartpole", "steps": 1_700, "warm_up": 150, "checkpoint_every": 500, "num_envs": 2, "batch_size": 4,
    "log_every": 100, "evaluate_every": 700, "evaluate_games": 2, "best_window": 3, "algorithm.prioritised": True, "algorithm.n_step": 2,
    "algorithm.update_every": 8, "algorithm.epsilon_steps": 1_000, "env.flicker": 0.1, "algorithm.replay_size": 1_200,
}  # fmt: skip
KUNG_FU = {
    "recipe": "kung-fu-master", "steps": 2_400, "checkpoint_every": 700, "num_envs": 4, "log_every": 200, "threads": 2, "best_window": 2,
    "algorithm.rollout_steps": 16, "algorithm.minibatches": 2, "algorithm.epochs": 2, "algorithm.entropy_end": 0.0, "env.time_limit": 150,
    "network.0.filters": 4, "network.1.filters": 4, "network.2.filters": 4, "network.4.units": 16, "network.5.units": 8,
    "evaluate_every": 1_000, "evaluate_games": 2, "evaluate_steps": 60,
}  # fmt: skip
POSITIONS_PPO = {
    "recipe": "cartpole-positions-ppo", "steps": 2_600, "checkpoint_every": 500, "num_envs": 4, "log_every": 100, "threads": 1, "best_window": 3,
    "algorithm.rollout_steps": 16, "algorithm.minibatches": 2, "algorithm.epochs": 2, "evaluate_every": 700, "evaluate_games": 2,
}  # fmt: skip
CARTPOLE_PPO = POSITIONS_PPO | {"recipe": "cartpole-ppo", "optimiser.final_rate": 0.0, "algorithm.clip_end": 0.0}
NO_PASSES = ("algorithm.minibatches", "algorithm.epochs")  # which only PPO makes
CARTPOLE_A3C = {name: value for name, value in POSITIONS_PPO.items() if name not in NO_PASSES} | {
    "recipe": "cartpole-a3c", "memory": "gru", "num_envs": 2, "workers": 4, "algorithm.delays": (0, 1, 2, 3),
    "algorithm.rollout_steps": 8, "algorithm.max_staleness": 2,
}  # fmt: skip
KUNG_FU_A3C = {name: value for name, value in KUNG_FU.items() if name not in NO_PASSES} | {
    "recipe": "kung-fu-master-a3c",
    "workers": 2,
    "num_envs": 2,
}
RECIPES = {
    "cartpole-a3c": CARTPOLE_A3C,
    "kung-fu-master-a3c": KUNG_FU_A3C,
    "cartpole-positions-ppo": POSITIONS_PPO,
    "cartpole-ppo": CARTPOLE_PPO,
    "memory": MEMORY,
    "kung-fu-master": KUNG_FU,
    "cartpole": CARTPOLE,
    "space-invaders": SPACE_INVADERS,
    "cartpole-pixels": PIXELS,
    "breakout": BREAKOUT,
}


def rows(path: Path, leave_out: str = "seconds") -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return [{k: v for k, v in row.items() if k != leave_out} for row in csv.DictReader(file)]


def assert_same(run: Path, other: Path) -> None:
    """Logs (without seconds) and every weights file, byte for byte."""
    assert len(rows(run / "episodes.csv")) > 2
    for name in ("episodes.csv", "metrics.csv"):
        assert rows(run / name) == rows(other / name)
    names = sorted(p.name for p in (run / "checkpoints").glob("*.safetensors"))
    assert names == sorted(p.name for p in (other / "checkpoints").glob("*.safetensors"))
    assert {"best.safetensors", "latest.safetensors"} <= set(names)
    for name in names:
        assert (run / "checkpoints" / name).read_bytes() == (other / "checkpoints" / name).read_bytes(), name


def boundary_of(run: Path) -> int:
    with open(run / "resumes.csv", newline="") as file:
        return int(list(csv.DictReader(file))[-1]["step"])


# What a framework does at a boundary it does in these three; the others differ in their games and settings alone.
EVERYWHERE = ("memory", "space-invaders", "kung-fu-master")
CASES = [(framework, recipe) for recipe in EVERYWHERE for framework in FRAMEWORKS]
CASES += [("torch", "cartpole"), ("torch", "breakout"), ("torch", "cartpole-pixels")]
CASES += [("torch", "cartpole-positions-ppo"), ("jax", "cartpole-ppo")]
CASES += [
    ("torch", "cartpole-a3c"),
    ("torch", "kung-fu-master-a3c"),
    ("jax", "cartpole-a3c"),
    ("keras", "cartpole-a3c"),
]


@pytest.mark.parametrize(("framework", "recipe"), CASES)
def test_killed_between_boundaries_and_resumed(framework: str, recipe: str, tmp_path: Path) -> None:
    settings = RECIPES[recipe]
    every, steps = settings["checkpoint_every"], settings["steps"]
    rng = np.random.default_rng([len(framework), len(recipe)])
    first, second = sorted(int(x) for x in rng.integers(every + 20, steps - 20, size=2))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert sit(whole, framework, settings) == 0
    assert sit(killed, framework, settings, kill_at=first) == -signal.SIGKILL
    before = (killed / "episodes.csv").read_bytes()
    assert sit(killed, framework, settings, resumed=True, kill_at=second) == -signal.SIGKILL
    boundary = boundary_of(killed)
    assert 0 < boundary <= first, "it went on from a boundary above 0"
    assert sit(killed, framework, settings, resumed=True) == 0
    assert boundary <= boundary_of(killed) <= second
    # What stood in the log before the boundary is untouched, seconds included.
    kept = [line for line in before.splitlines()[1:] if int(line.split(b",")[2]) <= boundary]
    assert (killed / "episodes.csv").read_bytes().splitlines()[1 : len(kept) + 1] == kept
    assert_same(whole, killed)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "whole"
    assert sit(path, "torch", CARTPOLE) == 0
    return path


@pytest.mark.parametrize(
    "kill_in",
    [
        ("checkpoints", "write_tensors", 4),  # before a segment
        ("files", "sync_folder", 9),  # somewhere inside a save
        ("checkpoints", "write_json", 3),  # before a boundary's manifest
        ("os", "replace", 12),  # before a rename
        ("checkpoints", "sync_folder", 3),  # a boundary stands, its elders are not yet dropped
    ],
    ids=lambda kill: f"{kill[1]}-{kill[2]}",
)
def test_killed_inside_a_save_and_resumed(whole: Path, kill_in: Place, tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    assert sit(killed, "torch", CARTPOLE, kill_in=kill_in) == -signal.SIGKILL
    assert sit(killed, "torch", CARTPOLE, resumed=True) == 0
    assert_same(whole, killed)
    assert not list(killed.rglob("*.tmp"))


@pytest.mark.parametrize(
    "kill_in",
    [
        ("checkpoints", "copy_whole", 1),
        ("os", "truncate", 1),
        ("os", "truncate", 2),
        ("checkpoints", "read_tensors", 3),
    ],
    ids=lambda kill: f"{kill[1]}-{kill[2]}",
)
def test_killed_inside_a_resume_and_resumed(whole: Path, kill_in: Place, tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    assert sit(killed, "torch", CARTPOLE, kill_at=1_800) == -signal.SIGKILL
    assert sit(killed, "torch", CARTPOLE, resumed=True, kill_in=kill_in) == -signal.SIGKILL
    assert sit(killed, "torch", CARTPOLE, resumed=True) == 0
    assert_same(whole, killed)


def test_killed_before_the_first_boundary_is_no_run(tmp_path: Path) -> None:
    """The folder without config.json may be used again."""
    path = tmp_path / "run"
    assert sit(path, "torch", CARTPOLE, kill_in=("checkpoints", "write_json", 1)) == -signal.SIGKILL
    assert not (path / "config.json").exists()
    assert sit(path, "torch", CARTPOLE | {"steps": 300}) == 0


def test_a_damaged_boundary_costs_an_interval(whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    killed = tmp_path / "killed"
    assert sit(killed, "torch", CARTPOLE, kill_at=1_777) == -signal.SIGKILL
    newest = sorted((killed / "checkpoints").glob("boundary-*"))[-1]
    content = bytearray((newest / "state.safetensors").read_bytes())
    content[-5] ^= 1  # one flipped bit: the file still loads
    (newest / "state.safetensors").write_bytes(content)
    resume(killed, quiet=False)
    captured = capsys.readouterr()
    assert "damaged" in captured.err
    assert re.search(
        r"resumed at step 1,00[01]; [0-9,]+ steps after it, which no checkpoint has, are repeated", captured.out
    )
    assert_same(whole, killed)


def test_a_torn_line_is_repaired(whole: Path, tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    assert sit(killed, "torch", CARTPOLE, kill_at=1_200) == -signal.SIGKILL
    with open(killed / "episodes.csv", "a") as file:
        file.write("99,12")
    resume(killed)
    assert_same(whole, killed)


def test_a_finished_run_says_so(whole: Path, capsys: pytest.CaptureFixture) -> None:
    found = resume(whole, quiet=False)
    assert "is finished: all 2,6" in capsys.readouterr().out
    told = json.loads((whole / "summary.json").read_text())
    assert dataclasses.asdict(found) == told | {"path": whole, "alarms": tuple(told["alarms"])}
    assert resume(whole) == found
    assert capsys.readouterr().out == "", "it is quiet where it is asked to be"


def test_a_summary_of_an_earlier_session_is_replaced(whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    true = json.loads((run / "summary.json").read_text())
    for earlier in (true | {"stopped_by": "interrupted", "steps": 700, "updates": 3, "best_step": 600}, None):
        if earlier is None:
            (run / "summary.json").unlink()
        else:
            (run / "summary.json").write_text(json.dumps(earlier))
        assert resume(run).stopped_by == "steps"
        told = json.loads((run / "summary.json").read_text())
        same = set(told) - {"path", "seconds"}
        assert {name: told[name] for name in same} == {name: true[name] for name in same}
        assert {"steps", "updates", "episodes", "best_score", "best_step", "stopped_by"} <= same


@pytest.mark.parametrize(("begun", "resumed"), [("torch", "jax"), ("jax", "keras"), ("keras", "torch")])
def test_another_framework_goes_on(begun: str, resumed: str, tmp_path: Path) -> None:
    """In float64 the hand-over does not change a single action."""
    settings = CARTPOLE | {"precision": "float64", "steps": 1_600}
    whole, handed = tmp_path / "whole", tmp_path / "handed"
    assert sit(whole, begun, settings) == 0
    assert sit(handed, begun, settings, kill_at=900) == -signal.SIGKILL
    assert sit(handed, resumed, settings, resumed=True) == 0
    ours, theirs = rows(whole / "episodes.csv"), rows(handed / "episodes.csv")
    assert len(ours) == len(theirs) > 2
    for a, b in zip(ours, theirs, strict=True):
        for column in a:
            if column == "loss" and a[column]:
                assert float(a[column]) == pytest.approx(float(b[column]), rel=1e-9)
            else:
                assert a[column] == b[column]
    assert json.loads((handed / "config.json").read_text())["framework"] == begun


def test_ctrl_c_saves_weights_and_says_how_to_go_on(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "triptych",
        "train",
        "cartpole",
        "--runs-dir",
        str(tmp_path),
        "--run-name",
        "r",
        "--threads",
        "1",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    log = tmp_path / "r" / "metrics.csv"
    deadline = time.monotonic() + 120
    while process.poll() is None and not (log.exists() and log.stat().st_size > 200) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "with: triptych resume" in out
    assert (tmp_path / "r" / "checkpoints" / "latest.safetensors").exists()
    assert "Traceback" not in err
