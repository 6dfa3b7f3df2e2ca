"""Where runs lie, and that what a run names lies in its own folder."""

from __future__ import annotations

import errno
import itertools
import shlex
from pathlib import Path
from typing import Any

from triptych.recipes import built_in
from triptych.utils.checks import InputError, shown
from triptych.utils.failures import MachineFailed, machine_trouble
from triptych.utils.files import is_link

LOGS = ("episodes.csv", "metrics.csv")
ALARMS = "alarms.csv"  # what the checkup found while the run went on
REWOUND = (*LOGS, ALARMS)  # what a resume cuts back to its checkpoint
RECIPE_FILE = "recipe.py"  # the copy of the user's file that the run's recipe came from
ERROR_FILE = "error.txt"  # the traceback of what failed in a user's own code
# What a run writes into or cuts without making it anew.
OWN = (
    ".lock",
    *REWOUND,
    "resumes.csv",
    "checkpoints",
    "checkpoints/store",
    "evaluations",
    "videos",
    "trackers",
    "exports",
)


class OutsideError(InputError):
    """A file of a run names something outside its folder."""


def check_plain(name: Any, where: Path) -> None:
    """Refuses a name that leaves its folder. What is read in a run's files may be a stranger's.

    Raises:
        OutsideError: it is no plain file name.
    """
    plain = isinstance(name, str) and name not in ("", ".", "..") and not set(name) & set("/\\:\0") and len(name) < 200
    if not plain:
        raise OutsideError(f"{where} names {shown(name)}; allowed: names of files inside the run's folder")


def check_links(folder: Path) -> None:
    """Refuses a run folder parts of which lie elsewhere: what is written or removed there would be somebody else's.

    Raises:
        OutsideError: a part is a link.
    """
    for path in (folder / name for name in OWN):
        if is_link(path):
            raise OutsideError(f"{path} is a link; allowed: a run folder that holds its own files")


def safe(name: str) -> str:
    """A file name made of a recipe's name or an environment's id."""
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in Path(name).stem)


def run_path(run: str, runs_dir: str | Path) -> Path:
    """Where a run lies: an existing folder or file as it is given, else a name under `runs_dir`."""
    given, named = Path(run), Path(runs_dir) / run
    # A path of several parts that is nowhere is told as it was typed.
    return given if given.exists() or (len(given.parts) > 1 and not named.exists()) else named


LOG_ENDINGS = (".csv", ".tsv", ".json", ".jsonl", ".txt", ".gz")  # of the logs that docs/logs.md names


def is_log(word: str, runs_dir: str | Path) -> bool:
    """Whether a word names a run folder, a log, or a folder of them, and not a recipe: that is a shipped one's name, or a Python file.

    A word that ends as logs do is one, whether it is there or not.
    """
    if not word or built_in(word) == word or word.endswith(".py"):
        return False
    if word.endswith(
        LOG_ENDINGS
    ):  # what is called like one is meant as one: whoever reads it says that it is not there
        return True
    try:
        return all(run_path(part, runs_dir).exists() for part in word.split("+"))
    except (OSError, ValueError):  # a word that no file can be called
        return False


def new_path(name: str, runs_dir: str | Path) -> Path:
    """The folder of a new run.

    Raises:
        InputError: the name leaves the runs folder, or is taken by a run.
    """
    path = inside(name, runs_dir)
    if (path / "config.json").exists():
        raise InputError(
            f"run folder {path} exists; go on with `triptych resume {shlex.quote(str(path))}`, or choose another --run-name"
        )
    if path.exists() and (not path.is_dir() or any((path / log).exists() for log in LOGS)):
        raise InputError(f"{path} exists and is no run of triptych; allowed: another --run-name")
    return path


def inside(name: str, runs_dir: str | Path) -> Path:
    """The folder of that name under `runs_dir`, or an InputError where it would lie elsewhere."""
    parent = Path(runs_dir)
    path = parent / name
    if not name.strip() or "\0" in name or path.resolve().parent != parent.resolve():
        raise InputError(f"run name is {name!r}; allowed: one folder's name inside {parent}")
    return path


def fresh_name(prefix: str, runs_dir: str | Path) -> str:
    """`prefix-1`, or the first number that is free. Its folder is made, so that of two runs begun together each has its own.

    Raises:
        InputError: the name leaves the runs folder, or the folder cannot be written.
        MachineFailed: the disk is full.
    """
    for number in itertools.count(1):
        name = f"{prefix}-{number}"
        path = inside(name, runs_dir)
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise unwritable(path, error) from None
        return name
    raise AssertionError("there is always another number")


def is_bare(folder: Path) -> bool:
    """Whether a run's folder holds what its process makes before the run's first file: no run has come of it."""
    return folder.is_dir() and {path.name for path in folder.iterdir()} <= {".lock", "checkpoints"}


def is_weights_only(folder: Path) -> bool:
    """Whether a folder holds a run's settings and nothing of its course: no logs, no checkpoints, as one that was fetched."""
    if not (folder / "config.json").is_file() or any((folder / log).exists() for log in LOGS):
        return False
    return not any(path.is_dir() for path in (folder / "checkpoints").glob("*-*"))


def unwritable(path: Path, error: OSError) -> InputError | MachineFailed:
    """What to say of a folder of a run that cannot be written: another one may do, but not where the disk is full or broken."""
    trouble = machine_trouble(error)
    if trouble and error.errno != errno.EROFS:
        return MachineFailed(trouble)
    return InputError(f"run folder {path} cannot be written: {error.strerror}; allowed: a writable --runs-dir")
