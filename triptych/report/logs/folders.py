"""Which files of a folder are logs, and what their runs are called."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from triptych.utils.checks import InputError

EVENTS = "events.out.tfevents."
PROGRESS = ("progress.csv", "progress.txt", "progress.json", "result.json")  # the first that can be read is
COMMON = {
    "monitor", "progress", "result", "results", "log", "logs", "metrics", "history", "train", "training", "data", "output",
    "outputs", "tb", "tensorboard", "runs", "tmp", "events",
}  # fmt: skip  # names that tell nothing
STAMP = re.compile(r"[_-]\d{4}-\d\d-\d\d[_-]\d\d-\d\d-\d\d\w*$")  # what Ray puts behind a trial's name
PROOF, TENSORS = "verdict.json", "-tensors.csv"  # in a lockstep's folder
MOST_DIRECTORIES = 5_000
MOST_DEPTH = 8


@dataclass(frozen=True)
class Directory:
    """The logs of one directory."""

    path: Path
    name: str  # of its run
    is_own: bool = False  # a run folder of Triptych
    monitors: tuple[Path, ...] = ()  # of the environments of one run
    progress: tuple[Path, ...] = ()  # the same numbers, in one form or another
    events: tuple[Path, ...] = ()
    others: tuple[Path, ...] = ()

    def name_of(self, file: Path) -> str:
        stem = stem_of(file).removesuffix(".monitor")
        return stem if not (self.monitors or self.progress or self.events or stem in COMMON) else f"{self.name}, {stem}"


def is_own(folder: Path) -> bool:
    """Whether Triptych wrote a folder. Others write a config.json too: those have their own log beside it, and no recipe in it."""
    config = folder / "config.json"
    if not config.is_file():
        return False
    if not any((folder / name).is_file() for name in (*PROGRESS, "monitor.csv")):
        return True
    return has_key(config, "recipe")


def has_key(file: Path, key: str) -> bool:
    """Whether a JSON file has a key at its top."""
    try:
        return key in json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError, TypeError, RecursionError):
        return False


def is_proof(folder: Path, files: Sequence[str]) -> bool:
    """Whether a lockstep wrote a folder, be it stopped before its verdict; `files` are the folder's."""
    compared = {name.removesuffix(TENSORS) + ".csv" for name in files if name.endswith(TENSORS)}
    return bool(compared & set(files)) or (PROOF in files and has_key(folder / PROOF, "agree"))


def directories(folder: Path) -> Iterator[Directory]:
    """The directories in a folder that hold a run or a log; links are not followed, and what a lockstep compared is no result.

    Raises:
        InputError: there are too many of them.
    """
    found: list[tuple[Path, list[str]]] = []
    for count, (where, below, files) in enumerate(os.walk(folder, followlinks=False)):
        path = Path(where)
        check_count(folder, count)
        proof = is_proof(path, files)
        if is_own(path) or proof:
            below.clear()
        if proof:
            continue
        depth = len(path.relative_to(folder).parts)
        below[:] = [name for name in sorted(below) if not name.startswith(".") and depth < MOST_DEPTH]
        logs = sorted(name for name in files if is_log(name) and not (path / name).is_symlink())
        if is_own(path) or logs:
            found.append((path, logs))
    names = run_names(folder, [path for path, _ in found])
    for (path, logs), name in zip(found, names, strict=True):
        yield Directory(path, name, is_own=True) if is_own(path) else sorted_out(path, name, logs)


def proofs(folder: Path) -> list[Path]:
    """The verdicts of the locksteps in a folder, or its own where it has one; links are not followed.

    Raises:
        InputError: there are too many folders.
    """
    if (folder / PROOF).is_file():
        return [folder / PROOF]
    found = []
    for count, (where, below, files) in enumerate(os.walk(folder, followlinks=False)):
        check_count(folder, count)
        path, depth = Path(where), len(Path(where).relative_to(folder).parts)
        proof = is_proof(path, files)
        if proof and PROOF in files:
            found.append(path / PROOF)
        below[:] = (
            []
            if proof or is_own(path)
            else [name for name in sorted(below) if not name.startswith(".") and depth < MOST_DEPTH]
        )
    return found


def check_count(folder: Path, count: int) -> None:
    if count > MOST_DIRECTORIES:
        raise InputError(f"{folder} holds more than {MOST_DIRECTORIES:,} folders; allowed: a folder of runs")


def is_log(name: str) -> bool:
    return name in PROGRESS or EVENTS in name or name.endswith((".csv", ".csv.gz"))


def sorted_out(path: Path, name: str, files: Sequence[str]) -> Directory:
    monitors = [file for file in files if re.fullmatch(r"(\d+\.)?monitor\.csv(\.gz)?", file)]
    progress = [file for file in PROGRESS if file in files]
    events = [file for file in files if EVENTS in file]
    others = [file for file in files if file not in (*monitors, *progress, *events)]
    groups = [tuple(path / file for file in group) for group in (monitors, progress, events, others)]
    return Directory(path, name, False, *groups)


def run_names(folder: Path, paths: Sequence[Path]) -> list[str]:
    """Names of the runs in a folder's directories: what tells them apart, without what tells nothing."""
    whole = [path.relative_to(folder).parts for path in paths]
    levels = zip(*whole, strict=False) if len(whole) > 1 else ()
    common = sum(1 for _ in itertools.takewhile(lambda level: len(set(level)) == 1, levels))
    shortened = [tuple(STAMP.sub("", part) for part in parts[common:] if part.lower() not in COMMON) for parts in whole]
    told = shortened if len(set(shortened)) == len(shortened) else [parts[common:] for parts in whole]
    return ["/".join(parts) or file_name(path / "log") for parts, path in zip(told, paths, strict=True)]


def file_name(file: Path) -> str:
    """What a run is called whose file names none: the file's name, or its folder's where every such file has that name."""
    stem = stem_of(file)
    parents = [parent.name for parent in file.absolute().parents if parent.name]
    kept = [name for name in parents if name.lower() not in COMMON] or parents or [stem]
    if EVENTS in file.name or stem.lower() in COMMON:
        return STAMP.sub("", kept[0])
    return f"{STAMP.sub('', kept[0])}, {stem.removesuffix('.monitor')}" if stem.endswith(".monitor") else stem


def stem_of(file: Path) -> str:
    name = file.name.removesuffix(".gz")
    return name[: name.rindex(".")] if "." in name[1:] else name
