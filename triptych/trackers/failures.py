"""What a tool's library raises, as one line for the user."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator

from triptych.utils.checks import InputError
from triptych.utils.console import detail
from triptych.utils.failures import first_line, machine_trouble


@contextlib.contextmanager
def told_in_a_line(what: str, allowed: str) -> Iterator[None]:
    """Around calls of a tool's library. All of what it said is for --verbose; a full disk is told by who tells that everywhere.

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
        for line in "".join(traceback.format_exception(error)).splitlines():
            detail(line)
        raise InputError(f"{what} ({first_line(error)}); allowed: {allowed}") from error


def in_a_line(error: BaseException) -> str:
    """What an error says: ours are a sentence already, others are called by their kind."""
    return str(error) if isinstance(error, InputError) else first_line(error)
