"""Logs as columns of numbers: of run folders, and of files that other tools wrote. docs/logs.md says which.

`find.py` finds the files, `files.py` tells which tool wrote one. Each tool has a file of its own: what its columns are
called here, and what a number of it means.
"""

from triptych.report.logs.ends import Back, End
from triptych.report.logs.find import read, read_all
from triptych.report.logs.folders import proofs
from triptych.report.logs.log import AXES, COUNTERS, HIGH, LOW, Columns, Log, Numbers

__all__ = ["AXES", "COUNTERS", "HIGH", "LOW", "Back", "Columns", "End", "Log", "Numbers", "proofs", "read", "read_all"]
