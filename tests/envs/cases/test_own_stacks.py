"""Pictures that a user's own kind stacks itself: nothing from before a broken step stays in a stack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import gymnasium
import numpy as np
import pytest

from tests.envs.cases.games import Side
from triptych import envs
from triptych.buffers.store import Row, Store
from triptych.envs import EnvConfig, Games, Kind, Step, register_kind
from triptych.envs.config import Screen
from triptych.spec import Observation

STACK, GAMES, EPISODE = 3, 2, 20
Fill = Literal["zeros", "first"]


class Painted:
    """Games of 20 steps whose every picture shows the time, the last three stacked; `faults` are not finite."""

    num_actions, frames_per_step, typical_episode, saves = 2, 1, EPISODE, True
    observation = Observation((STACK, 2, 2), "float32")

    def __init__(self, num_envs: int, fill: Fill, faults: dict[tuple[str, int, int], float]):
        self.num_envs, self.fill, self.faults = num_envs, fill, faults
        self.pictures = np.zeros((num_envs, STACK, 2, 2), np.float32)
        self.time, self.ended = 0, np.zeros(num_envs, bool)

    def reset(self, seeds: np.ndarray) -> np.ndarray:
        self.time = 1
        for game in range(self.num_envs):
            self.begin(game, 1.0)
        self.ended[:] = False
        return self.pictures.copy()

    def begin(self, game: int, picture: float) -> None:
        self.pictures[game] = picture if self.fill == "first" else 0.0
        self.pictures[game, -1] = picture

    def send(self, actions: np.ndarray) -> None:
        self.time += 1

    def recv(self) -> Step:
        reward, none = np.ones(self.num_envs), np.zeros(self.num_envs, bool)
        for game in range(self.num_envs):
            picture = self.faults.get(("obs", game, self.time), float(self.time))
            reward[game] = self.faults.get(("reward", game, self.time), 1.0)
            if self.ended[game]:
                self.begin(game, picture)
            else:
                self.pictures[game] = np.roll(self.pictures[game], -1, axis=0)
                self.pictures[game, -1] = picture
        self.ended = np.array([(self.time + 5 * game) % EPISODE == 0 for game in range(self.num_envs)])
        return Step(self.pictures.copy(), reward, self.ended.copy(), none)

    def get_state(self) -> dict[str, Any]:
        return {"time": self.time, "pictures": self.pictures.tolist(), "ended": self.ended.tolist()}

    def set_state(self, state: dict[str, Any]) -> None:
        self.time, self.ended = state["time"], np.array(state["ended"])
        self.pictures = np.array(state["pictures"], np.float32)

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Painting(Screen):
    """Of the test."""

    kind: ClassVar[str] = "painting"


FAULTS: dict[tuple[str, int, int], float] = {}
ID = "cases/Painting-v0"
gymnasium.register(ID, entry_point=Side)


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    before = list(envs.KINDS)
    register_kind(Kind(Painting, lambda spec: spec.id == ID, lambda config, spec, n, threads: Painted(n, config.fill, FAULTS)))  # fmt: skip
    yield
    envs.KINDS[:] = before
    FAULTS.clear()


def made(fill: Fill) -> Games:
    return envs.make(EnvConfig(ID, fill=fill), GAMES)


def stepped(games: Games, steps: int) -> list[Step]:
    found = []
    for _ in range(steps):
        games.send(np.zeros(GAMES, np.int64))
        found.append(games.recv())
    return found


def shown(steps: list[Step], game: int) -> list[list[float]]:
    """The pictures of a game's stack after each step, the newest last, by the time that they show."""
    return [step.obs[game, :, 0, 0].tolist() for step in steps]


@pytest.mark.parametrize(("fill", "anew"), [("zeros", [0, 0, 5]), ("first", [5, 5, 5])])
def test_a_stack_begins_anew_behind_a_picture_that_is_not_finite(fill: Fill, anew: list[float]) -> None:
    """As that of a Gymnasium id does: two steps are broken, and not as many as a stack is high."""
    FAULTS[("obs", 1, 4)] = np.nan
    games = made(fill)
    games.reset(np.arange(GAMES))
    steps = stepped(games, 6)
    before = [1, 2, 3]
    assert shown(steps, 1)[1:] == [before, before, anew, [anew[1], 5, 6], [5, 6, 7]]
    assert [step.broken is not None and bool(step.broken[1]) for step in steps] == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]
    assert shown(steps, 0)[1:] == [[1, 2, 3], [2, 3, 4], [3, 4, 5], [4, 5, 6], [5, 6, 7]], "the other game is as it was"


def test_a_stack_begins_anew_at_a_reward_that_is_not_finite() -> None:
    FAULTS[("reward", 1, 4)] = np.inf
    games = made("zeros")
    games.reset(np.arange(GAMES))
    assert shown(stepped(games, 5), 1)[1:] == [[1, 2, 3], [0, 0, 4], [0, 4, 5], [4, 5, 6]]


def test_a_stack_begins_anew_where_an_episode_is_cut() -> None:
    """The game knows nothing of it, and shows what was before still."""
    FAULTS.update({("obs", 0, time): np.nan for time in range(3, 13)})
    games = made("zeros")
    games.reset(np.arange(GAMES))
    steps = stepped(games, 14)
    assert [2 + step for step, one in enumerate(steps) if one.truncated[0]] == [12]
    assert shown(steps, 0)[9:] == [[0, 1, 2], [0, 1, 2], [0, 0, 13], [0, 13, 14], [13, 14, 15]]


def test_a_state_holds_how_far_a_stack_has_filled() -> None:
    FAULTS[("obs", 1, 4)] = np.nan
    games, other = made("zeros"), made("zeros")
    games.reset(np.arange(GAMES))
    stepped(games, 4)
    other.set_state(games.get_state())
    assert shown(stepped(other, 3), 1) == shown(stepped(games, 3), 1) == [[0, 5, 6], [5, 6, 7], [6, 7, 8]]


@pytest.mark.parametrize("fill", ["zeros", "first"])
def test_what_is_acted_on_is_what_the_store_gives(fill: Fill) -> None:
    """Whatever is broken, and where: resets, ends, and so often that episodes are cut."""
    rng = np.random.default_rng(5)
    for time in range(2, 300):
        for game in range(GAMES):
            if rng.random() < (0.9 if 100 < time < 140 else 0.1):
                FAULTS[(("obs", "reward")[rng.integers(2)], game, time)] = np.nan
    games = made(fill)
    store = Store(10_000, GAMES, games.observation, fill)
    obs, ended, acted, masks = games.reset(np.arange(GAMES)), np.zeros(GAMES, bool), [], []
    cuts = 0
    for step in stepped(games, 290):
        mask = ~ended if step.broken is None else ~ended & ~step.broken
        store.add(Row(obs, np.zeros(GAMES), step.reward, step.terminated, mask))
        acted.append(obs)
        masks.append(mask)
        obs, ended = step.obs, step.terminated | step.truncated
        cuts += int(step.truncated.sum())
    assert cuts > 2
    rows, learned = np.nonzero(np.array(masks)[:-1])
    assert len(rows) > 200
    now, after = store.observations(rows, learned, 0, 1)
    np.testing.assert_array_equal(now, np.array(acted)[rows, learned])
    np.testing.assert_array_equal(after, np.array(acted)[rows + 1, learned])
