"""Games of a kind of the user's own keep the promises of all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest

from tests.envs.cases.games import Side
from triptych import envs
from triptych.envs import EnvConfig, Games, Kind, Step, register_kind
from triptych.envs.closing import TOLD
from triptych.spec import Observation, Part
from triptych.utils.checks import EnvironmentFailed


class Drift:
    """Two games at once: their step is what they show, but for what `faults` say."""

    observation, num_actions, frames_per_step, typical_episode, saves = Observation((1,), "float32"), 2, 1, 9, True

    def __init__(self, num_envs: int, faults: dict[tuple[str, int, int], Any]):
        self.num_envs, self.faults, self.time = num_envs, faults, 0

    def reset(self, seeds: np.ndarray) -> np.ndarray:
        self.time = 0
        return np.zeros((self.num_envs, 1), np.float32)

    def send(self, actions: np.ndarray) -> None:
        self.time += 1

    def recv(self) -> Step:
        obs, reward = np.full((self.num_envs, 1), self.time, np.float32), np.ones(self.num_envs)
        none, ended = np.zeros((2, self.num_envs), bool)
        for (what, game, step), value in self.faults.items():
            if step == self.time and isinstance(value, Exception):
                raise value
            if step == self.time and what == "end":
                ended[game] = value
            elif step == self.time:
                (obs[:, 0] if what == "obs" else reward)[game] = value
        return Step(obs, reward, ended, none)

    def get_state(self) -> dict[str, Any]:
        return {"time": self.time}

    def set_state(self, state: dict[str, Any]) -> None:
        self.time = state["time"]

    def close(self) -> None:
        CLOSED.append(self)
        if error := self.faults.get(("close", 0, 0)):
            raise error


@dataclass(frozen=True)
class Drifting(envs.GameConfig):
    """Of the test."""

    kind: ClassVar[str] = "drifting"


CLOSED: list[Drift] = []
FAULTS: dict[tuple[str, int, int], Any] = {}
STRAYS: dict[int, tuple[float, float]] = {}  # by step
ID = "cases/Drifting-v0"
gymnasium.register(ID, entry_point=Side)


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = list(envs.KINDS)
    register_kind(Kind(Drifting, lambda spec: spec.id == ID, lambda config, spec, games, threads: Drift(games, FAULTS)))
    yield
    envs.KINDS[:] = before
    FAULTS.clear()
    STRAYS.clear()
    CLOSED.clear()


class Wander(Drift):
    """Drift that says where its agents are: at the middle, but for the second one's `STRAYS`."""

    observation = Observation.of({"numbers": Part((1,), "float32"), "where": Part((2,), "float32", is_place=True)})

    def whole(self, numbers: np.ndarray) -> Any:
        where = np.full((self.num_envs, 2), 0.5, np.float32)
        where[1] = STRAYS.get(self.time, (0.5, 0.5))
        return {"numbers": numbers, "where": where}

    def reset(self, seeds: np.ndarray) -> Any:
        return self.whole(super().reset(seeds))

    def recv(self) -> Step:
        step = super().recv()
        return step._replace(obs=self.whole(step.obs))


@pytest.mark.parametrize("value", [(1.7, 0.5), (0.5, -0.1)])
def test_a_place_beyond_0_to_1_ends_the_run_and_names_game_and_step(value: tuple[float, float]) -> None:
    register_kind(
        Kind(Drifting, lambda spec: spec.id == ID, lambda config, spec, games, threads: Wander(games, FAULTS))
    )
    shown = rf"'where' of game 1 is \({value[0]:g}, {value[1]:g}\); allowed: 0 to 1 each"
    games = made()
    STRAYS[3] = value
    games.reset(np.arange(2))
    for _ in range(2):
        games.send(np.zeros(2, int))
        assert games.recv().obs["where"].tolist() == [[0.5, 0.5]] * 2
    games.send(np.zeros(2, int))
    with pytest.raises(EnvironmentFailed, match=f"at step 3: {shown}"):
        games.recv()
    STRAYS[0] = value
    with pytest.raises(EnvironmentFailed, match=f"at the reset: {shown}"):
        games.reset(np.arange(2))


def made() -> Games:
    games: Games = envs.make(EnvConfig(ID), 2)
    assert games.num_actions == 2
    assert games.first_action == 0
    return games


def played(steps: int) -> list[Step]:
    games = made()
    games.reset(np.arange(2))
    return stepped(games, steps)


def stepped(games: Games, steps: int) -> list[Step]:
    found = []
    for _ in range(steps):
        games.send(np.zeros(2, np.int64))
        found.append(games.recv())
    return found


def test_what_is_finite_is_as_it_was() -> None:
    assert [step.obs.tolist() for step in played(2)] == [[[1.0], [1.0]], [[2.0], [2.0]]]
    assert all(step.broken is None for step in played(3))


