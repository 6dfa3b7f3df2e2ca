"""What somebody may have meant, for messages: the known names that are nearest to the one given."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from triptych.utils.console import shortened

LONGEST = 60  # letters of what was given that are repeated


def nearest(word: str, known: Iterable[str], most: int = 3, alike: float = 0.7) -> list[str]:
    """The known names that look like a word, the likeliest first; letters' case, `-` and `_` make no difference."""
    spelled = {plain(name): name for name in known}
    found = difflib.get_close_matches(plain(word[:LONGEST]), list(spelled), n=most, cutoff=alike)
    return [spelled[name] for name in found]


def plain(word: str) -> str:
    return word.casefold().replace("_", "-")


def likely(word: str, known: Iterable[str]) -> str:
    """`; did you mean cartpole?`, or nothing where no name is like it."""
    found = nearest(word, known, 1)
    return f"; did you mean {found[0]}?" if found else ""


def shown(word: str) -> str:
    """A word in quotes for a message, its middle left out where it is long."""
    return repr(shortened(word, LONGEST))
