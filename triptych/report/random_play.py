"""What random play scores."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Annotated, Any, TypedDict

import numpy as np
from msgspec import Meta

from triptych import envs
from triptych.envs import GameConfig
from triptych.envs.play import SIDE_BY_SIDE, play_games
from triptych.runs.folder import RUNNING
from triptych.spec import first_of
from triptych.utils.checks import InputError
from triptych.utils.files import write_json
from triptych.utils.reading import Count, Finite, read_json
from triptych.utils.seeds import game_seeds, generator
from triptych.utils.statistics import bootstrap_mean

RANDOM_GAMES = 40


def random_play(config: GameConfig, keep: Path | None = None, games: int = RANDOM_GAMES) -> dict[str, Any]:
    """What random play scores: mean and interval over whole games, and the band in which a running reward of 100 lies.

    Args:
        keep: a file that remembers it; None: play each time.
    """
    asked = {"env": envs.as_before(config), "games": games}
    if keep is not None and keep.exists():
        with contextlib.suppress(InputError):  # torn: played again
            known = read_json(keep, Known)
            if known["asked"] == json.loads(json.dumps(asked)):
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


class Known(TypedDict):
    """What is remembered of random play."""

    asked: dict[str, Any]
    mean: Finite
    low: Finite
    high: Finite
    band: Annotated[list[Finite], Meta(min_length=2, max_length=2)]
    games: Count


class RandomPlay:
    """Plays at random, whatever it sees."""

    def __init__(self, num_actions: int):
        self.rng, self.num_actions = generator(0, "random play"), num_actions

    def predict(
        self, observation: Any, state: Any = None, episode_start: np.ndarray | None = None
    ) -> tuple[np.ndarray, None]:
        return self.rng.integers(self.num_actions, size=len(first_of(observation))), None


def random_scores(config: GameConfig, count: int) -> list[float]:
    """Raw rewards of `count` randomly played games, each the first of a seed of its own."""
    games = envs.make(config, min(count, SIDE_BY_SIDE), 2)
    played = play_games(RandomPlay(games.num_actions), games, game_seeds(0, "random play", 0, count))
    games.close()
    return [game.reward for game in played]
