"""Curves over seeds with their intervals, and what random play scores."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from triptych import envs
from triptych.changes import to_dict
from triptych.envs import EnvConfig
from triptych.files import write_json
from triptych.intervals import bootstrap_mean
from triptych.play import SIDE_BY_SIDE, play_games
from triptych.seeds import game_seeds, generator
from triptych.training import RUNNING

GRID = 200  # points of a curve over several runs
MOST_POINTS = 1_000  # points of one run's curve; more would only cost time
RANDOM_GAMES = 40


def thin(count: int, most: int = MOST_POINTS) -> np.ndarray:
    """Indices of at most `most` of `count` rows, evenly apart, the last one among them."""
    return np.arange(count) if count <= most else np.unique(np.linspace(0, count - 1, most).round().astype(int))


def on_grid(grid: np.ndarray, x: list[float | None], y: list[float | None]) -> np.ndarray:
    """A curve's values at `grid`, None where it has none (outside its own range)."""
    pairs = [(a, b) for a, b in zip(x, y, strict=True) if a is not None and b is not None]
    if not pairs:
        return np.full(len(grid), np.nan)
    known_x, known_y = np.array(pairs).T
    return np.interp(grid, known_x, known_y, left=np.nan, right=np.nan)


def over_seeds(curves: list[tuple[list[float | None], list[float | None]]]) -> dict[str, list[float]] | None:
    """The mean of several runs' curves, with its 95 % bootstrap interval over runs, where all of them have values.

    Returns:
        `x`, `mean`, `low`, `high`; None where the runs share no stretch.
    """
    spans = [[value for value in x if value is not None] for x, _ in curves]
    if len(curves) < 2 or not all(spans):
        return None
    start, end = max(min(span) for span in spans), min(max(span) for span in spans)
    if not start < end:
        return None
    grid = np.linspace(start, end, GRID)
    values = np.array([on_grid(grid, x, y) for x, y in curves])
    there = np.isfinite(values).all(axis=0)
    if not there.any():
        return None
    grid, values = grid[there], values[:, there]
    draws = np.random.default_rng(0).integers(len(values), size=(1_000, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), [0.025, 0.975], axis=0)
    rounded = {"x": grid, "mean": values.mean(axis=0), "low": low, "high": high}
    return {name: [float(f"{value:.6g}") for value in array] for name, array in rounded.items()}


def random_play(config: EnvConfig, keep: Path | None = None, games: int = RANDOM_GAMES) -> dict[str, Any]:
    """What random play scores: mean and interval over whole games, and the band in which a running reward of 100 lies.

    Args:
        keep: a file that remembers it; None: play each time.
    """
    asked = {"env": to_dict(config), "games": games}
    if keep is not None and keep.exists():
        with contextlib.suppress(ValueError, OSError, AttributeError):  # torn: played again
            known = json.loads(keep.read_text(encoding="utf-8"))
            if known.get("asked") == json.loads(json.dumps(asked)):
                return known
    scores = random_scores(config, games)
    mean, low, high = bootstrap_mean([scores])
    # A new mean of 100 games around a mean that is known from `games` only.
    half = 1.96 * float(np.std(scores, ddof=1)) * (1 / RUNNING + 1 / games) ** 0.5
    found = {"asked": asked, "mean": mean, "low": low, "high": high, "band": [mean - half, mean + half], "games": games}
    if keep is not None:
        with contextlib.suppress(OSError):  # a folder that may only be read
            write_json(keep, found)
    return found


class RandomPlay:
    """Plays at random, whatever it sees."""

    def __init__(self, num_actions: int):
        self.rng, self.num_actions = generator(0, "random play"), num_actions

    def predict(
        self, observation: np.ndarray, state: Any = None, episode_start: np.ndarray | None = None
    ) -> tuple[np.ndarray, None]:
        return self.rng.integers(self.num_actions, size=len(observation)), None


def random_scores(config: EnvConfig, count: int) -> list[float]:
    """Raw rewards of `count` randomly played games, each the first of a seed of its own."""
    games = envs.make(config, min(count, SIDE_BY_SIDE), 2)
    played = play_games(RandomPlay(games.num_actions), games, game_seeds(0, "random play", 0, count))
    games.close()
    return [game.reward for game in played]
