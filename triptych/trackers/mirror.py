"""Brings a tracker up to where a run's folder is. While a run trains and long after it, this is how anything gets there."""

from __future__ import annotations

import contextlib
import re
import time
from itertools import islice
from pathlib import Path
from types import TracebackType

from triptych.runs.names import RECIPE_FILE
from triptych.runs.records import read_evaluations_by_name
from triptych.trackers.base import About, Point, Tracker
from triptych.trackers.registry import open_run
from triptych.trackers.rows import Reader
from triptych.trackers.settings import read_settings
from triptych.trackers.state import State, locked
from triptych.trackers.steps import Steps
from triptych.utils.files import read_tensors, sha256

BATCH = 500  # rows that are sent at once
RARELY = 600.0  # seconds between weights that are sent while a run goes on: each becomes a version of its own
ALIASES = ("best", "latest")  # in this order: W&B calls whatever came last `latest`, too
FILM = re.compile(r"update-(\d{9})")


class Mirror:
    """A run's folder and what a tracker shows of it. A context manager: it holds the lock.

    Args:
        folder: the run's.
        name: the tracker's.
        patience: seconds to wait for a mirror of an earlier session.

    Raises:
        InputError: the folder is no run, or another process mirrors it.
    """

    def __init__(self, folder: Path, name: str, patience: float | None = None):
        self.folder, self.name = folder, name
        self.settings = read_settings(folder)
        self.lock = locked(folder, name) if patience is None else locked(folder, name, patience)
        self.state = State.read(folder, name)
        self.reader = Reader(folder, self.state.places, self.state.sent)
        if not self.reader.still_fits():
            self.state = self.state.anew()
            self.reader = Reader(folder)
        self.weighed = time.monotonic()
        self.tracker: Tracker = open_run(name, self.about())
        if self.state.run not in (None, self.tracker.run):  # somebody has removed it in the tool: this is a new one
            self.state, self.reader = self.state.anew(), Reader(folder)
        self.state.run = self.tracker.run
        self.write()
        held = self.tracker.held()
        if held is not None and held != self.reader.count:
            self.reader.skip(held)

    def __enter__(self) -> Mirror:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with contextlib.suppress(*(() if kind is None else (Exception,))):  # what failed first is told
            self.close()

    def close(self) -> None:
        """Ends the session in the tool."""
        try:
            self.tracker.close()
            self.write()
        finally:
            self.lock.close()

    def about(self) -> About:
        state = self.state
        name = self.folder.resolve().name + (f"-{len(state.former) + 1}" if state.former else "")
        return About(self.folder, name, self.settings, state.begun, state.run, state.kept)

    def go_on(self, final: bool = False) -> int:
        """Sends what is new and safe; gives the number of rows.

        Args:
            final: whether the session of the run is over: films of its end and weights are sent, too.
        """
        before = self.reader.count
        self.send_rows()
        self.send_films(final)
        if final:
            self.send_tests()
        if final or time.monotonic() - self.weighed > RARELY:
            self.send_weights()
            self.weighed = time.monotonic()
        self.write()
        return self.reader.count - before

    def send_rows(self) -> None:
        rows = self.reader.rows()
        while batch := list(islice(rows, BATCH)):
            self.tracker.rows([Point.of(row, self.state.begun) for row in batch])
            for row in batch:
                self.reader.passed(row)
            self.write()

    def send_films(self, final: bool) -> None:
        """Films of tests within the training; at the end those of its end, and of `evaluate`, too."""
        files = {file: film_mark(file) for file in sorted((self.folder / "videos").glob("*.mp4"))}
        files = {file: mark for file, mark in files.items() if self.state.films.get(file.name) != mark}
        steps = Steps(self.folder if files else None)
        for file, mark in files.items():
            found, within = FILM.match(file.stem), FILM.fullmatch(file.stem) is not None
            update = None if found is None else int(found[1])
            is_safe = final if not within or update is None else update <= steps.newest_update
            if not is_safe:  # a resume may film it again: also where a run was killed, which is the end of its session
                continue
            step = steps.newest if update is None else steps.at(update)
            self.tracker.video("eval/video" if within else f"videos/{file.stem}", file, step)
            self.state.films[file.name] = mark
            self.write()

    def send_tests(self) -> None:
        """What `triptych evaluate` has found so far."""
        for name, test in read_evaluations_by_name(self.folder).items():
            mark = sha256(self.folder / "evaluations" / f"{name}.json")
            if self.state.tests.get(name) != mark:
                values = {"reward": test["mean"], "reward_low": test["low"], "reward_high": test["high"]}
                if lengths := test["lengths"]:
                    values["length"] = sum(lengths) / len(lengths)
                self.tracker.test(name, values | {"games": test["games"]}, Steps(self.folder).at(test["updates"]))
                self.state.tests[name] = mark

    def send_weights(self) -> None:
        """The best and the latest weights, where they are others than before."""
        found = {alias: self.folder / "checkpoints" / f"{alias}.safetensors" for alias in ALIASES}
        found = {alias: file for alias, file in found.items() if file.is_file()}
        marks = {alias: sha256(file) for alias, file in found.items()}
        if marks == self.state.weights:
            return
        beside = {name: file for name in ("config.json", RECIPE_FILE) if (file := self.folder / name).is_file()}
        for alias, file in found.items():
            steps = (read_tensors(file)[1] or {}).get("steps", 0)
            self.tracker.weights(alias, beside | {f"checkpoints/{file.name}": file}, steps)
        self.state.weights = marks

    def write(self) -> None:
        """Keeps in the folder how far the tool has come; what it was given is safe there by then."""
        self.state.kept = dict(self.tracker.kept())
        self.state.sent, self.state.places = self.reader.count, self.reader.places
        self.state.write(self.folder, self.name)


def film_mark(file: Path) -> str:
    """What tells a film from another one of the same name."""
    told = file.stat()
    return f"{told.st_size} {told.st_mtime_ns}"
