"""Brings a tracker up to where a run's folder is. While a run trains and long after it, this is how anything gets there."""

from __future__ import annotations

import contextlib
import functools
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
from triptych.trackers.state import PATIENCE, State, locked
from triptych.trackers.steps import Steps
from triptych.utils.checks import InputError
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
        group: what the run is one of; None: as before.

    Raises:
        InputError: the folder is no run, or another process mirrors it.
    """

    def __init__(self, folder: Path, name: str, patience: float = PATIENCE, group: str | None = None):
        self.folder, self.name = folder, name
        self.settings = read_settings(folder)
        self.weighed = time.monotonic()
        with contextlib.ExitStack() as opened:
            self.lock = opened.enter_context(locked(folder, name, patience))
            self.begin(group)
            opened.pop_all()

    def begin(self, group: str | None) -> None:
        """Finds the run in the tool, and how far it has come there."""
        self.state = State.read(self.folder, self.name, self.settings.get("date"))
        self.state.group = group or self.state.group
        self.reader = Reader(self.folder, self.state.places, self.state.sent)
        if not self.reader.still_fits():
            self.begin_anew()
        self.tracker: Tracker = open_run(self.name, self.about())
        if self.state.run not in (None, self.tracker.run):  # somebody has removed it in the tool: this is a new one
            self.begin_anew()
        self.state.run = self.tracker.run
        self.write()
        held = self.tracker.held()
        if held is not None and held != self.reader.count:
            self.reader.skip(held)
        self.settle_doubts()

    def begin_anew(self) -> None:
        self.state, self.reader = self.state.anew(), Reader(self.folder)

    def settle_doubts(self) -> None:
        """Looks which of the films, tests and weights have come, where a mirror was killed around them."""
        held = self.tracker.films()
        for kind, name in self.state.unsure:
            if kind != "films" or (held is not None and name not in held):  # all others may come twice without harm
                getattr(self.state, kind).pop(name, None)
        self.state.unsure = []
        for name in held or ():
            if name not in self.state.films and (file := self.folder / "videos" / name).is_file():
                self.state.films[name] = digest_of(file)

    def __enter__(self) -> Mirror:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with contextlib.suppress(*(() if kind is None else (Exception,))):  # what failed first is told
            self.close()

    def close(self) -> None:
        """Ends the session in the tool."""
        try:
            self.tracker.close()
            self.state.unsure = []
            self.write()
        finally:
            self.lock.close()

    def about(self) -> About:
        state = self.state
        name = self.folder.resolve().name + (f"-{len(state.former) + 1}" if state.former else "")
        return About(self.folder, name, self.settings, state.begun, state.run, state.kept, state.group)

    def go_on(self, final: bool = False) -> int:
        """Sends what is new and safe; gives the number of rows.

        Args:
            final: whether the session of the run is over: films of its end and weights are sent, too.

        Raises:
            InputError: the folder holds another past than the one that was sent, as after a resume with --exact.
        """
        if not self.reader.still_fits():
            raise InputError(f"{self.folder} was cut back behind what was sent; allowed: to send it once more")
        before = self.reader.count
        self.send_rows()
        steps = Steps(self.folder)
        self.send_films(steps, final)
        if final:
            self.send_tests(steps)
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

    def send_films(self, steps: Steps, final: bool) -> None:
        """Films of tests within the training; at the end those of its end, and of `evaluate`, too."""
        for file in sorted((self.folder / "videos").glob("*.mp4")):
            mark = digest_of(file)
            if self.state.films.get(file.name) == mark:
                continue
            found, within = FILM.match(file.stem), FILM.fullmatch(file.stem) is not None
            update = None if found is None else int(found[1])
            is_safe = final if not within or update is None else update <= steps.newest_update
            if not is_safe:  # a resume may film it again: also where a run was killed, which is the end of its session
                continue
            step = steps.newest if update is None else steps.at(update)
            self.tracker.video("eval/video" if within else f"videos/{file.stem}", file, step)
            self.given("films", file.name, mark)

    def send_tests(self, steps: Steps) -> None:
        """What `triptych evaluate` has found so far."""
        for name, test in read_evaluations_by_name(self.folder).items():
            mark = sha256(self.folder / "evaluations" / f"{name}.json")
            if self.state.tests.get(name) != mark:
                values = {"reward": test["mean"], "reward_low": test["low"], "reward_high": test["high"]}
                if lengths := test["lengths"]:
                    values["length"] = sum(lengths) / len(lengths)
                self.tracker.test(name, values | {"games": test["games"]}, steps.at(test["updates"]))
                self.given("tests", name, mark)

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
            self.given("weights", alias, marks[alias])
        self.state.weights = marks

    def given(self, kind: str, name: str, mark: str) -> None:
        """A film, a test or weights have been given to the tool."""
        getattr(self.state, kind)[name] = mark
        if self.tracker.late:
            self.state.unsure.append((kind, name))
        self.write()

    def write(self) -> None:
        """Keeps in the folder how far the tool has come."""
        self.state.kept = dict(self.tracker.kept())
        self.state.sent, self.state.places = self.reader.count, self.reader.places
        self.state.write(self.folder, self.name)


def digest_of(file: Path) -> str:
    """The SHA-256 of a film, which is read again only where it has changed."""
    told = file.stat()
    return digest_as_of(file, told.st_size, told.st_mtime_ns)


@functools.lru_cache(4096)
def digest_as_of(file: Path, size: int, changed: int) -> str:
    return sha256(file)
