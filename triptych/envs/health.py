"""Whether an environment can be learned from: what random play shows of it. "Not all environments are free of bugs." """

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from triptych.envs.config import GameConfig
from triptych.envs.games import Games
from triptych.envs.making import make
from triptych.spec import parts_of

SIDE_BY_SIDE = 4  # games that are played at once
SHORT = 60  # steps in which two plays of a seed, or of two seeds, are compared
LONG = 3_000  # steps of a game in which an episode should end


@dataclass(frozen=True)
class Health:
    """What was seen of an environment under random play."""

    observation: str  # its parts and their shapes
    actions: int
    saves: bool  # whether a checkpoint goes on in the middle of an episode
    rewards: list[float]  # of the episodes that ended
    lengths: list[int]  # steps of each
    rate: float  # steps a second, of the games together
    findings: list[str] = field(default_factory=list)  # what is wrong, a line each


def examine(config: GameConfig, episodes: int = 20, steps: int = LONG) -> Health:
    """Plays at random, several games at once, until so many episodes have ended, as many of each game, for so many steps a game at most.

    Args:
        episodes: of all games together; a number that they do not share evenly is made larger.

    Raises:
        InputError: it cannot be made.
        EnvironmentFailed: it raised.
    """
    games = make(config, SIDE_BY_SIDE)
    try:
        findings = list(seeded(games))
        found, told = played(games, episodes, steps)
        findings += told
    finally:
        games.close()
    return Health(str(games.observation).strip(), games.num_actions, games.saves, *found, findings)


def seeded(games: Games) -> Iterator[str]:
    """Whether the seed decides, it alone, and differently for each game."""
    seeds = np.arange(games.num_envs)
    first, again, other = (traced(games, chosen) for chosen in (seeds, seeds, seeds + 1_000))
    if any(not np.array_equal(one, two) for one, two in zip(first, again, strict=True)):
        yield "its reset does not obey its seed: the same seed and actions gave another course"
    elif all(np.array_equal(one, two) for one, two in zip(first, other, strict=True)):
        yield f"its seed changes nothing in {SHORT} steps: every episode begins and goes on alike"
    elif all((part == part[:1]).all() for part in first):
        yield "games side by side are identical, though their seeds are not"


def traced(games: Games, seeds: np.ndarray) -> list[np.ndarray]:
    """Observations and rewards under the same actions for all games, drawn from one seed."""
    rng = np.random.default_rng(0)
    seen = [part.copy() for part in parts_of(games.reset(seeds)).values()]
    for action in rng.integers(games.num_actions, size=SHORT):
        games.send(np.full(games.num_envs, action))
        step = games.recv()
        seen += [*(part.copy() for part in parts_of(step.obs).values()), step.reward]
    return seen


def played(games: Games, episodes: int, steps: int) -> tuple[tuple[list[float], list[int], float], list[str]]:
    """Rewards, lengths and steps a second of random play, and what was wrong with it.

    Each game plays as many episodes as the others, as the first ones to end of all games are the short ones.
    """
    rng = np.random.default_rng(1)
    rewards: list[float] = []
    lengths: list[int] = []
    wanted, counted = -(-episodes // games.num_envs), np.zeros(games.num_envs, np.int64)
    total, length = np.zeros(games.num_envs), np.zeros(games.num_envs, np.int64)
    ended, pays, broken = np.zeros(games.num_envs, bool), False, ""
    before = newest(games, games.reset(7_000 + np.arange(games.num_envs)))
    still = list(before)  # the parts that have not changed yet
    begun, done = time.perf_counter(), 0
    while counted.min() < wanted and done < steps:
        games.send(rng.integers(games.num_actions, size=games.num_envs))
        step, done = games.recv(), done + 1
        now = newest(games, step.obs)
        still = [name for name in still if np.array_equal(now[name], before[name])]
        pays, broken = pays or bool(step.reward.any()), broken or "".join(step.trouble[:1])
        total += step.reward
        length += ~ended
        before, ended = now, step.terminated | step.truncated
        for game in np.flatnonzero(ended & (counted < wanted)):
            rewards.append(float(total[game]))
            lengths.append(int(length[game]))
        counted += ended
        total[ended], length[ended] = 0, 0
    rate = done * games.num_envs / (time.perf_counter() - begun)
    findings = [f"not one of {done:,} observations differs from the one before{of_part(name)}" for name in still]
    if not rewards:
        findings.append(f"no episode of {games.num_envs} games ended within {done:,} steps: --env.time-limit ends them")
    if not pays:
        findings.append(f"no reward but 0 in {done * games.num_envs:,} steps of random play")
    return (rewards, lengths, rate), findings + ([broken] if broken else [])


def newest(games: Games, obs: Any) -> dict[str, np.ndarray]:
    """The parts of observations [N, ...], of stacked pictures the newest: the stack changes while it fills."""
    parts = games.observation.parts
    return {name: (part[:, -1] if parts[name].is_picture else part).copy() for name, part in parts_of(obs).items()}


def of_part(name: str) -> str:
    return f" in its part {name!r}" if name else ""
