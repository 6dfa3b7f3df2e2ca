"""Replays of people's own: healthy ones of any size, parts that are never drawn from, and what goes wrong once a ring has gone round."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checkup.own.test_own_code import agent
from triptych.checkup.own.whole import check_own
from triptych.utils.checks import InputError

RING = """
import numpy as np
class Agent:
    observation_shape, num_actions, size = (4,), 2, SIZE
    settings = {}
    rng = np.random.default_rng(SEED)
    def __init__(self):
        size = self.size
        self.obs, self.after = np.zeros((2, size, 4), np.float32)
        self.action, self.reward, self.ends = np.zeros(size, int), np.zeros(size, np.float32), np.zeros(size, np.float32)
        self.at, self.full = 0, False
    def observe(self, obs, action, reward, terminated, truncated, after):
        at = self.at
        self.obs[at], self.action[at], self.reward[at], self.ends[at], self.after[at] = obs, action, reward, terminated, after
        self.at = (at + 1) % self.size
        self.full |= self.at == 0
    def held(self): return self.size if self.full else self.at
    def oldest(self): return self.at if self.full else 0
    def draw(self): return self.rng.integers(self.held(), size=32)  # from 0, the oldest, on
    def sample(self):
        rows = (self.oldest() + self.draw()) % self.size
        return self.obs[rows], self.action[rows], self.reward[rows], self.ends[rows], self.after[rows]
"""


def ring(size: int, told: bool = True, *edits: tuple[str, str], seed: int = 0) -> Any:
    source = RING.replace("SIZE", str(size)).replace("SEED", str(seed))
    for old, new in (("settings = {}", f"settings = {{'replay_size': {size}}}"), *edits) if told else edits:
        assert old in source
        source = source.replace(old, new)
    return agent(source)


def findings(made: Any) -> dict[str, str]:
    return {one.signal.name: one.measured for one in check_own(made, "mine.py").findings}


@pytest.mark.parametrize("size", [40, 100, 290, 301, 450, 1_000, 3_000])
@pytest.mark.parametrize("told", [True, False])
def test_a_healthy_replay_of_any_size_raises_no_alarm(size: int, told: bool) -> None:
    found = findings(ring(size, told))
    assert set(found) == (set() if told else {"own-replay-not-full"})
    if not told:
        assert (f"keeps about {size} steps" if size < 600 else "was not full after 600 steps") in found.popitem()[1]


@pytest.mark.parametrize("size", [60, 100, 1_000])
def test_draws_by_episode_raise_no_alarm(size: int) -> None:
    """Steps of short episodes then come more often, which shows in small replays."""
    edits = (
        ("def held", "def number(self):\n        return np.r_[0, np.cumsum(self.over[self.order()])[:-1]]\n    def order(self):\n        return (self.oldest() + np.arange(self.held())) % self.size\n    def held"),
        ("        at = self.at\n", "        at = self.at\n        self.over = getattr(self, 'over', np.zeros(self.size, int))\n        self.over[at] = terminated or truncated\n"),
        ("def draw(self): return self.rng.integers(self.held(), size=32)", "def draw(self):\n        number = self.number()\n        return np.array([self.rng.choice(np.flatnonzero(number == one)) for one in self.rng.integers(number[-1] + 1, size=32)])"),
    )  # fmt: skip
    assert findings(ring(size, True, *edits)) == {}


def test_chance_raises_no_alarm() -> None:
    """Fifteen of chance, of replays that go round."""
    assert [findings(ring(100 + 7 * seed, seed=seed)) for seed in range(15)] == [{}] * 15


def test_a_replay_that_is_too_large_to_be_filled_is_told() -> None:
    told = findings(ring(100_000))["own-replay-not-full"]
    assert "the replay of 100,000 steps was not filled, only 600 steps were put in" in told
    assert "A smaller replay_size in the agent's settings" in told


def test_a_replay_of_ten_thousand_goes_round() -> None:
    """One that samples up to its write head alone is found; the same one with the right limit is healthy."""
    assert findings(ring(10_000)) == {}
    told = findings(ring(10_000, True, ("self.size if self.full else self.at", "self.at")))
    assert "own-replay-draws" in told, told


DRAWS = {
    "the newer half": "self.held() // 2 + self.rng.integers(self.held() - self.held() // 2, size=32)",
    "the older half": "self.rng.integers(self.held() // 2, size=32)",
    "all but a quarter": "self.rng.integers(self.held() // 4, self.held(), size=32)",
    "the newest ones alone": "self.held() - 1 - np.arange(32)",
    "the oldest ones alone": "np.arange(32)",
    "one of them": "np.full(32, self.held() - 1)",
}


@pytest.mark.parametrize("told", [True, False], ids=["its size told", "its size untold"])
@pytest.mark.parametrize("size", [1_000, 200])
@pytest.mark.parametrize("draws", DRAWS)
def test_a_part_that_is_never_drawn_from_is_told(draws: str, size: int, told: bool) -> None:
    made = ring(size, told, ("self.rng.integers(self.held(), size=32)  #", f"{DRAWS[draws]}  #"))
    if draws in ("the newer half", "all but a quarter") and size == 200 and not told:
        # It is as a healthy replay of that many steps: whether it is meant to be, only the setting could say.
        assert "keeps about 1" in findings(made)["own-replay-not-full"]
        return
    assert "own-replay-draws" in findings(made)


ROUND = {
    "a reward of the row before": ("        self.at = (at + 1)", "        self.reward[at] = self.reward[at - self.full]\n        self.at = (at + 1)", "fed-reward"),
    "a next observation of the next row": ("self.after[rows]\n", "np.where(self.ends[rows, None] + (rows[:, None] == self.size - 1), self.after[rows], self.obs[(rows + 1) % self.size])\n", "fed-"),
    "an episode's end that stays": ("self.ends[at], self.after[at] = obs, action, reward, terminated, after", "self.after[at] = obs, action, reward, after\n        self.ends[at] += terminated", "fed-discount"),
    "rows that were never written": ("self.size if self.full else self.at\n", "self.size\n", "fed-unseen"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", ROUND)
def test_what_goes_wrong_before_or_after_a_ring_is_full_is_found(mistake: str) -> None:
    old, new, signal = ROUND[mistake]
    found = findings(ring(1_000, True, (old, new)))
    assert any(name.startswith(signal) for name in found), found


def test_a_replay_smaller_than_its_setting_is_told() -> None:
    found = findings(ring(1_000, True, ("size = (4,), 2, 1000", "size = (4,), 2, 600")))
    assert "oldest quarter" in found["own-replay-draws"]


def test_a_size_that_is_none_is_one_line() -> None:
    with pytest.raises(InputError, match="settings replay_size is 0; allowed: a whole number from 1"):
        check_own(ring(1_000, False, ("settings = {}", "settings = {'replay_size': 0}")), "mine.py")
