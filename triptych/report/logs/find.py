"""What an argument of `triptych report` names: run folders, files of other tools, folders that hold either."""

from __future__ import annotations

import dataclasses
import mimetypes
import os
from collections.abc import Sequence
from pathlib import Path

from triptych.report.logs import tensorboard
from triptych.report.logs.columns import Naming, parse_columns, shown
from triptych.report.logs.ends import taken_out
from triptych.report.logs.events import read_events
from triptych.report.logs.files import read_runs, table_of
from triptych.report.logs.folders import EVENTS, Directory, directories, file_name, is_own, is_proof
from triptych.report.logs.log import Arrays, Log
from triptych.report.logs.own import read_run
from triptych.report.logs.parts import Found, as_log, as_logs, joined
from triptych.report.logs.sb3 import is_monitor, read_monitors
from triptych.runs.names import run_path
from triptych.utils.checks import InputError
from triptych.utils.console import counted, warn
from triptych.utils.tables import Table

ALLOWED = "a run folder, a run's name, a folder of them, or a log of another tool (docs/logs.md)"


def read(
    argument: str, runs_dir: Path, frames_are: str = "steps", trust: bool = False, columns: Sequence[str] = ()
) -> list[Log]:
    """The logs that one argument of `triptych report` names; see `read_all`."""
    return read_all([argument], runs_dir, frames_are, trust, columns)


def read_all(
    arguments: Sequence[str],
    runs_dir: Path,
    frames_are: str = "steps",
    trust: bool = False,
    columns: Sequence[str] = (),
) -> list[Log]:
    """The logs that the arguments of `triptych report` name, no two of one name.

    Args:
        arguments: run folders, runs' names, folders, files of other tools, files of one run joined by `+`.
        frames_are: what a foreign file's `frames` column counts: agent steps, or emulator frames.
        trust: run what a run names, so that its game is known.
        columns: `THEIRS=ours`, what a column of others is called here.

    Raises:
        InputError: there is nothing that can be read, or `columns` names no column.
    """
    reader = Reader(Naming(parse_columns(columns), frames_are), trust)
    try:
        for argument in arguments:
            reader.read(argument, runs_dir)
        logs = reader.all()
    except InputError:
        check_used(reader.naming)  # a name misspelt there tells more than what came of it
        raise
    check_used(reader.naming)
    return named_apart(logs)


def check_used(naming: Naming) -> None:
    unused = naming.unused()
    if unused and naming.seen:
        raise InputError(f"columns is {unused[0][:100]!r}, which no file has; allowed: {shown(naming.seen)}")
    if unused:
        raise InputError(
            f"columns is {unused[0][:100]!r}, but no log of another tool is read; allowed: with such a log"
        )


def named_apart(logs: list[Log]) -> list[Log]:
    """The second run of a name has a number behind it. The same run folder twice stays as it is."""
    seen: dict[str, int] = {}
    found = []
    for log in logs:
        if log.path is None:
            seen[log.name] = seen.get(log.name, 0) + 1
        count = seen.get(log.name, 1) if log.path is None else 1
        found.append(log if count == 1 else dataclasses.replace(log, name=f"{log.name} ({count})"))
    return found


