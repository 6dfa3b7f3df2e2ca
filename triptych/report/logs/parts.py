"""From a file's arrays to a run's log: columns that hold something, in the order of their counter, with a mean of 100."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from triptych.report.logs.ends import Back, End
from triptych.report.logs.log import AXES, COUNTERS, HIGH, LOW, Arrays, Log, columns_of
from triptych.utils.checks import InputError

WINDOW = 100  # episodes of the running reward
NEAR = 0.02  # of a counter's range: what begins there begins anew
FALLS = 0.05  # of its rows, at most, at which a counter goes back; else they are shuffled
DENSE = 0.5  # as many values as the fullest column, at least, has one that stays beside it
LEADS = ("running_reward", "mean_reward", "episode_reward", "evaluation_mean")  # what a first screen shows, best first


@dataclass
class Found:
    """One run as it stands in a file, its columns in our words already."""

    name: str
    parts: Sequence[Arrays]
    episodes: bool = False  # whether each reward is one episode's, none left out
    played: str = ""
    notes: list[str] = field(default_factory=list)
    theirs: Mapping[str, str] = field(default_factory=dict)  # what the file calls our columns, where that is known
    ends: tuple[End, ...] = ()  # losses that end before its rows do


def as_log(found: Found) -> Log:
    """A run's log. Its first part is the one whose reward a first screen shows.

    Raises:
        InputError: there is no number in it.
    """
    notes = list(found.notes)
    parts = []
    for part in (useful(piece) for whole in found.parts if whole for piece in apart(whole)):
        if part and unordered(part):
            part = in_order(part)
            notes.append(f"{found.name}: its rows were not in the order of their {counter_of(part)}, and are sorted")
        if part:
            parts.append(with_axis(with_running(part) if found.episodes else part))
    if not parts:
        raise InputError(f"{found.name} holds no number but counters; allowed: a log with at least one result")
    first, *more = sorted(parts, key=rank)
    return Log(
        name=found.name,
        columns=columns_of(first),
        more=tuple(columns_of(part) for part in more),
        played=found.played,
        notes=tuple(notes),
        theirs=found.theirs,
        back=next((back for whole in found.parts if whole and (back := fall(whole))), None),
        ends=found.ends,
    )


def as_logs(found: Sequence[Found]) -> list[Log]:
    """The logs of runs of which some may hold nothing, as where a chart was exported before it began.

    Raises:
        InputError: there is no number in any.
    """
    logs: list[Log] = []
    failures = []
    for one in found:
        try:
            logs.append(as_log(one))
        except InputError as error:
            failures.append(error)
    if failures and not logs:
        raise failures[0]
    return logs


def rank(part: Arrays) -> int:
    return next((place for place, name in enumerate(LEADS) if name in part), len(LEADS))


def useful(part: Arrays) -> dict[str, np.ndarray]:
    """The columns that hold a number; none where there is nothing but counters."""
    found = {name: values for name, values in part.items() if np.isfinite(values).any()}
    return found if set(found) - set(COUNTERS) else {}


def counter_of(part: Arrays) -> str | None:
    return next((name for name in COUNTERS if name in part), None)


def unordered(part: Arrays) -> bool:
    name = counter_of(part)
    if name is None:
        return False
    known = part[name][np.isfinite(part[name])]
    return bool((np.diff(known) < 0).any())


def fall(part: Arrays) -> Back | None:
    """Where the counter of a part first goes back; None: nowhere, or so often that its rows stand in no order at all."""
    name = counter_of(part)
    if name is None:
        return None
    known = np.flatnonzero(np.isfinite(part[name]))
    values = part[name][known]
    falls = np.flatnonzero(np.diff(values) < 0)
    if not len(falls) or len(falls) > max(1, FALLS * len(values)):
        return None
    first = int(falls[0])
    return Back(name, float(values[first]), float(values[first + 1]), int(known[first + 1]) + 1)


def in_order(part: Arrays) -> dict[str, np.ndarray]:
    """The rows by their counter, those of equal count as they stood; rows without a count come last."""
    name = counter_of(part)
    assert name is not None
    order = np.argsort(part[name], kind="stable")
    return {column: values[order] for column, values in part.items()}


def with_axis(part: Arrays) -> dict[str, np.ndarray]:
    """A part that counts nothing is drawn by its rows."""
    length = len(next(iter(part.values())))
    rows = {} if set(part) & set(AXES) else {"row": np.arange(1.0, length + 1)}
    return {**part, **rows}


def with_running(part: Arrays) -> dict[str, np.ndarray]:
    """Adds the mean and the highest reward of the last 100 episodes to a row an episode."""
    if "episode_reward" not in part or "running_reward" in part:
        return dict(part)
    rewards = part["episode_reward"]
    there = np.isfinite(rewards)
    means, highs = np.full(len(rewards), np.nan), np.full(len(rewards), np.nan)
    means[there], highs[there] = rolling(rewards[there])
    means[~np.isfinite(means)] = np.nan  # a sum above what a float holds
    return {**part, "running_reward": means, "max_reward": highs}


def rolling(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean and the highest of the last 100 values at each of them; of all so far where there are fewer."""
    head = values[: WINDOW - 1]
    with np.errstate(over="ignore"):
        means, highs = np.cumsum(head) / np.arange(1, len(head) + 1), np.maximum.accumulate(head)
        if len(values) >= WINDOW:
            windows = np.lib.stride_tricks.sliding_window_view(values, WINDOW)
            means, highs = np.append(means, windows.mean(axis=1)), np.append(highs, windows.max(axis=1))
    return means, highs


