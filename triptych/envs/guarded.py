"""Games of a kind of the user's own, held to what all games promise: what they raise says where, and all numbers are finite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from triptych.envs.broken import BrokenSteps
from triptych.envs.checking import UNTOUCHED, described
from triptych.envs.closing import Closing
from triptych.envs.games import Games, Step
from triptych.envs.stacks import Stacks
from triptych.spec import each, parts_of, whole_of
from triptych.spec.precision import LARGEST_FLOAT32
from triptych.utils.checks import EnvironmentFailed

GUARDED = "guarded games"  # in a state, where that of the games themselves lies


class GuardedGames:
    """What `reset`, `send` and `recv` of these games do and return, checked; everything else is theirs.

    Args:
        games: the games, which step together, so that nobody knows which of them raised.
        env_id: how they are called in what is told.
        fill: what stands in a stack before its first picture (`Screen.fill`).
    """

    first_action = 0  # of games that say nothing of their own action space

    def __init__(self, games: Games, env_id: str, fill: Literal["zeros", "first"] = "zeros"):
        self.games, self.env_id = games, env_id
        self.closing = Closing(env_id, games.close)
        self.first_action = getattr(games, "first_action", 0)
        self.steps = 0  # since the reset
        self.last: Any = None  # the finite observations before; None: not known
        self.broken = BrokenSteps(games.num_envs)
        self.stacks = Stacks(games.observation, games.num_envs, fill)
        self.ended = np.zeros(games.num_envs, bool)
        self.cut = np.zeros(games.num_envs, bool)  # [N] the episode ended here alone: the games know nothing of it

    def __getattr__(self, name: str) -> Any:
        if name == "games":  # not made yet, as in a copy
            raise AttributeError(name)
        return getattr(self.games, name)

    def reset(self, seeds: np.ndarray) -> Any:
        self.steps = 0
        obs = self.asked(self.games.reset, seeds)
        bad = broken_in(obs, self.games.num_envs)
        if bad.any():
            raise EnvironmentFailed(self.env_id, None, 0, f"the observation of game {np.argmax(bad)} is not finite")
        self.check_places(obs)
        self.last = each(np.copy, obs)
        self.broken.reset(bad)
        self.stacks.reset()
        self.ended[:], self.cut[:] = False, False
        return obs

    def send(self, actions: np.ndarray) -> None:
        self.asked(self.games.send, actions)

    def recv(self) -> Step:
        self.steps += 1
        step: Step = self.asked(self.games.recv)
        unpaid = ~(np.abs(step.reward) <= LARGEST_FLOAT32)
        self.stacks.step(restarted=self.ended & ~self.cut, anew=self.broken.made_up | self.cut | unpaid)
        step = step._replace(obs=self.stacks.shown(step.obs))
        unseen = broken_in(step.obs, self.games.num_envs)
        step = self.finite(step, unseen, unpaid)
        self.check_places(step.obs)
        broken, stuck = self.broken.step(unseen, unpaid, restarted=self.ended)
        step = self.ending(step, stuck)
        if broken.any():
            theirs = np.zeros_like(broken) if step.broken is None else step.broken
            step = step._replace(broken=broken | theirs)
        self.last = each(np.copy, step.obs)
        return step

    def check_places(self, obs: Any) -> None:
        """Refuses a part that says where the agents are and goes beyond 0 to 1: a map would write at its edge.

        Raises:
            EnvironmentFailed: says where the agent of the first such game is.
        """
        for name, part in self.games.observation.named:
            if part.is_place and (outside := ((places := parts_of(obs)[name]) < 0) | (places > 1)).any():
                game = int(np.argmax(outside.any(axis=1)))
                said = f"{name!r} of game {game} is ({places[game, 0]:g}, {places[game, 1]:g}); allowed: 0 to 1 each"
                raise EnvironmentFailed(self.env_id, None, self.steps, said)

    def finite(self, step: Step, unseen: np.ndarray, unpaid: np.ndarray) -> Step:
        """The step with the last finite observation and a reward of 0 where they are not finite, and lines that say so."""
        if not (unseen | unpaid).any():
            return step
        what = [(unseen, "the observation is not finite"), (unpaid, "the reward is not finite")]
        told = [f"{self.env_id}: {said} in game {game} at step {self.steps:,}" for bad, said in what for game in np.flatnonzero(bad)]  # fmt: skip
        before = each(np.zeros_like, step.obs) if self.last is None else self.last
        obs = each(lambda now, before: np.where(along(unseen, now), before, now), step.obs, before)
        return step._replace(obs=obs, reward=np.where(unpaid, 0.0, step.reward), trouble=(*step.trouble, *told))

    def ending(self, step: Step, stuck: np.ndarray) -> Step:
        """The step with the episodes cut that are stuck.

        One game alone cannot be reset: it plays on, and its next step stands for the restart of those who learn from it. An
        end of its own in that step is no second one, but what comes after it is a restart that they know nothing of: the
        step to it is broken.
        """
        terminated, truncated = np.asarray(step.terminated, bool), np.asarray(step.truncated, bool)
        self.broken.made_up |= self.cut & (terminated | truncated)
        terminated, truncated = terminated & ~self.cut, truncated & ~self.cut
        self.cut = stuck & ~(terminated | truncated)
        truncated = truncated | self.cut
        self.ended = terminated | truncated
        return step._replace(terminated=terminated, truncated=truncated)

    def get_state(self) -> dict[str, Any]:
        last = None if self.last is None else {name: saved(part) for name, part in parts_of(self.last).items()}
        return {
            GUARDED: self.asked(self.games.get_state),
            "steps": self.steps, "last": last, "broken": self.broken.get_state(),
            "ended": self.ended.tolist(), "cut": self.cut.tolist(), "seen": self.stacks.seen.tolist(),
        }  # fmt: skip

    def set_state(self, state: dict[str, Any]) -> None:
        """Takes a state up; of earlier versions that of the games alone, which tells nothing of a broken step before it."""
        if GUARDED not in state:
            self.asked(self.games.set_state, state)
            self.steps, self.last = 0, None
            self.broken.reset(np.zeros(self.games.num_envs, bool))
            self.stacks.reset()
            self.ended[:], self.cut[:] = False, False
            return
        self.asked(self.games.set_state, state[GUARDED])
        last = state["last"]
        self.steps = state["steps"]
        self.broken.set_state(state["broken"])
        self.stacks.reset()
        self.stacks.seen[:] = state.get("seen", self.stacks.seen)  # states of before have none
        self.ended, self.cut = np.array(state["ended"], bool), np.array(state["cut"], bool)
        self.last = None if last is None else whole_of({name: restored(part) for name, part in last.items()})

    def close(self) -> None:
        """Closes the games, the first time that it is called."""
        self.closing()

    def asked(self, call: Callable[..., Any], *given: Any) -> Any:
        try:
            return call(*given)
        except (*UNTOUCHED, EnvironmentFailed):
            raise
        except BaseException as error:  # a process that it ends included
            raise EnvironmentFailed(self.env_id, None, self.steps, described(error)) from error


def saved(array: np.ndarray) -> dict[str, Any]:
    """An array as JSON."""
    return {"dtype": array.dtype.str, "values": array.tolist()}


def restored(array: dict[str, Any]) -> np.ndarray:
    return np.array(array["values"], array["dtype"])


def broken_in(obs: Any, games: int) -> np.ndarray:
    """[N] whether a game's observation holds a number that is not finite."""
    bad = np.zeros(games, bool)
    for part in parts_of(obs).values():
        if part.dtype.kind == "f":
            bad |= ~np.isfinite(part).reshape(games, -1).all(axis=1)
    return bad


def along(games: np.ndarray, part: np.ndarray) -> np.ndarray:
    """[N] with as many axes as a part of an observation [N, ...]."""
    return games.reshape(-1, *[1] * (part.ndim - 1))
