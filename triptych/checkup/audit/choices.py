"""The audit of what was chosen, and of what was counted: greedy actions, and the scores of episodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from triptych.checkup.audit import signals
from triptych.checkup.audit.acting import Acting
from triptych.checkup.audit.expected import epsilon_at
from triptych.checkup.audit.verdict import Differs
from triptych.checkup.stream import Stream
from triptych.training.counting import Episode

OFTEN = 4  # steps


class Choices:
    """How many actions have the largest value, or are the policy's likeliest, beside how many should."""

    def __init__(self, values: bool):
        self.values = values  # the network gives values; else a policy
        self.largest = 0  # actions
        self.hoped, self.spread = 0.0, 0.0  # how many should be, and the variance of that
        self.looks = 0  # steps that were looked at
        self.elsewhere = 0  # of them, at which the network was asked about something else

    def see(self, run: Any, acting: Acting, actions: np.ndarray) -> None:
        """The actions [N] that are sent now, where the network was asked for them."""
        steps, recipe, config = run.counters.steps, run.recipe, run.recipe.algorithm
        taught = bool(recipe.teacher) and steps < recipe.teacher_plays + recipe.num_envs * acting.stream.rows
        if taught or (self.values and not hasattr(config, "epsilon")) or acting.call is None:
            return
        self.looks += 1
        if not acting.is_of_now():
            self.elsewhere += 1
            return
        found = np.asarray(acting.call[1][0], np.float64)
        values = found if self.values else found[:, :-1]
        largest = values >= values.max(axis=1, keepdims=True)
        if self.values:
            epsilon = epsilon_at(config, steps)
            chance = 1 - epsilon + epsilon * largest.mean(axis=1)
        else:
            odds = np.exp(values - values.max(axis=1, keepdims=True))
            chance = (odds * largest).sum(axis=1) / odds.sum(axis=1)
        self.largest += int(largest[np.arange(len(actions)), actions].sum())
        self.hoped += float(chance.sum())
        self.spread += float((chance * (1 - chance)).sum())

    def judge(self) -> Iterator[Differs]:
        """Farther from what chance allows than it goes once in 10^7 times (Bernstein's bound); without chance, one is too many."""
        if self.elsewhere > OFTEN and self.elsewhere > 0.5 * self.looks:
            told = f"in {self.elsewhere:,} of {self.looks:,} steps looked at it was asked about something else"
            yield Differs(signals.ELSEWHERE, told, "what the games show, at each step")
        apart = self.hoped - self.largest if self.values else abs(self.hoped - self.largest)
        if apart > 0.5 + (6 * self.spread**0.5 + 12) * (self.spread > 0):
            what = "the largest value" if self.values else "the largest probability"
            measured = f"{self.largest:,} of the actions looked at have {what}"
            yield Differs(signals.GREEDY, measured, f"about {self.hoped:,.0f}")


def check_episode(stream: Stream, episode: Episode, place: int = 0) -> Iterator[Differs]:
    """What was logged of an episode that has just ended, against the stream's own sums.

    Args:
        place: how many episodes of the same step were logged before it: they are told in the order of the games.
    """
    stream.settle()
    row = stream.count - 2
    sums = []
    for game in np.flatnonzero(stream.at("terminated", row, ...) | stream.at("truncated", row, ...)):
        begun = row - int(stream.at("step", row, game))
        if begun < stream.oldest:
            return
        total = float(stream.at("reward", np.arange(begun, row + 1), game).sum())
        sums.append((total, row + 1 - begun))
    total, length = sums[place] if place < len(sums) else (float("nan"), 0)
    if length != episode.length or abs(total - episode.reward) > 1e-6 * max(1, abs(total)):
        measured = f"episode {episode.number} is logged with reward {episode.reward:g} and {episode.length} steps"
        yield Differs(signals.SCORES, measured, f"{total:g} and {length}" if length else "no episode that ends here")
