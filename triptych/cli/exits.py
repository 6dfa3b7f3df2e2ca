"""How a command ends: the exit codes, the same table as in docs/exit-codes.md. 128 and a signal's number is what shells say."""

from __future__ import annotations

import signal

DONE = 0
DIFFER = 1  # the frameworks differ, or a lockstep was too short to prove anything
BAD_INPUT = 2  # something that was given cannot be used; nothing on disk is lost
FAILED = 3  # an environment or a user's callback failed; in compare, study and tune, a run ended without a result
DIVERGED = 4  # the run's numbers are no longer finite
MACHINE = 5  # the disk is full, or there is no memory left
ALARM = 6  # the checkup found something: `check` did, or an alarm stopped the run (--on-alarm stop)
HANGUP = 128 + 1  # SIGHUP, which Windows has not
INTERRUPTED = 128 + signal.SIGINT  # Ctrl-C
TERMINATED = 128 + signal.SIGTERM


def interrupted_by(number: int | None) -> int:
    """The code of a command that a signal ended; None: it is not known which, so Ctrl-C."""
    return 128 + (number or signal.SIGINT)