def test_what_is_not_finite_is_broken_and_made_up() -> None:
    FAULTS.update({("obs", 1, 2): np.nan, ("reward", 0, 4): 1e39})
    steps = played(5)
    assert [None if step.broken is None else step.broken.tolist() for step in steps] == [
        None, [False, True], [False, True], [True, False], None
    ]  # fmt: skip
    assert steps[1].obs.tolist() == [[2.0], [1.0]], "the one before"
    assert steps[3].reward.tolist() == [0, 1]
    assert [line for step in steps for line in step.trouble] == [
        f"{ID}: the observation is not finite in game 1 at step 2",
        f"{ID}: the reward is not finite in game 0 at step 4",
    ]


def test_what_it_raises_names_it_and_the_step() -> None:
    FAULTS[("obs", 0, 3)] = ConnectionResetError(104, "reset by peer")
    with pytest.raises(EnvironmentFailed, match=r"'cases/Drifting-v0' failed at step 3: ConnectionResetError: .*reset by peer") as error:  # fmt: skip
        played(4)
    assert isinstance(error.value.__cause__, ConnectionResetError)


def test_a_game_that_stays_broken_is_cut() -> None:
    """As one of a Gymnasium id is: after ten steps, and after ten more behind the restart."""
    FAULTS.update({("obs", 1, step): np.nan for step in range(1, 24)})
    steps = played(24)
    assert [step + 1 for step, one in enumerate(steps) if one.truncated[1]] == [10, 21]
    assert [step + 1 for step, one in enumerate(steps) if one.broken is None] == [11, 22], "the restarts"
    assert not any(step.truncated[0] or step.terminated.any() for step in steps)
    assert all(np.isfinite(step.obs).all() for step in steps)


def test_an_end_in_the_restart_of_a_game_that_was_cut_is_no_second_one() -> None:
    """Its own restart is the next step, which nothing is learned from then."""
    FAULTS.update({("reward", 1, step): np.nan for step in range(1, 11)} | {("end", 1, 11): True, ("end", 1, 15): True})
    steps = played(15)
    assert [step + 1 for step, one in enumerate(steps) if one.truncated[1]] == [10]
    assert [step + 1 for step, one in enumerate(steps) if one.terminated[1]] == [15]
    assert [step + 1 for step, one in enumerate(steps) if one.broken is not None] == [*range(1, 11), 12]


def test_a_state_keeps_how_long_a_game_has_been_broken_and_its_cut() -> None:
    FAULTS.update({("obs", 1, step): np.nan for step in range(1, 12)} | {("end", 1, 11): True})
    whole = played(14)
    for at in range(6, 13):
        games = made()
        games.reset(np.arange(2))
        stepped(games, at)
        other = made()
        other.set_state(json.loads(json.dumps(games.get_state())))
        assert list(map(told, stepped(other, 14 - at))) == list(map(told, whole[at:]))


@pytest.mark.parametrize("at", range(1, 6))
def test_a_state_taken_at_any_step_goes_on_as_if_none_had_been(at: int) -> None:
    """At step 2 the observation is made up, and at step 3 made up again of the one before that."""
    FAULTS.update({("obs", 1, 2): np.nan, ("obs", 1, 3): np.inf, ("reward", 0, 5): np.nan})
    whole = played(7)
    games = made()
    games.reset(np.arange(2))
    stepped(games, at)
    state = json.loads(json.dumps(games.get_state(), allow_nan=False))
    other = made()
    other.set_state(state)
    assert list(map(told, stepped(other, 7 - at))) == list(map(told, whole[at:]))


def told(step: Step) -> tuple[Any, ...]:
    """All that a step says, to the bit."""
    broken = None if step.broken is None else step.broken.tolist()
    return step.obs.dtype, step.obs.tolist(), step.reward.tolist(), step.truncated.tolist(), broken, step.trouble


def test_a_state_of_before_is_that_of_the_games_alone() -> None:
    FAULTS[("obs", 1, 4)] = np.nan
    games = made()
    games.set_state({"time": 3})
    steps = stepped(games, 2)
    assert steps[0].obs.tolist() == [[4.0], [0.0]], "nothing is known of what was before"
    assert [step.broken is not None for step in steps] == [True, True]
    assert steps[1].obs.tolist() == [[5.0], [5.0]]


def test_they_are_closed_once_and_what_fails_there_is_one_warning(capsys: pytest.CaptureFixture) -> None:
    TOLD.clear()
    FAULTS[("close", 0, 0)] = OSError("no such window")
    games = made()
    games.close()
    games.close()
    assert len(CLOSED) == 1
    assert capsys.readouterr().err.count(f"closing {ID} failed: OSError: no such window") == 1
