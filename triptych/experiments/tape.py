"""A game that was played without pictures, kept so that it can be seen: its actions, and what the agent thought of them."""

from __future__ import annotations

import itertools
from contextlib import closing
from dataclasses import dataclass
from typing import NotRequired, TypedDict

import numpy as np

from triptych import envs
from triptych.envs.bars import Decision, spread
from triptych.envs.config import GameConfig
from triptych.envs.play import Game, play_games
from triptych.experiments.load import Source, make_agent
from triptych.training.watched import Watched
from triptych.utils.reading import Finite
from triptych.utils.seeds import game_seeds

SEED = int(game_seeds(0, "film", 0, 1)[0])  # of the game: the same for every run, so that films can be compared
DIGITS = 5  # of a number that is written


@dataclass(frozen=True)
class Tape:
    """All that is needed to see a game again."""

    title: str  # above its pictures
    framework: str
    env: GameConfig
    actions: list[int]
    fps: int  # steps a second
    colour: str | None = None  # of the bar beside the title; None: the framework's
    decisions: tuple[Decision, ...] = ()  # one an action; none: nobody kept them
    seed: int = SEED

    @property
    def full(self) -> float:
        """The spread of Q values that fills a bar: the largest of the game."""
        return max(map(spread, self.decisions), default=0.0)

    def decision(self, step: int) -> Decision | None:
        """What was decided at a picture; at the last one there is nothing left to decide, and the one before stays."""
        return self.decisions[min(step, len(self.decisions) - 1)] if self.decisions else None


class Written(TypedDict):
    """Decisions of a game as JSON has them."""

    numbers: list[list[Finite]]  # [T, A]
    is_policy: bool
    values: NotRequired[list[Finite]]  # [T] of a critic


def write(decisions: tuple[Decision, ...]) -> Written | None:
    """Decisions as plain values; None: there are none, or one is not finite, which nobody could draw."""
    rows = [[short(number) for number in decision.numbers] for decision in decisions]
    values = [short(decision.value) for decision in decisions if decision.value is not None]
    if not rows or not np.isfinite([*itertools.chain(*rows), *values]).all():
        return None
    written = Written(numbers=rows, is_policy=decisions[0].is_policy)
    return written | Written(values=values) if values else written  # type: ignore[typeddict-item, return-value]


def read(written: Written | None, actions: list[int]) -> tuple[Decision, ...]:
    """Decisions again; none where they do not fit the actions."""
    if written is None or len(written["numbers"]) < len(actions):
        return ()
    values: list[float | None] = list(written.get("values", ())) or [None] * len(actions)
    rows = zip(written["numbers"], actions, values, strict=False)
    return tuple(Decision(numbers, action, written["is_policy"], value) for numbers, action, value in rows)


def short(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")


class Recorder:
    """Keeps the actions of the game that `play_games` shows it, and what was thought of them."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self.actions: list[int] = []
        self.decisions: list[Decision] = []
        self.running = True

    def reset(self, seed: int) -> None:
        self.actions, self.decisions, self.running = [], [], True

    def step(self, action: int) -> None:
        if self.running:
            self.actions.append(action)
            if self.watched.decision is not None:
                self.decisions.append(self.watched.decision)

    def stop(self) -> None:
        self.running = False


def play(
    source: Source, seed: int, longest: int, agent_seed: int, policy: str | None = None, epsilon: float = 0.0
) -> tuple[Recorder, Game]:
    """Plays one game with weights and returns what was recorded, and how it ended.

    Args:
        seed: of the game.
        longest: steps after which it is left.
        agent_seed: of what the agent draws.
        policy: see `Agent`; None: as in training.
    """
    with closing(envs.make(source.recipe.env, 1)) as games:
        watched = Watched(make_agent(source, games, policy, epsilon, agent_seed))
        recorder = Recorder(watched)
        (game,) = play_games(watched, games, np.array([seed]), longest=longest, film=recorder)
    return recorder, game
