"""The loop of play and learning: a generator of steps. Limits, logs and checkpoints stand around it."""

from __future__ import annotations

from collections.abc import Iterator

from triptych.training.base import Training
from triptych.training.counting import Tick as Tick


def run_loop(training: Training) -> Iterator[Tick]:
    """Plays and learns for ever: sends the actions, learns while the games play, receives. Yields after each step."""
    elsewhere = training.ticks()
    if elsewhere is not None:
        yield from elsewhere
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
