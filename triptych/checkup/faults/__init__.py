"""Mistakes, put into a healthy agent on purpose: what a checkup is judged by.

A name for each way of each mistake in the list of `docs/checkup.md`. What lies in the code that the frameworks share is written
here once, a file for each part of it; what lies in a framework's own code stands in its folder (`frameworks/torch/faults.py`).

May be in here: patches, and the short runs in which they show. May not: a signal, or anything that a signal reads.
"""

from triptych.checkup.faults import (  # noqa: F401  # they register theirs
    counting,
    drawing,
    exploring,
    games,
    keeping,
    learning,
    losses,
    networks,
    playing,
    remembering,
    replaying,
    stepping,
    testing,
)  # fmt: skip
from triptych.checkup.faults.base import FAULTS as FAULTS
from triptych.checkup.faults.base import Fault as Fault
from triptych.checkup.faults.base import find as find
from triptych.checkup.faults.base import injected as injected
from triptych.checkup.faults.scenarios import SHORT as SHORT
