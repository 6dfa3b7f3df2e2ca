"""The loop of play and learning: a generator of steps. Limits, logs and checkpoints stand around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from triptych.envs import Step
from triptych.training.base import Choice, Episode, Training


class Tick(NamedTuple):
    """What one iteration did: a step of every game (of one worker's, where there are several), and the updates it earned."""

    choice: Choice  # what was done, and why
    step: Step  # what the games returned
    mask: np.ndarray  # [N] bool, False where the game only restarted
    episodes: list[Episode]  # that ended, in the order of the games
    updates: list[dict[str, Any]]  # their scalars, on the device

    @property
    def actions(self) -> np.ndarray:
        """[N]"""
        return self.choice.actions

    @property
    def epsilon(self) -> float:
        """The share of actions by chance."""
        return self.choice.epsilon


def run_loop(training: Training) -> Iterator[Tick]:
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
