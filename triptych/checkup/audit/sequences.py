"""The audit of a batch of sequences: each is looked up by its observations, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from triptych.checkup.audit import signals
from triptych.checkup.audit.expected import Makes, outcome, same
from triptych.checkup.audit.transitions import candidates, unseen
from triptych.checkup.audit.verdict import Differs, Unknown, number, place, whose
from triptych.checkup.stream import Stream, fingerprints
from triptych.spec import each, first_of

FEW = 50  # candidates that are compared whole


@dataclass(frozen=True)
class Pieces:
    """What the recipe says of sequences."""

    length: int  # steps, burn-in included
    burn_in: int
    stored_state: bool
    makes: Makes

    def shape_of(self, batch: Any) -> Differs | None:
        """Whether the batch has the recipe's lengths."""
        found = len(first_of(batch.obs)), len(batch.action)
        wanted = self.length + self.makes.n_step, self.length - self.burn_in
        if found == wanted:
            return None
        said = "{} observations a sequence, {} of its steps learned from".format
        return Differs(signals.SEQUENCE, said(*found), said(*wanted))


def check_sequences(
    stream: Stream, pieces: Pieces, states: np.ndarray | None, batch: Any, chosen: np.ndarray
) -> Iterator[Differs | Unknown | tuple[int, int]]:
    """Of each chosen sequence what differs, or why nothing can be said, or the row and game where its piece begins (the only one; else -1).

    Args:
        states: [rows, N] fingerprints of the actor's states, by slot of the stream; None: they were not heard.
    """
    if (shape := pieces.shape_of(batch)) is not None:
        yield shape
        return
    prints = fingerprints(each(lambda part: part[:, chosen], batch.obs), 2)  # [T + n, C]
    begun = fingerprints(np.asarray(batch.state)[chosen])
    for column, index in enumerate(chosen.tolist()):
        try:
            yield check_sequence(stream, pieces, states, batch, index, (prints[:, column], begun[column]))
        except Unknown as unknown:
            yield unknown


def check_sequence(
    stream: Stream,
    pieces: Pieces,
    states: np.ndarray | None,
    batch: Any,
    index: int,
    printed: tuple[np.ndarray, np.uint64],
) -> Differs | tuple[int, int]:
    prints, state = printed
    burn = pieces.burn_in
    rows, games = alike(stream, batch, index, prints[burn:], *candidates(stream, prints[burn]))
    if not len(rows):
        return unseen(stream)
    worst: tuple[int, Differs] | None = None
    for row, game in zip(rows[:FEW].tolist(), games.tolist(), strict=False):
        for newest in (stream.count - 2, stream.count - 1):
            if row >= newest:
                continue
            reading = Reading(stream, pieces, batch, index, row, game, newest)
            differs = reading.first(prints) or reading.state_differs(state, states)
            if differs is None:
                return (row, game) if len(rows) == 1 else (-1, -1)
            if worst is None or reading.agreed > worst[0]:
                worst = reading.agreed, differs
    if len(rows) > FEW:
        raise Unknown
    return worst[1] if worst else unseen(stream)


