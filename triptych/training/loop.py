"""The loop of play and learning: a generator of steps. Limits, logs and checkpoints stand around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from triptych.envs import Games, Step
from triptych.training.counting import Choice, Episode
from triptych.training.counting import Tick as Tick


class Player(Protocol):
    """Games, and which of them have ended."""

    games: Games
    ended: np.ndarray  # [N]


class InStep(Protocol):
    """What plays games in step: see `training.playing.Playing`."""

    @property
    def player(self) -> Player: ...

    def select_actions(self) -> Choice: ...

    def update_while_playing(self) -> list[dict[str, Any]]: ...

    def observe(self, choice: Choice, step: Step, mask: np.ndarray) -> None: ...

    def advance(self, choice: Choice, step: Step, mask: np.ndarray) -> list[Episode]: ...

    def update_after_step(self) -> list[dict[str, Any]]: ...


def run_loop(training: InStep) -> Iterator[Tick]:
    """Plays and learns for ever: sends the actions, learns while the games play, receives. Yields after each step."""
    while True:
        player = training.player
        mask = ~player.ended
        choice = training.select_actions()
        player.games.send(choice.actions)
        updates = training.update_while_playing()
        step = player.games.recv()
        training.observe(choice, step, mask if step.broken is None else mask & ~step.broken)
        episodes = training.advance(choice, step, mask)
        updates += training.update_after_step()
        yield Tick(choice, step, mask, episodes, updates)
