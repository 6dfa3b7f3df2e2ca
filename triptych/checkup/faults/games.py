"""Faults of environments: what a game shows, pays and does."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from triptych import envs
from triptych.checkup.faults.base import fault
from triptych.envs import Step
from triptych.spec import each
from triptych.training import agent, playing
from triptych.utils.patching import Patch, around

OBSERVATION = "constant or black observation"
REWARD = "reward always 0, or one value"
CHANCE = "no better than random"
IDENTICAL = "parallel games identical"
ANOTHER = "another game than the settings say"


def answering(
    step: Callable[[Step], Step] | None = None,
    first: Callable[[Any], Any] | None = None,
    send: Callable[[np.ndarray], np.ndarray] | None = None,
    seeds: Callable[[np.ndarray], np.ndarray] | None = None,
) -> list[Patch]:
    """Games with other answers, other first observations, other actions or other seeds."""

    def make(keep: Any) -> Any:
        def made(*given: Any, **named: Any) -> Any:
            games = keep(*given, **named)
            reset, sent, recv = games.reset, games.send, games.recv
            games.reset = lambda wanted: (first or same)(reset((seeds or same)(wanted)))
            games.send = lambda actions: sent((send or same)(actions))
            games.recv = lambda: (step or same)(recv())
            return games

        return made

    return [around(envs, "make", make)]


def same(x: Any) -> Any:
    return x


def nothing(obs: Any) -> Any:
    return each(np.zeros_like, obs)


@fault(OBSERVATION, "cartpole")
def observation_constant(framework: str) -> list[Patch]:
    """Each observation is all zeros."""
    return answering(lambda step: step._replace(obs=nothing(step.obs)), nothing)


@fault(OBSERVATION, "space-invaders")
def observation_black(framework: str) -> list[Patch]:
    """Each picture is black."""
    return answering(lambda step: step._replace(obs=nothing(step.obs)), nothing)


@fault(OBSERVATION, "cartpole-ppo")
def observation_never_changes(framework: str) -> list[Patch]:
    """A game shows its first observation for ever."""
    shown: dict[str, Any] = {}

    def first(obs: Any) -> Any:
        shown["obs"] = np.array(obs)
        return obs

    return answering(lambda step: step._replace(obs=shown["obs"].copy()), first)


@fault("final observation black", "cartpole-cut")
def final_observation_black(framework: str) -> list[Patch]:
    """The last observation of each episode is all zeros."""

    def black(step: Step) -> Step:
        ended = (step.terminated | step.truncated)[:, None]
        return step._replace(obs=np.where(ended, 0, step.obs).astype(step.obs.dtype))

    return answering(black)


@fault("height and width swapped", "space-invaders")
def height_and_width_swapped(framework: str) -> list[Patch]:
    """Pictures lie on their side."""
    return answering(lambda step: step._replace(obs=np.swapaxes(step.obs, 2, 3)), lambda obs: np.swapaxes(obs, 2, 3))


@fault(REWARD, "repeat-previous")
def reward_always_zero(framework: str) -> list[Patch]:
    """Nothing is ever won."""
    return answering(lambda step: step._replace(reward=0 * step.reward))


@fault(REWARD, "space-invaders")
def reward_always_zero_in_pictures(framework: str) -> list[Patch]:
    """Nothing is ever won."""
    return answering(lambda step: step._replace(reward=0 * step.reward))


@fault(REWARD, "repeat-previous")
def reward_of_one_value(framework: str) -> list[Patch]:
    """Each step pays the same, whatever was done."""
    return answering(lambda step: step._replace(reward=0 * step.reward + 1))


@fault(CHANCE, "cartpole-ppo-16")
def actions_ignored(framework: str) -> list[Patch]:
    """The game plays by chance, whatever is sent."""
    rng = np.random.default_rng(3)
    return answering(send=lambda actions: rng.integers(2, size=len(actions)))


@fault("an episode never ends", "cartpole-alone")
def episode_never_ends(framework: str) -> list[Patch]:
    """No game tells that its episode is over."""
    return answering(lambda step: step._replace(terminated=step.terminated & False, truncated=step.truncated & False))


def all_as_the_first(array: Any) -> Any:
    return np.repeat(array[:1], len(array), axis=0)


@fault(IDENTICAL, "cartpole")
def games_identical(framework: str) -> list[Patch]:
    """All games answer what the first one answers."""
    fields = ("obs", "reward", "terminated", "truncated")
    return answering(
        lambda step: step._replace(**{name: all_as_the_first(getattr(step, name)) for name in fields}), all_as_the_first
    )


@fault(IDENTICAL, "memory-chain-ppo")
def games_share_a_seed(framework: str) -> list[Patch]:
    """All games begin with the same seed."""
    return [around(playing, "game_seeds", lambda keep: lambda *given: all_as_the_first(keep(*given)))]


@fault(IDENTICAL, "cartpole-a2c")
def games_of_cartpole_share_a_seed(framework: str) -> list[Patch]:
    """All games begin with the same seed."""
    return [around(playing, "game_seeds", lambda keep: lambda *given: all_as_the_first(keep(*given)))]


@fault("seeds shared by neighbouring runs", "cartpole")
def seeds_shared_by_neighbouring_runs(framework: str) -> list[Patch]:
    """Game i of a run has the seed of the run and i, so that the next run plays most of the same games."""
    return [Patch(playing, "game_seeds", lambda seed, name, number, count: seed + number + np.arange(count))]


@fault("a reset ignores its seed", "cartpole")
def reset_ignores_its_seed(framework: str) -> list[Patch]:
    """The same seed begins another game each time."""
    rng = np.random.default_rng()
    return answering(seeds=lambda wanted: rng.integers(2**31 - 1, size=len(wanted)))


@fault("seeds shared by neighbouring runs", "cartpole")
def seed_of_the_run_ignored(framework: str) -> list[Patch]:
    """Weights, exploration and samples of all runs come from one seed."""

    def make(keep: Any) -> Any:
        return lambda seed, name: keep(0, name)

    return [around(agent, "generator", make), around(playing, "generator", make)]


@fault(ANOTHER, "space-invaders")
def sticky_actions_on(framework: str) -> list[Patch]:
    """One action in four is the one before, where the recipe says that none is."""
    rng, last = np.random.default_rng(4), dict[int, np.ndarray]()

    def send(actions: np.ndarray) -> np.ndarray:
        sticks = rng.random(len(actions)) < 0.25
        last[len(actions)] = np.where(sticks, last.get(len(actions), actions), actions)
        return last[len(actions)]

    return answering(send=send)


@fault(ANOTHER, "space-invaders")
def rewards_of_skipped_frames_lost(framework: str) -> list[Patch]:
    """Of the frames that are skipped the rewards are lost: three of four."""

    def lost(step: Step) -> Step:
        sums = step.obs.reshape(len(step.obs), -1).sum(axis=1, dtype=np.int64)
        return step._replace(reward=np.where(sums % 4 == 0, step.reward, 0.0))

    return answering(lost)


def made_with(**changes: Any) -> list[Patch]:
    """Games with other settings."""

    def make(keep: Any) -> Any:
        return lambda config, *given, **named: keep(dataclasses.replace(config, **changes), *given, **named)

    return [around(envs, "make", make)]


@fault(ANOTHER, "space-invaders")
def frames_skipped_twice(framework: str) -> list[Patch]:
    """A step is eight emulator frames where the recipe says four."""
    return made_with(frame_skip=8)


@fault(ANOTHER, "cartpole-cut")
def time_limit_ignored(framework: str) -> list[Patch]:
    """Episodes are not cut where the recipe says so."""
    return made_with(time_limit=200)
