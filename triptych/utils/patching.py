"""Putting other code in the place of shipped code, for as long as a block lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

NOTHING = object()


class NotApplicable(Exception):
    """A change that cannot be expressed here; its text says why."""


class Patch(NamedTuple):
    """What stands in the place of an attribute of a module or a class."""

    owner: Any
    name: str
    value: Any


def around(owner: Any, name: str, make: Callable[[Any], Any]) -> Patch:
    """A patch that is made of what it replaces: `make` takes the shipped function."""
    return Patch(owner, name, make(getattr(owner, name)))


@contextmanager
def patched(patches: Iterable[Patch]) -> Iterator[None]:
    """Inside the block the patches stand; behind it all is as before, the last one undone first."""
    before: list[tuple[Any, str, Any]] = []
    try:
        for owner, name, value in patches:
            before.append((owner, name, vars(owner).get(name, NOTHING)))
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in reversed(before):
            if value is NOTHING:  # it was inherited
                delattr(owner, name)
            else:
                setattr(owner, name, value)
