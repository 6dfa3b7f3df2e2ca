"""Environments whose observations are states or whole numbers: what is made for their agents lies within their bounds."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest

from tests.checkup.own.test_beginnings import left_out
from tests.checkup.own.test_own_code import agent, names
from triptych.checkup.own.made import made
from triptych.checkup.own.protocol import Own
from triptych.checkup.own.whole import check_own
from triptych.utils.checks import InputError

TABLE = """
import numpy as np, gymnasium, random
class Agent:
    settings = {"batch_size": 16, "warm_up": 50}
    def __init__(self): self.q, self.memory = np.random.default_rng(0).normal(size=(500, 6)), []
    def make_env(self): return gymnasium.make("Taxi-v4")
    def values(self, obs):
        assert (obs >= 0).all() and (obs < 500).all() and obs.shape == (len(obs),)
        return self.q[obs]
    def weights(self): return {"q": self.q.copy()}
    def learn(self, batch):
        obs, action, reward, terminated, after = batch
        error = reward + 0.99 * (1 - terminated) * self.values(after).max(1) - self.q[obs, action]
        loss = np.where(abs(error) <= 1, error**2 / 2, abs(error) - 0.5).mean()
        np.add.at(self.q, (obs, action), 0.1 * np.clip(error, -1, 1))
        return loss
    def observe(self, obs, action, reward, terminated, truncated, after):
        self.memory.append((obs, action, reward, float(terminated), after))
    def sample(self): return tuple(map(np.array, zip(*random.choices(self.memory, k=16))))
    def train(self, env, steps):
        obs, _ = env.reset(seed=0)
        for step in range(steps):
            action = random.randrange(6)
            after, reward, terminated, truncated, _ = env.step(action)
            self.observe(obs, action, reward, terminated, truncated, after)
            obs = env.reset()[0] if terminated or truncated else after
            if step >= 50: self.learn(self.sample())
"""


def test_a_table_of_states_is_looked_at_and_healthy() -> None:
    found = check_own(agent(TABLE), "mine.py")
    assert names(found) == []
    looks = {look.what for look in found.looks if not look.left_out}
    assert {"the network", "the loss", "the loop", "the environment"} <= looks
    assert "tell samples apart" in left_out(found, "the replay")


@pytest.mark.parametrize(
    ("old", "new", "signal"),
    [
        ("(1 - terminated) * ", "", "own-loss"),
        ("(obs, action, reward, float", "(after, action, reward, float", "fed-"),
        ("self.values(after).max(1)", "self.values(after).min(1)", "own-loss"),
    ],
)
def test_its_mistakes_are_found(old: str, new: str, signal: str) -> None:
    assert old in TABLE
    assert any(name.startswith(signal) for name in names(check_own(agent(TABLE.replace(old, new)), "mine.py")))


class Shows(gymnasium.Env):
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, space: Any):
        self.observation_space = space


class Agent:
    def __init__(self, space: Any):
        self.space = space

    def make_env(self) -> Any:
        return Shows(self.space)

    def values(self, obs: np.ndarray) -> np.ndarray:
        return np.zeros((len(obs), 2))


@pytest.mark.parametrize(
    "space",
    [
        gymnasium.spaces.Discrete(3, start=7),
        gymnasium.spaces.MultiDiscrete([2, 3, 50]),
        gymnasium.spaces.MultiBinary(5),
        gymnasium.spaces.Box(np.array([-3, 10], np.int32), np.array([-1, 12], np.int32), dtype=np.int32),
        gymnasium.spaces.Box(0, 1, (4, 4), np.uint8),
        gymnasium.spaces.Box(0, 255, (8,), np.uint8),
        gymnasium.spaces.Box(-(2**63), 2**63 - 1, (2,), np.int64),
    ],
    ids=str,
)
def test_whole_numbers_are_drawn_from_all_of_their_space(space: Any) -> None:
    own = Own(Agent(space), "mine.py")
    found = made(own, 400)
    assert found.dtype == space.dtype
    assert all(space.contains(one) for one in found)
    low = found.min(axis=0)
    if isinstance(space, gymnasium.spaces.Discrete):
        assert set(found) == {7, 8, 9}
    elif own.dtype != np.int64:
        assert np.array_equal(low, np.broadcast_to(getattr(space, "low", 0), low.shape)) or np.ptp(found) > 200


def test_what_cannot_be_made_is_one_line() -> None:
    with pytest.raises(InputError, match="observation_space is 'Dict'; allowed: one of arrays"):
        Own(Agent(gymnasium.spaces.Dict({"a": gymnasium.spaces.Discrete(2)})), "mine.py")
    whole = agent(
        "class Agent:\n    observation_shape, num_actions, observation_dtype = (4,), 2, 'int64'\n    def values(self, obs): ...\n"
    )
    with pytest.raises(InputError, match="observation_dtype is 'int64'; allowed: a float type or uint8"):
        Own(whole(), "mine.py")
