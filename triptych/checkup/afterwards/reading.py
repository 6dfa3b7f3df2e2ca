"""What of a log was read, and of what nothing can be said."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from triptych.checkup.afterwards.curves import FEWEST, Curve, array
from triptych.report.logs import Columns, Log
from triptych.report.logs.columns import OURS

CURVES = (
    "episode_reward",
    "loss",
    "gradient_norm",
    "epsilon",
    "entropy",
    "episode_length",
    "seconds",
)  # judged in windows
WANTED = ("steps", "episode_reward", "loss")  # what a log should have


def what_was_read(log: Log) -> Iterator[str]:
    """Sentences: the rows of each part, its columns and what they are called in the file, and which curves are too short."""
    for part in log.parts:
        if part:
            yield columns_read(part, log)
    yield from log.notes
    lacks = [name for name in WANTED if not len(Curve(log, name))]
    if lacks:
        yield f"no numbers of {' or '.join(lacks)}: nothing is told of {'it' if len(lacks) == 1 else 'them'}"
    short = {name: len(Curve(log, name)) for name in CURVES}
    told = [f"{name} has {count:,}" for name, count in short.items() if 0 < count < FEWEST]
    if told:
        yield f"curves are judged from {FEWEST} rows on, so these were not: {', '.join(told)}"


def columns_read(part: Columns, log: Log) -> str:
    rows = len(next(iter(part.values())))
    told = []
    for name in (name for name in OURS if name in part):
        theirs, count = log.theirs.get(name, ""), int(np.isfinite(array(part[name])).sum())
        if not count or (log.theirs and not theirs):  # a column without a number, or one made of the others
            continue
        said = [f"column {theirs}"] if theirs and theirs != name else []
        said += [f"a number in {count:,} of them"] if count < rows else []
        told.append(name + (f" ({', '.join(said)})" if said else ""))
    return f"{rows:,} rows read: {', '.join(told) or 'no column that is known'}"
