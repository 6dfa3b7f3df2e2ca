"""Playing whole games with fixed weights: exactly N, each the first one of a seed of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np

from triptych.envs.games import Games
from triptych.utils.console import counted, warn

LONGEST = 27_000  # steps after which a game that does not end is counted as it stands (Atari: half an hour)
SIDE_BY_SIDE = 20  # games at once; where actions are drawn, this many share a generator, so it is part of a test


class Game(NamedTuple):
    """One whole game."""

    reward: float  # sum of raw rewards
    length: int  # steps
    cut: bool = False  # it did not end, and is counted as it stood after the longest time


class Score(NamedTuple):
    """The mean of some games with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float
    games: int
    length: float  # mean steps of a game


def different_games(policy: str, sticky: float | None, flicker: float, rewards: list[float], lengths: list[int]) -> int:
    """How many of some games differ, where nothing but the idle frames at the start tells one from another; else all."""
    fixed = (policy, sticky, flicker) == ("greedy", 0, 0)
    return len(set(zip(rewards, lengths, strict=True))) if fixed else len(rewards)


class Player(Protocol):
    """What chooses the actions [N] at observations [N, ...], as `Agent` does."""

    def predict(
        self, observation: Any, state: Any = None, episode_start: np.ndarray | None = None
    ) -> tuple[np.ndarray, Any]: ...


class Camera(Protocol):
    """What follows the first game, as `videos.Film` does."""

    def reset(self, seed: int) -> None: ...

    def step(self, action: int) -> None: ...

    def stop(self) -> None: ...


def play_games(
    agent: Player,
    games: Games,
    seeds: np.ndarray,
    report: Callable[[int], None] | None = None,
    *,
    longest: int = LONGEST,
    film: Camera | None = None,
) -> list[Game]:
    """Plays one game per seed, as many side by side as `games` has, and returns them in the order of the seeds.

    Args:
        report: called with the number of games that have ended, as they end.
        longest: steps after which a game is counted as it stands.
        film: follows the first seed's game.
    """
    played: list[Game] = []
    troubles: list[str] = []
    for start in range(0, len(seeds), games.num_envs):
        batch = seeds[start : start + games.num_envs]
        # Places without a seed of their own play along uncounted: one batch shape is compiled.
        filled = np.concatenate([batch, np.full(games.num_envs - len(batch), batch[-1])])
        ended = partial(report_from, report, start)
        played += play_batch(agent, games, filled, len(batch), ended, longest, None if start else film, troubles)
    if troubles:
        others = f", and {counted(len(troubles) - 1, 'more such number')} in these games" if len(troubles) > 1 else ""
        warn(f"{troubles[0]}{others}: counted as 0 in a score, and the observation before stands in")
    return played


def report_from(report: Callable[[int], None] | None, before: int, ended: int) -> None:
    if report is not None:
        report(before + ended)


def play_batch(
    agent: Player,
    games: Games,
    seeds: np.ndarray,
    wanted: int,
    report: Callable[[int], None],
    longest: int,
    film: Camera | None,
    troubles: list[str],
) -> list[Game]:
    """The first game of each seed; the first `wanted` of them count. Numbers that were not finite are added to `troubles`."""
    obs = games.reset(seeds)
    if film is not None:
        film.reset(int(seeds[0]))
    rewards, lengths = np.zeros(games.num_envs), np.zeros(games.num_envs, np.int64)
    playing, cut = np.arange(games.num_envs) < wanted, np.zeros(games.num_envs, bool)
    state, starts = None, np.ones(games.num_envs, bool)
    while playing.any():
        actions, state = agent.predict(obs, state, starts)
        games.send(actions)
        if film is not None:
            film.step(int(actions[0]))
        step = games.recv()
        rewards += step.reward * playing
        lengths += playing
        troubles.extend(step.trouble)
        itself = step.terminated | step.truncated
        cut |= playing & ~itself & (lengths >= longest)
        ended = playing & (itself | cut)
        playing &= ~ended
        if film is not None and ended[0]:
            film.stop()
        # As in training, memory begins anew behind numbers that were not finite. A second game of a place counts for nothing.
        obs, starts = step.obs, np.zeros(games.num_envs, bool) if step.broken is None else step.broken
        if ended.any():
            report(wanted - int(playing.sum()))
    return [Game(float(rewards[game]), int(lengths[game]), bool(cut[game])) for game in range(wanted)]


def cut_games(played: list[Game], longest: int) -> str:
    """How many games were cut, and where, in words; '' where all have ended."""
    cut = sum(game.cut for game in played)
    if not cut:
        return ""
    counts = "was cut and counts as it stood" if cut == 1 else "were cut and count as they stood"
    hint = "train with --env.time-limit STEPS where a game has no end"
    return f"{cut} of {counted(len(played), 'game')} did not end within {longest:,} steps: {counts}; {hint}"
