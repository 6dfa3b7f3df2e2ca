"""What a fault is, and what most of them are made of.

A fault is a function that gives patches, or other settings, for a framework. Its name is the function's, with hyphens; its first
line says what is wrong. It knows nothing of the signals that should find it, and no signal knows it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from triptych import frameworks
from triptych.utils.checks import InputError
from triptych.utils.patching import Patch, patched
from triptych.utils.words import likely, shown

Shipped = Callable[..., Any]
Maker = Callable[[Shipped], Shipped]  # takes what is shipped, gives what stands in its place


@dataclass(frozen=True)
class Fault:
    """A mistake that a checkup must find."""

    name: str
    row: str  # of the list of mistakes: several faults are ways to make the same one
    short: str  # of `scenarios.SHORT`: the run in which it shows
    about: str  # what is wrong, a sentence
    patches: Callable[[str], list[Patch]]  # of a framework; raises NotApplicable where it cannot be expressed
    changes: Mapping[str, Any] = field(default_factory=dict)  # settings of the recipe that are wrong


FAULTS: dict[str, Fault] = {}


def fault(row: str, short: str, **changes: Any) -> Callable[[Callable[[str], list[Patch]]], Fault]:
    """Registers a function of a framework that gives patches. `changes`: settings, dots as double underscores."""

    def register(patches: Callable[[str], list[Patch]]) -> Fault:
        name = patches.__name__.replace("_", "-")
        about = (patches.__doc__ or "").strip().split("\n")[0]
        given = {key.replace("__", "."): value for key, value in changes.items()}
        FAULTS[name] = Fault(name, row, short, about, patches, given)
        return FAULTS[name]

    return register


def find(name: str) -> Fault:
    """A fault by its name.

    Raises:
        InputError: there is none of that name.
    """
    plain = name.lower().replace("_", "-")
    if plain not in FAULTS:
        raise InputError(f"fault is {shown(name)}; allowed: one of `triptych scoreboard --list`{likely(plain, FAULTS)}")
    return FAULTS[plain]


@contextmanager
def injected(name: str, framework: str) -> Iterator[Fault]:
    """Inside the block a healthy agent is faulty, in this process. The fault's `changes` are for the recipe's maker to apply.

    Raises:
        InputError: there is no such fault.
        NotApplicable: it cannot be expressed in this framework.
    """
    found = find(name)
    with patched(found.patches(framework)):
        yield found


def native(framework: str) -> Any:
    """The faults that lie in a framework's own code."""
    frameworks.load(framework)
    return importlib.import_module(f"triptych.frameworks.{framework}.faults")


def learner(framework: str) -> Any:
    """A framework's learner class."""
    return frameworks.load(framework).Learner


def settings_only(framework: str) -> list[Patch]:
    return []


def rolled(array: Any) -> Any:
    """Each game has what its neighbour should have."""
    return np.roll(array, 1, axis=0)
