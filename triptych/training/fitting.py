"""Whether what a checkpoint holds fits the run that is to go on with it. The run's own state at its start is the pattern."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from triptych.buffers.store import Store
from triptych.spec.precision import LARGEST_FLOAT32
from triptych.training.base import Counters
from triptych.utils.checks import InputError, shown
from triptych.utils.state import State

if TYPE_CHECKING:
    from triptych.training.session import Session

MOST = 2**128 - 1  # of a whole number: those of a generator's state
LARGEST = 2**63 - 1  # of any other


def check_state(session: Session, state: State) -> None:
    """Refuses a state that is not of such a run: arrays of other shapes, words for numbers, counters below 0.

    Raises:
        InputError: names the place.
    """
    where = f"checkpoint at step {state.json['counters']['steps']:,}"
    pattern = session.training.get_state(here=True)
    like = pattern.json | {name: callback.get_state() for name, callback in session.watchers.own.items()}
    if not type(session.recipe.env).__module__.startswith("triptych."):
        # What a user's own games keep may be of another form each time.
        for part in [like, *(found for name, found in like.items() if name.startswith("worker-"))]:
            part.pop("games", None)
    for problem in (
        *misfits(state.json, like),
        *strangers(state, pattern),
        *wrong_numbers(state, session.training.games.num_actions),
    ):
        raise InputError(f"{where}: {problem}; allowed: as triptych left it")


def strangers(state: State, pattern: State) -> Iterator[str]:
    """Arrays of another form or missing, and names that no such run has."""
    for name, expected in pattern.arrays.items():
        found = state.arrays.get(name)
        if found is None:
            if name.startswith(("learner/", "replay/")) or "/learner/" in name:
                yield f"array {name} is missing"
        elif (found.shape, found.dtype) != (expected.shape, expected.dtype):
            yield f"array {name} is {found.dtype} of shape {found.shape}, not {expected.dtype} of shape {expected.shape}"
    known = {field.name for field in fields(Counters)}
    yield from (f"counter {shown(name)} is not known" for name in state.json["counters"] if name not in known)


def wrong_numbers(state: State, num_actions: int) -> Iterator[str]:
    """Arrays with numbers that mean nothing."""
    for name, array in state.arrays.items():
        if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
            yield f"array {name} holds numbers that are not finite"
        elif name == "replay/priority" and (array < 0).any():
            yield f"array {name} holds numbers below 0"
        elif name.endswith("rollout/action") and ((array < 0) | (array >= num_actions)).any():
            yield f"array {name} holds actions that the game has not"


def misfits(found: Any, pattern: Any, path: str = "") -> Iterator[str]:
    """Where JSON is not like a pattern: another type, a list of another length. What is not there says nothing; an empty list in the pattern may be of any numbers."""
    if isinstance(pattern, dict) and isinstance(found, dict):
        for name in pattern.keys() & found.keys():
            yield from misfits(found[name], pattern[name], f"{path}.{name}" if path else name)
    elif isinstance(pattern, list | tuple) and isinstance(found, list):
        if pattern and len(pattern) != len(found):
            yield f"{path} has {len(found)} items, not {len(pattern)}"
        for index, item in enumerate(found):
            yield from misfits(item, pattern[index] if pattern else 0.0, f"{path}[{index}]")
    elif not is_like(found, pattern, path):
        yield f"{path} is {shown(found)}"


def is_like(found: Any, pattern: Any, path: str) -> bool:
    """Whether a value may stand where the pattern's stands; None stands for a number that is not known yet."""
    if isinstance(pattern, bool | str):
        return type(found) is type(pattern)
    if isinstance(found, bool):
        return False
    if isinstance(pattern, int):
        low, high = (-LARGEST, LARGEST) if "games" in path.split(".") else (0, LARGEST)
        return isinstance(found, int) and (low <= found <= high or ("rng" in path and 0 <= found <= MOST))
    if pattern is None:
        return found is None or isinstance(found, int | float)
    return isinstance(found, int | float) if isinstance(pattern, float) else False


def check_rows(store: Store, segments: list[dict[str, Any]], num_actions: int) -> None:
    """Refuses stored rows that no run writes: with gaps, other actions than there are, ages that do not follow from the masks.

    Raises:
        InputError: says what is wrong.
    """
    ends = [segment["end"] for segment in segments]
    starts = [segment["start"] for segment in segments]
    whole = (starts[1:], ends[-1:]) == (ends[:-1], [store.count][: len(ends)]) and all(
        a < b for a, b in zip(starts, ends, strict=True)
    )
    whole = whole and (starts[0] <= store.oldest if segments else store.count == 0)
    slots = np.arange(store.oldest, store.count) % store.rows
    mask, age, action = store.mask[slots], store.age[slots], store.action[slots]
    problems = {
        "segments do not hold the rows that it names": not whole,
        "counts other transitions than it holds": whole and int(mask[:-1].sum()) != store.transitions,
        "holds actions that the game has not": bool(((action < 0) | (action >= num_actions)).any()),
        "holds rewards that are not finite": not (np.abs(store.reward[slots]) <= LARGEST_FLOAT32).all(),
        "holds steps out of order": not (age[1:] == np.where(mask[:-1], age[:-1] + 1, 0)).all()
        or bool((age < 0).any()),
    }
    for problem, is_there in problems.items():
        if is_there:
            raise InputError(f"checkpoint's store {problem}; allowed: as triptych left it")
