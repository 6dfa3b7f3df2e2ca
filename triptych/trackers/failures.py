"""What a tool's library raises, as one line for the user."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from triptych.utils.checks import InputError
from triptych.utils.failures import first_line, machine_trouble


@contextlib.contextmanager
def told_in_a_line(what: str, allowed: str) -> Iterator[None]:
    """Around calls of a tool's library. A full disk is told by who tells that everywhere.

    Raises:
        InputError: whatever the library raised: "WHAT (ITS FIRST LINE); allowed: ALLOWED".
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        if machine_trouble(error):
            raise
        raise InputError(f"{what} ({first_line(error)}); allowed: {allowed}") from error
