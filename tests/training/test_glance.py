"""now.json: what the agent sees, left by a run that nobody may notice it in."""

from __future__ import annotations

import csv
import errno
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import triptych
from triptych.runs.now import array_of, read_now
from triptych.training import sight
from triptych.training.callbacks import glance
from triptych.training.callbacks.broken import Broken
from triptych.training.callbacks.glance import Glance
from triptych.utils.files import sha256

QUICK: dict[str, Any] = {"steps": 160, "log_every": 40, "evaluate_every": 0, "video": False, "run_name": "r"}
RUNS = [
    ("cartpole", "keras", {"warm_up": 50}),
    ("memory-chain-ppo", "jax", {"algorithm.rollout_steps": 5}),
    ("cartpole-a3c", "torch", {"algorithm.rollout_steps": 5}),
]


def numbers(run: Path) -> list[list[str]]:
    """The rows of both logs, but for their seconds, and the weights' hash."""
    found = []
    for name in ("episodes.csv", "metrics.csv"):
        if not (run / name).exists():  # no episode has ended
            continue
        with open(run / name, encoding="utf-8") as file:
            found += [[cell for key, cell in row.items() if key != "seconds"] for row in csv.DictReader(file)]
    return [*found, [sha256(run / "checkpoints" / "latest.safetensors")]]


@pytest.mark.parametrize(("recipe", "framework", "changes"), RUNS)
def test_looking_at_each_step_changes_no_number(
    recipe: str, framework: str, changes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = QUICK | changes
    taken = 0
    take = Glance.take

    def counted(self: Glance, run: Any) -> None:
        nonlocal taken
        take(self, run)
        taken += (run.path / "now.json").exists() and not self.given_up
        self.pace.next = 0.0

    monkeypatch.setattr(Glance, "take", counted)
    triptych.train(recipe, framework, runs_dir=tmp_path / "seen", **settings)
    assert taken > 10
    monkeypatch.setattr(Glance, "take", lambda self, run: None)
    triptych.train(recipe, framework, runs_dir=tmp_path / "alone", **settings)
    assert numbers(tmp_path / "seen" / "r") == numbers(tmp_path / "alone" / "r")
    assert not (tmp_path / "alone" / "r" / "now.json").exists()
    now = read_now(tmp_path / "seen" / "r")
    assert now is not None
    assert now["is_policy"] == (recipe != "cartpole")
    assert all(value is not None for value in now["values"])
    assert 100 < now["steps"] <= 160
    assert now["updates"] > 0


class Player:
    """A training of two games whose network is a sum."""

    def __init__(self) -> None:
        self.obs = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
        self.state, self.started, self.ended = None, np.zeros(2, bool), np.zeros(2, bool)
        self.episode_reward, self.episode_length = np.array([5.0, 0.0]), np.array([7, 0])
        self.games = SimpleNamespace(num_actions=1, first_action=0, action_names=["jump"])
        self.agent = SimpleNamespace(
            is_actor=False, act=lambda obs, state, started: (obs.sum(axis=1, keepdims=True), None)
        )


def a_run(path: Path, player: Player) -> Any:
    counters = SimpleNamespace(steps=10, updates=3, episodes=1)
    return SimpleNamespace(path=path, counters=counters, training=SimpleNamespace(sight=lambda: sight.sight_of(player)))


def test_it_is_the_first_game_that_is_seen(tmp_path: Path) -> None:
    Glance(Broken()).see(a_run(tmp_path, Player()), None)  # type: ignore[arg-type]
    now = read_now(tmp_path)
    assert now is not None
    assert array_of(now["obs"][""], "here").tolist() == [1.0, 2.0]
    assert (now["values"], now["actions"], now["reward"], now["length"], now["episode"]) == ([3.0], ["jump"], 5.0, 7, 2)
    assert [file.name for file in tmp_path.iterdir()] == ["now.json"]


def test_it_comes_the_more_seldom_the_longer_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, took = 1000.0, 0.0

    def clock() -> float:
        nonlocal now
        now += took
        return now

    monkeypatch.setattr(sight.time, "perf_counter", clock)
    one = Glance(Broken())
    one.take(a_run(tmp_path, Player()))
    assert one.pace.next == 1000.0 + sight.EVERY
    took = 2.0
    one.take(a_run(tmp_path, Player()))
    assert one.pace.next == pytest.approx(1002.0 + 2.0 / sight.SHARE)


def test_a_full_disk_ends_it_and_not_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*what: Any) -> None:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(glance, "write_now", full)
    one = Glance(Broken())
    one.take(a_run(tmp_path, Player()))
    assert one.given_up


def test_an_episodes_end_and_what_is_too_large_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    player = Player()
    player.ended[0] = True
    Glance(Broken()).take(a_run(tmp_path, player))
    monkeypatch.setattr(sight, "MOST_BYTES", 4)
    Glance(Broken()).take(a_run(tmp_path, Player()))
    assert not list(tmp_path.iterdir())