def alike(
    stream: Stream, batch: Any, index: int, prints: np.ndarray, rows: np.ndarray, games: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of the rows and games that show a sequence's first learned step, those that go on like it as long as any does."""
    for ahead in np.flatnonzero(np.asarray(batch.mask)[:, index]).tolist():
        for field, wanted in (("prints", prints[ahead]), ("action", batch.action[ahead, index])):
            goes_on = stream.at(field, np.minimum(rows + ahead, stream.count - 1), games) == wanted
            if goes_on.any():
                rows, games = rows[goes_on], games[goes_on]
    return rows, games


class Reading:
    """One sequence of a batch against the stream from one place on. `row` is of the first step that is learned from."""

    def __init__(self, stream: Stream, pieces: Pieces, batch: Any, index: int, row: int, game: int, newest: int):
        self.stream, self.pieces, self.batch, self.index = stream, pieces, batch, index
        self.row, self.game, self.newest = row, game, newest
        self.agreed = 0  # what was compared and is the same

    def first(self, prints: np.ndarray) -> Differs | None:
        """The first thing that differs, step after step."""
        batch, index, burn, row = self.batch, self.index, self.pieces.burn_in, self.row
        learned = len(batch.action)
        rows = row - burn + np.arange(len(prints))
        game = np.full(len(rows), self.game)
        if rows[0] < self.stream.oldest and self.stream.at("step", np.array(row), np.array(self.game)) >= burn:
            raise Unknown
        held = np.clip(rows, self.stream.oldest, self.stream.count - 1)
        step = self.stream.at("step", held, game)
        own = step[burn]  # of the episode, at the first learned step
        age = own + np.arange(len(rows)) - burn
        inside = (rows == held) & (rows <= self.newest) & (step == age)
        told = outcome(
            self.stream, self.pieces.makes, np.minimum(rows[burn:][:learned], self.newest), game[:learned], self.newest
        )
        mask = told.acted & inside[burn:][:learned]
        wanted = np.where(inside, self.stream.at("prints", held, game), 0)
        for at in range(len(rows)):
            if prints[at] != wanted[at]:
                return self.observation_differs(rows[at], age[at], bool(inside[at]), at)
            if bool(batch.reset[at, index]) != bool(age[at] == 0):
                told_start = "that an episode starts" if batch.reset[at, index] else "that no episode starts"
                return Differs(signals.SEQUENCE, f"told {told_start} {self.where(at)}", "what the games say")
            self.agreed += 1
            if 0 <= at - burn < learned and (differs := self.step_differs(at - burn, told, bool(mask[at - burn]))):
                return differs
        return None

    def where(self, at: int) -> str:
        return f"at step {at} of a sequence ({place(self.stream, self.row, self.game)} where its learning begins)"

    def observation_differs(self, row: int, age: int, inside: bool, at: int) -> Differs:
        wanted = f"what the game showed at step {age} of that episode" if inside else "zeros, outside its episode"
        return Differs(signals.SEQUENCE, f"another observation {self.where(at)}", wanted)

    def step_differs(self, at: int, told: Any, mask: bool) -> Differs | None:
        """Of a step that is learned from."""
        batch, index, where = self.batch, self.index, self.where(at + self.pieces.burn_in)
        row = self.row + at
        if bool(batch.mask[at, index]) != mask:
            if mask:
                return Differs(signals.SEQUENCE, f"a step is left out {where}", "all steps of the piece")
            return Differs(
                signals.UNACTED, f"a step without an action is learned from {where}", "steps that were acted"
            )
        if not mask:
            return None
        action, reward, discount = (float(getattr(batch, name)[at, index]) for name in ("action", "reward", "discount"))
        if action != told.action[at]:
            other = whose(self.stream, "action", action, row, self.game)
            return Differs(signals.ACTION, f"action {int(action)}{other} {where}", f"{told.action[at]}, which was sent")
        if not same(reward, told.reward[at]):
            other = whose(self.stream, "reward", reward, row, self.game)
            return Differs(signals.REWARD, f"reward {number(reward)}{other} {where}", number(told.reward[at]))
        if not same(discount, told.discount[at]):
            return Differs(signals.DISCOUNT, f"discount {number(discount)} {where}", number(told.discount[at]))
        if int(batch.ahead[at, index]) != told.ahead[at]:
            found = f"bootstraps {int(batch.ahead[at, index])} steps ahead {where}"
            return Differs(signals.SEQUENCE, found, f"{told.ahead[at]}")
        self.agreed += 4
        return None

    def state_differs(self, state: np.uint64, states: np.ndarray | None) -> Differs | None:
        """Of the state that the sequence begins with: the actor's there, or zeros."""
        first = self.row - self.pieces.burn_in
        age = int(self.stream.at("step", np.array(self.row), np.array(self.game))) - self.pieces.burn_in
        stored = self.pieces.stored_state and age > 0
        if not stored:
            said = "zeros, as an episode starts" if self.pieces.stored_state else "zeros, as the recipe says"
            return None if state == 0 else Differs(signals.STATE, f"a state that is not zero {self.where(0)}", said)
        if states is None or not states[first % self.stream.rows, self.game]:
            return None  # it was not heard
        if states[first % self.stream.rows, self.game] == state:
            return None
        near = {"the step before": (first - 1, self.game), "the step after": (first + 1, self.game)}
        near |= {f"game {game}": (first, game) for game in range(self.stream.num_envs) if game != self.game}
        found = [name for name, (row, game) in near.items() if states[row % self.stream.rows, game] == state]
        other = f", that of {found[0]}," if found else ", zeros," if not state else ""
        return Differs(signals.STATE, f"another state{other} {self.where(0)}", "the state that the actor had there")