class Reader:
    """Reads argument after argument. TensorBoard's exports wait for the end: a run may be in several."""

    def __init__(self, naming: Naming, trust: bool):
        self.naming = naming
        self.trust = trust
        self.logs: list[Log] = []
        self.exports: dict[tuple[Path, str], dict[str, Arrays]] = {}

    def all(self) -> list[Log]:
        exported = [tensorboard.run_of(run, tags, self.naming, True) for (_, run), tags in self.exports.items()]
        return self.logs + as_logs(exported)

    def read(self, argument: str, runs_dir: Path) -> None:
        path = run_path(argument, runs_dir)
        if path.is_dir():
            self.folder(path)
            return
        parts = [argument] if path.is_file() else argument.split("+")
        files = [run_path(part, runs_dir) for part in parts]
        for part, file in zip(parts, files, strict=True):
            if not file.is_file():
                raise InputError(f"log is {part!r}: no such file or run; allowed: {ALLOWED}")
        if len(files) == 1 and (kind := kind_of(files[0])):
            warn(f"{files[0]} is left out: {kind}, no log")
        elif len(files) == 1:
            self.logs += self.file(files[0], file_name(files[0]))
        else:
            self.logs.append(as_log(self.one_run(files)))

    def folder(self, folder: Path) -> None:
        """A run folder, or all that is found in a folder."""
        if is_own(folder):
            self.logs.append(read_run(folder, self.trust))
            return
        if is_proof(folder, [path.name for path in folder.iterdir()]):
            warn(f"{folder} is left out: a lockstep that has no verdict")
            return
        before = len(self.logs) + len(self.exports)
        failures: list[InputError] = []
        for found in directories(folder):
            if found.is_own:
                self.logs.append(read_run(found.path, self.trust))
            else:
                self.logs += self.directory(found, failures)
        if len(self.logs) + len(self.exports) == before:
            if failures:
                raise failures[0]
            raise InputError(f"{folder} holds no run and no log that is known; allowed: {ALLOWED}")
        if failures and self.logs:
            first = str(failures[0]).replace(f"{folder}{os.sep}", "")[:300]
            left = "is" if len(failures) == 1 else "are"
            note = f"{counted(len(failures), 'file')} of {folder.name} {left} left out: {first}"
            self.logs[-1] = dataclasses.replace(self.logs[-1], notes=(*self.logs[-1].notes, note))

    def directory(self, found: Directory, failures: list[InputError]) -> list[Log]:
        """The runs of one directory: a row an episode and rows of means are two parts of one."""
        logs: list[Log] = []
        if found.monitors:
            try:
                logs.append(as_log(read_monitors(monitors(found.monitors), found.name, self.naming)))
            except InputError as error:
                failures.append(error)
        means = self.means(found, failures)
        if len(logs) == len(means) == 1:
            logs = [both(logs[0], means[0])]
        else:
            logs += means
        for file in found.others:
            try:
                logs += self.file(file, found.name_of(file))
            except InputError as error:
                failures.append(error)
        return logs

    def means(self, found: Directory, failures: list[InputError]) -> list[Log]:
        """What was recorded now and then: a tool that writes several files writes the same into each, so one is enough."""
        for file in found.progress:
            try:
                return self.file(file, found.name)
            except InputError as error:
                failures.append(error)
        if found.events:
            try:
                return [self.events(found.events, found.name)]
            except InputError as error:
                failures.append(error)
        return []

    def file(self, file: Path, name: str) -> list[Log]:
        """The runs of one file."""
        if EVENTS in file.name:
            return [self.events([file], name)]
        table = table_of(file)
        if tensorboard.is_export(table.names) and len(table):
            run, tag = tensorboard.run_and_tag(file)
            self.exports.setdefault((file.parent, run), {})[tag] = tensorboard.series(table)
            return []
        return as_logs(read_runs(table, name, self.naming))

    def events(self, files: Sequence[Path], name: str) -> Log:
        """One run's event files, in the order of their beginnings: a later one goes on, or begins again."""
        read = [read_events(file) for file in files]
        tags = tensorboard.in_one([curves for curves, _ in read])
        if not tags:
            raise InputError(f"{files[0]} holds no scalars; allowed: event files with scalars")
        found = tensorboard.run_of(name, tags, self.naming, exported=False)
        found.notes += [note for _, notes in read for note in notes]
        return as_log(found)

    def one_run(self, files: Sequence[Path]) -> Found:
        """Files of one run, joined by the user."""
        found = [read_runs(table_of(file), file_name(file), self.naming) for file in files]
        for file, runs in zip(files, found, strict=True):
            if len(runs) > 1:
                raise InputError(f"{file} holds {len(runs)} runs; allowed beside +: files of one run")
        runs = [one[0] for one in found]
        parts = [joined([part for run in runs for part in run.parts])]
        notes = list(dict.fromkeys(note for run in runs for note in run.notes))
        ends = taken_out(parts[0])[
            1
        ]  # a loss that ends in one file may go on in the next; which cells are broken is lost
        return Found(
            runs[0].name, parts, all(run.episodes for run in runs), runs[0].played, notes, runs[0].theirs, ends
        )


def kind_of(file: Path) -> str:
    """What a file is that can be no log, told by its name: films, pictures and pages lie beside runs; "" where it may be one."""
    kind = mimetypes.guess_type(file.name)[0] or ""
    return kind if kind.startswith(("video/", "image/", "audio/")) or kind in ("text/html", "application/pdf") else ""


def monitors(files: Sequence[Path]) -> list[Table]:
    """The monitors of one run's environments. One in which no episode has ended yet is left out.

    Raises:
        InputError: one cannot be read or is no monitor, or no episode has ended in any.
    """
    tables = [table_of(file) for file in files]
    for table in tables:
        if not is_monitor(table.names):
            raise InputError(
                f"{table.path} has columns {shown(table.names)}; allowed: r, l and t, as Stable-Baselines3 writes them"
            )
    ended = [table for table in tables if len(table)]
    if not ended:
        raise InputError(f"{files[0]} has no row below its column names; allowed: at least one episode that has ended")
    return ended


def both(episodes: Log, means: Log) -> Log:
    """A row an episode and rows of means of one run."""
    notes = tuple(dict.fromkeys((*episodes.notes, *means.notes)))
    return dataclasses.replace(episodes, metrics=means.columns, more=means.more, notes=notes, ends=means.ends)
