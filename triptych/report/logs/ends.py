"""Losses that were numbers and are none any more, from some row to the last: what the columns of a `Log` no longer show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

LOSSES = ("loss", "policy_loss", "value_loss")
BROKEN = "__broken"  # `loss__broken` is 1 in the rows in which `loss` holds something that is no finite number


@dataclass(frozen=True)
class End:
    """A column that ends before its file does."""

    name: str
    rows: int  # behind its last number
    broken: int  # of them, with something that is no finite number, such as nan or inf; the others are blank
    numbers: int  # rows that hold one
    gap: int  # the most rows between two numbers
    row: int  # the first one behind its last number, counted from 1
    since: int | None  # agent steps at its last number; None: the file does not count them


@dataclass(frozen=True)
class Back:
    """A counter that goes back within a file."""

    name: str
    before: float
    after: float
    row: int  # that of the lower count, from 1


def with_broken(part: Mapping[str, np.ndarray], broken: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A part's columns, and beside its losses which of their rows are broken.

    Args:
        broken: which rows of a column hold something that is no finite number, [rows], bool.
    """
    beside = {f"{name}{BROKEN}": broken[name].astype(np.float64) for name in LOSSES if name in part and name in broken}
    return {**part, **beside}


def taken_out(part: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], tuple[End, ...]]:
    """A part without what `with_broken` put beside it, and the losses that end in it."""
    plain = {name: values for name, values in part.items() if not name.endswith(BROKEN)}
    found = (end_of(name, plain, part.get(f"{name}{BROKEN}")) for name in LOSSES if name in plain)
    return plain, tuple(one for one in found if one is not None)


def end_of(name: str, part: Mapping[str, np.ndarray], broken: np.ndarray | None) -> End | None:
    """Where a column ends; None: it holds a number in the last row, or in none."""
    there = np.flatnonzero(np.isfinite(part[name]))
    rows = len(part[name])
    if not len(there) or there[-1] == rows - 1:
        return None
    last = int(there[-1])
    steps = part["steps"][last] if "steps" in part else np.nan
    return End(
        name,
        rows=rows - 1 - last,
        broken=0 if broken is None else int(broken[last + 1 :].sum()),
        numbers=len(there),
        gap=int(np.diff(there).max()) - 1 if len(there) > 1 else 0,
        row=last + 2,
        since=int(steps) if np.isfinite(steps) else None,
    )