def apart(part: Arrays) -> list[Arrays]:
    """Columns that have a value in few of the rows as parts of their own, without gaps: so they keep their points when thinned."""
    counters = {name: values for name, values in part.items() if name in COUNTERS}
    there = {
        name: np.isfinite(part.get(name.removesuffix(LOW).removesuffix(HIGH), values))
        for name, values in part.items()
        if name not in COUNTERS
    }
    enough = DENSE * max((known.sum() for known in there.values()), default=0)
    dense = counters | {name: part[name] for name, known in there.items() if known.sum() >= enough}
    sparse: dict[bytes, list[str]] = {}
    for name in (name for name in there if name not in dense):
        sparse.setdefault(there[name].tobytes(), []).append(name)
    alone = [(np.frombuffer(mask, bool), names) for mask, names in sparse.items()]
    return [dense, *({name: part[name][rows] for name in (*counters, *names)} for rows, names in alone)]


def segments(values: np.ndarray) -> list[slice] | None:
    """The stretches of a counter that starts over at its beginning: several runs in one file. None: it does not."""
    drops = np.flatnonzero(np.diff(values) < 0) + 1
    if not len(drops) or len(drops) > 100 or not np.isfinite(values).all():
        return None
    bounds = [0, *drops.tolist(), len(values)]
    found = [slice(start, end) for start, end in itertools.pairwise(bounds)]
    beginning = values[0] + NEAR * (values.max() - values.min())
    again = all(values[one.start] <= beginning and one.stop - one.start > 1 for one in found)
    return found if again else None


def joined(parts: Sequence[Arrays]) -> dict[str, np.ndarray]:
    """Several files of one run as one: rows that a later file repeats give way, counters that start anew go on."""
    whole = dict(parts[0])
    for part in parts[1:]:
        whole = appended(whole, part)
    return whole


def appended(whole: Arrays, part: Arrays) -> dict[str, np.ndarray]:
    length, more = len(next(iter(whole.values()))), len(next(iter(part.values())))
    leading = next((name for name in COUNTERS if name in whole and name in part), None)
    kept = length
    if leading is not None:
        before, after = finite(whole[leading]), finite(part[leading])
        if len(before) and len(after) and before[0] < after[0] <= before.max():
            # Resumed from before the end: the later file tells what happened.
            kept = int(np.argmax(whole[leading] >= after[0]))
    found = {}
    for name in {**whole, **part}:
        old = whole.get(name, np.full(length, np.nan))[:kept]
        new = part.get(name, np.full(more, np.nan))
        found[name] = np.concatenate([old, new + offset(old, new) if name in COUNTERS else new])
    return found


def offset(before: np.ndarray, after: np.ndarray) -> float:
    """By how much a counter that started anew is to be counted on."""
    known, fresh = finite(before), finite(after)
    last = known.max() if len(known) else 0.0
    return float(last) if len(fresh) and fresh[0] <= last else 0.0


def finite(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]
