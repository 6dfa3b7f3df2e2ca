"""What random play scores. It is remembered in the user's cache by game, never beside the runs, which may be only read."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypedDict

import numpy as np
from msgspec import Meta

from triptych import envs
from triptych.envs import GameConfig
from triptych.envs.play import SIDE_BY_SIDE, play_games
from triptych.envs.registry import find
from triptych.runs.folder import RUNNING
from triptych.spec import first_of
from triptych.utils import machine
from triptych.utils.checks import InputError
from triptych.utils.console import say
from triptych.utils.files import cache_folder, write_json
from triptych.utils.reading import Count, Finite, read_json
from triptych.utils.seeds import game_seeds, generator
from triptych.utils.statistics import bootstrap_mean

RANDOM_GAMES = 40


def random_play(
    config: GameConfig, keep: Path | None = None, games: int = RANDOM_GAMES, known: Sequence[Path] = ()
) -> dict[str, Any]:
    """What random play scores: mean and interval over whole games, and the band in which a running reward of 100 lies.

    Args:
        keep: a file that remembers it (see `cached`); None: play each time.
        known: files of earlier versions that may remember it too, only read.
    """
    asked = {"env": envs.as_before(config), "games": games}
    for file in (*known, *([keep] if keep else [])):
        found = remembered(file, asked)
        if found is not None:
            return found
    say(f"playing {games} random games of {config.id}, to see what chance scores ...")
    scores = random_scores(config, games)
    mean, low, high = bootstrap_mean([scores])
    # A new mean of 100 games around a mean that is known from `games` only.
    half = 1.96 * float(np.std(scores, ddof=1)) * (1 / RUNNING + 1 / games) ** 0.5
    found = {"asked": asked, "mean": mean, "low": low, "high": high, "band": [mean - half, mean + half], "games": games}
    if keep is not None:
        with contextlib.suppress(OSError):  # a home that may only be read
            keep.parent.mkdir(parents=True, exist_ok=True)
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


def remembered(file: Path, asked: dict[str, Any]) -> dict[str, Any] | None:
    """What a file remembers of the game that is asked for; None: nothing, or it is torn or not what we wrote."""
    if not file.exists():
        return None
    with contextlib.suppress(InputError):
        found = read_json(file, Known)
        if found["asked"] == json.loads(json.dumps(asked)):
            return found
    return None


def cached(config: GameConfig, games: int = RANDOM_GAMES) -> Path | None:
    """The file that remembers a game's random play, named by its settings, the packages' versions and its own source; None: no place."""
    folder = cache_folder()
    if folder is None:
        return None
    told = [envs.as_before(config), games, machine.versions(), source_digest(config)]
    name = hashlib.sha256(json.dumps(told, sort_keys=True, default=repr).encode()).hexdigest()[:24]
    return folder / "random" / f"{name}.json"


def source_digest(config: GameConfig) -> str:
    """What the file of a game's class is now: a user's own game changes under the same id. Empty where it has no file."""
    with contextlib.suppress(InputError, ImportError, AttributeError, OSError, ValueError):
        made_by = find(config.id).entry_point
        module = made_by.split(":")[0] if isinstance(made_by, str) else made_by.__module__
        spec = importlib.util.find_spec(module)
        if spec is not None and spec.origin is not None:
            return hashlib.sha256(Path(spec.origin).read_bytes()).hexdigest()
    return ""


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
