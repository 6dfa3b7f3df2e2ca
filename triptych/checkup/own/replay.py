"""The audit of a user's replay: a small known stream is put in, and every sample that comes out is looked up in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from triptych.checkup.audit import signals as audited
from triptych.checkup.audit.draws import QUARTERS, missing
from triptych.checkup.audit.verdict import Differs
from triptych.checkup.findings import Finding
from triptych.checkup.looks import NotSeen
from triptych.checkup.own import signals
from triptych.checkup.own.filling import Filling, longest, stages, unscaled
from triptych.checkup.own.made import told_apart
from triptych.checkup.own.memory.probes import APART
from triptych.checkup.own.memory.protocol import Recurrent
from triptych.checkup.own.protocol import Own
from triptych.checkup.stream import fingerprints

DRAWN, OFTEN, ENOUGH = 1_200, 4, 8_000  # samples at least, for each step that is kept, and at most
# A quarter has one of so many pieces at least, as they are of unequal length and drawn by piece or by episode.
AT_LEAST = 8


@dataclass
class Draws:
    """What came out of a replay after so many steps."""

    steps: int
    places: list[int] = field(default_factory=list)  # rows of the record: of each step, or of each piece the first one
    samples: int = 0  # of which the places of some may not be known
    drawn: int = 0  # steps
    rows: set[int] = field(default_factory=set)  # of all of them
    largest: int = 0  # steps of a batch


def replay(own: Own) -> Iterator[Finding]:
    """The first sample that is not as it was put in; and whether all that is kept comes out, before and after the replay is full."""
    steps, full = stages(own)
    filling, found = Filling(own, steps[-1]), list[Draws]()
    for put in steps:
        filling.put(put)
        draws = Draws(put)
        found.append(draws)
        while draws.drawn < wanted(own, put):
            differs = (
                look_up_pieces(own, filling, draws) if isinstance(own, Recurrent) else look_up(own, filling, draws)
            )
            if differs is not None:
                yield differs
                return
    kept = found[-1].steps - int(filling.steps_of(sorted(found[-1].rows) or filling.rows[-1:])[0])
    if not told_apart(own):
        raise NotSeen("observations are too few to tell samples apart; that each is of a step that was put in was seen")
    few = list(uneven(own, filling, found, kept))
    yield from few[:1]
    if not few and not full:
        yield Finding(signals.NOT_FULL, not_full(own, found[-1].steps, kept))


def fed(one: Differs) -> Finding:
    """What differs, as a finding."""
    return Finding(signals.in_own(one.signal, "the replay"), f"in the replay: {one.measured}", one.expected)


def wanted(own: Own, put: int) -> int:
    """How many steps are drawn."""
    return min(ENOUGH, max(DRAWN, OFTEN * min(put, own.settings["replay_size"] or put)))


def look_up(own: Own, filling: Filling, draws: Draws) -> Finding | None:
    """One batch of transitions."""
    batch = own.sample()
    draws.drawn += max(1, len(batch.obs))
    draws.samples, draws.largest = draws.drawn, max(draws.largest, len(batch.obs))
    for one in filling.record.judge(own, batch):
        if isinstance(one, Differs):
            return fed(one)
        if one[0] >= 0:
            draws.places.append(one[0])
            draws.rows.add(one[0])
    return None


def look_up_pieces(own: Recurrent, filling: Filling, draws: Draws) -> Finding | None:
    """One batch of pieces."""
    batch, record = own.sample(), filling.record
    mask = np.asarray(batch.mask) > 0
    if (told := gaps(mask)) is not None:
        return fed(told)
    draws.drawn += max(1, int(mask.sum()))
    draws.samples, draws.largest = draws.samples + len(mask), max(draws.largest, int(mask.sum()))
    for one in record.judge(own, own.steps_of(batch)):
        if isinstance(one, Differs):
            return fed(one)
        if one[0] >= 0:
            draws.rows.add(one[0])
    starts = [record.stream.find(print_)[0] for print_ in fingerprints(unscaled(own, batch.obs[:, 0]))]
    draws.places += [int(rows[0]) for rows in starts if len(rows)]
    stored = own.settings["stored_state"] and told_apart(own)
    return state_differs(own, record, batch, starts) if stored else None


def uneven(own: Own, filling: Filling, found: list[Draws], kept: int) -> Iterator[Finding]:
    """A part of what is kept from which too few samples came for chance.

    Args:
        kept: steps from the oldest one that came out at the end to the newest. Where no setting says how many a replay keeps, it
            keeps that many; then all of them must come out when it holds fewer, too.
    """
    last, size = found[-1], own.settings["replay_size"]
    pieces = isinstance(own, Recurrent)
    if size is None and len(last.rows) <= last.largest:
        held = f"{len(last.rows)} different steps in {last.drawn:,} draws, after {last.steps:,} steps"
        yield Finding(signals.DRAWS, held, f"more than the {last.largest} of a batch")
    for draws in found:
        holds = min(draws.steps, kept if size is None or pieces else size)
        places, oldest = filling.steps_of(draws.places), draws.steps - holds
        if len(places) and 0 < places.min() - oldest <= longest(own):
            oldest = int(places.min())  # a replay may forget by episode
        span = draws.steps - oldest - (int(own.settings["n_step"]) - 1)  # the last steps are no whole returns yet
        parts = np.clip(4 * (places - oldest) // max(1, span), 0, 3)
        shares = filling.shares(oldest, oldest + span, 4 * np.arange(span) // span) if span >= 4 else np.zeros(4)
        for part, name in enumerate(QUARTERS) if span >= 4 else ():
            count = int((parts == part).sum())
            most = count + draws.samples - len(places)  # a sample whose place is not known may be of any
            where = f"the {name} quarter of the {holds:,} steps that it keeps"
            for one in missing(count, most, draws.samples, AT_LEAST if pieces else 1 / shares[part], where):
                yield Finding(signals.DRAWS, f"{one.measured}, after {draws.steps:,} steps", one.expected)
        if len(draws.rows) < hoped(holds, draws.drawn) / 2:
            told = f"{len(draws.rows)} different steps in {draws.drawn:,} draws, after {draws.steps:,} steps"
            yield Finding(signals.DRAWS, told, f"about {hoped(holds, draws.drawn):.0f} of {holds}")


def not_full(own: Own, steps: int, kept: int) -> str:
    """Why it was not looked at what a full replay gives."""
    size = own.settings["replay_size"]
    if size is None and steps - kept > longest(own):
        return f"the replay keeps about {kept:,} steps, as its samples say; the setting replay_size says how many it should keep"
    overwritten = "what comes out once its oldest steps are overwritten was not looked at"
    if size is None:
        return f"the replay was not full after {steps:,} steps: {overwritten}. The setting replay_size says how many it keeps"
    filled = f"only {steps:,} steps were put in, as so large a one is not filled here"
    return f"the replay of {size:,} steps was not filled, {filled}: {overwritten}. A smaller replay_size in the agent's settings, with a replay of that size, shows it"


def hoped(held: int, drawn: int) -> float:
    """How many different steps come of so many draws from those that are held."""
    return held * (1 - (1 - 1 / held) ** drawn)


def gaps(mask: np.ndarray) -> Differs | None:
    """A mask whose steps do not stand together at the beginning."""
    if not mask.any(axis=1).all():
        return Differs(audited.SEQUENCE, "a piece without a step: its mask is 0 everywhere", "at least one step")
    if (np.diff(mask.astype(int), axis=1) > 0).any():
        return Differs(audited.SEQUENCE, "a mask that is 0 before it is 1", "the steps first, the padding behind them")
    return None


def state_differs(own: Recurrent, record: Any, batch: Any, starts: list[np.ndarray]) -> Finding | None:
    """Whether the network says of each first observation, with the piece's state, what it said there when it was played."""
    found, _ = own.step(batch.obs[:, 0], batch.state)
    empty, _ = own.step(batch.obs[:, 0], own.begin(len(batch.obs)))
    size = max(1e-6, float(np.abs(found).max()))
    for index, rows in enumerate(starts):
        if not len(rows):
            continue
        row = int(rows[0])
        apart = float(np.abs(found[index] - record.said[row]).max())
        if apart <= APART * size:
            continue
        like = f"{apart:.3g} apart from then"
        if np.abs(found[index] - empty[index]).max() <= APART * size:
            like = "as with an empty memory"
        step = int(record.stream.at("step", row, 0))
        measured = f"the state of a piece that begins at step {step} of its episode is not the one before that step: with it the network answers {like}"
        return Finding(audited.STATE, measured, "the state that was stored with that step")
    return None
