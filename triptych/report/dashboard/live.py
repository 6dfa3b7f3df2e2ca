"""The runs of a folder as they are now: what the page asks for. It reads, and writes nothing."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from triptych.report import colours, figures
from triptych.report.command import flat
from triptych.report.dashboard.files import changed, locked
from triptych.report.dashboard.find import Found, find, readable
from triptych.report.dashboard.plotted import SPEED, curve, mean, needed
from triptych.report.dashboard.seen import seen
from triptych.report.dashboard.status import Status, signature, status_of
from triptych.report.dashboard.status import told as status_told
from triptych.report.dashboard.tail import Tail
from triptych.report.dashboard.warnings import error_text, warnings
from triptych.report.films import film_name, is_file_itself, newest
from triptych.report.logs import AXES
from triptych.report.numbers import plain
from triptych.runs.names import LOGS
from triptych.utils.checks import InputError
from triptych.utils.files import is_link

MOST_BYTES = 600_000_000  # of logs that are kept in memory; those not asked for longest go first
MOST_OVERLAID = 60  # runs in one answer
FRESH = 1.0  # seconds for which the list of runs is not read again; longer where reading it takes long
SELDOM = 20  # times as long as it takes
ON_AXES = ("steps", "episode", "seconds", "updates", "frames")
Logs = tuple[Tail, Tail]


class UnknownRunError(LookupError):
    """There is no such run, or no such file of it."""


class Live:
    """A folder of runs. Its methods may be called from several threads.

    Args:
        root: the folder; a run's own, and the page shows that run alone.
    """

    def __init__(self, root: Path):
        self.root = root
        self.lock = threading.Lock()
        self.found = Found()
        self.due = 0.0  # when it is read again
        self.logs: dict[str, Logs] = {}
        self.asked = 0
        self.statuses: dict[str, tuple[tuple[Any, ...], Status]] = {}  # and what each was read of

    def about(self) -> dict[str, Any]:
        """What does not change while the page is open."""
        return {
            "root": readable(str(self.root)),
            "axes": [[axis, AXES[axis]] for axis in ON_AXES],
            "titles": figures.TITLES | {SPEED: "steps a second"},
            "lead": list(figures.REWARDS),
            "colours": colours.ALL,
            "of_frameworks": colours.FRAMEWORK,
            "dashes": colours.DASHES,
        }

    def runs(self) -> dict[str, Any]:
        """All runs, a row each: those that go on, the last begun first, so that none changes its place; then the last written."""
        found, held = self.list(), locked()
        statuses = [self.status(name, path, held) for name, path in found.runs.items()]
        statuses.sort(
            key=lambda run: (run.state != "running", -(run.begun if run.state == "running" else run.written), run.name)
        )
        return {"runs": [status_told(run) for run in statuses], "is_cut": found.is_cut, "time": time.time()}

    def status(self, name: str, path: Path, held: set[tuple[str, int]] | None) -> Status:
        """How a run stands, read again where anything of it has changed."""
        now = signature(path, held)
        before = self.statuses.get(name)
        if before is not None and before[0] == now:
            return before[1]
        found = status_of(name, path, held)
        self.statuses[name] = now, found
        return found

    def list(self) -> Found:
        with self.lock:
            began = time.monotonic()
            if began >= self.due:
                self.found = find(self.root)
                self.due = time.monotonic() + max(FRESH, SELDOM * (time.monotonic() - began))
                for known in (self.logs, self.statuses):
                    for name in known.keys() - self.found.runs.keys():
                        del known[name]
            return self.found

    def path_of(self, name: str) -> Path:
        """Where a run lies. Only what was found can be asked for, so no name leads out of the folder.

        Raises:
            UnknownRunError
        """
        path = self.found.runs.get(name) or self.list().runs.get(name)
        if path is None or (path != self.root and is_link(path)):
            raise UnknownRunError(name)
        return path

    def logs_of(self, name: str, column: str = "", axis: str = "") -> Logs:
        """A run's logs as far as they have grown; of a column over an axis only those that it is drawn from. The lock is held."""
        path = self.path_of_known(name)
        logs = self.logs.setdefault(name, (Tail(path / LOGS[0]), Tail(path / LOGS[1])))
        self.asked += 1
        for log in logs:
            log.asked = self.asked
        for log in needed(logs, column, axis) if column else logs:
            log.refresh()
        return logs

    def path_of_known(self, name: str) -> Path:
        if name not in self.found.runs:
            raise UnknownRunError(name)
        return self.found.runs[name]

    def make_room(self) -> None:
        """Forgets logs where they take too much memory, but for those asked for just now."""
        total = sum(log.nbytes for logs in self.logs.values() for log in logs)
        for name in sorted(self.logs, key=lambda name: self.logs[name][0].asked)[:-MOST_OVERLAID]:
            if total < MOST_BYTES:
                return
            total -= sum(log.nbytes for log in self.logs.pop(name))

    def curves(
        self, names: Sequence[str], versions: Sequence[str], column: str, axis: str, smooth: int, points: int
    ) -> dict[str, Any]:
        """A column of some runs, over an axis.

        Args:
            versions: of each run's curve that the page has already, "" for none: one that has not changed is not sent again.
        """
        check_axis(axis)
        found: dict[str, Any] = {}
        known = dict(zip(names, [*versions, *[""] * len(names)], strict=False))
        self.list()
        for name in names[:MOST_OVERLAID]:
            with self.lock:
                if name not in self.found.runs:
                    continue
                episodes, metrics = self.logs_of(name, column, axis)
                version = f"{episodes.version}-{metrics.version}"
                found[name] = {"version": version}
                if known.get(name) != version:
                    found[name] |= curve(episodes, metrics, column, axis, smooth, points)
        with self.lock:
            self.make_room()
        return found

    def means(
        self, names: Sequence[str], known: Mapping[str, str], column: str, axis: str, smooth: int, points: int
    ) -> dict[str, Any]:
        """The mean of a column for each group of seeds among some runs, by its first run's name.

        Args:
            known: as `versions` of `curves`, by that name.
        """
        check_axis(axis)
        self.list()
        groups: dict[str, dict[int | None, list[str]]] = {}
        held = locked()
        for name in [name for name in dict.fromkeys(names) if name in self.found.runs][:MOST_OVERLAID]:
            run = self.status(name, self.found.runs[name], held)
            groups.setdefault(run.group, {}).setdefault(run.seed, []).append(name)
        found: dict[str, Any] = {}
        for seeds in groups.values():
            members = [name for names in seeds.values() for name in names]
            if len(members) < 2 or len(seeds) < len(members):  # the same seed twice is no second seed
                continue
            with self.lock:
                logs = [self.logs_of(name, column, axis) for name in members]
                versions = [f"{episodes.version}-{metrics.version}" for episodes, metrics in logs]
                version = hashlib.sha256(repr((members, versions)).encode()).hexdigest()[:16]
                found[members[0]] = {"version": version}
                if known.get(members[0]) != version:
                    nothing: dict[str, list[float]] = {"x": [], "mean": [], "low": [], "high": []}
                    found[members[0]] |= mean(logs, column, axis, smooth, points) or nothing
        return found

    def run(self, name: str) -> dict[str, Any]:
        """One run in all detail."""
        run = self.status(name, self.path_of(name), locked())
        with self.lock:
            episodes, metrics = self.logs_of(name)
            lines = warnings(run, episodes, metrics)
        films = newest_films(run.path)
        return status_told(run) | {
            "last": run.last,
            "best": {key: run.summary.get(key) for key in ("best_score", "best_step")},
            "warnings": lines,
            "error": error_text(run),
            "film": film_told(films[0]) if films else None,
            "settings": [[path, plain(value)] for path, value in sorted(flat(run.recipe).items())],
        }

    def now(self, name: str) -> dict[str, Any]:
        """What a run's agent sees. Empty where it has left nothing."""
        return seen(self.status(name, self.path_of(name), locked())) or {}

    def film(self, name: str, file: str) -> Path:
        """A film of a run, by its file's name.

        Raises:
            UnknownRunError: it has none of that name.
        """
        for film in newest_films(self.path_of(name)):
            if readable(film.name) == file:
                return film
        raise UnknownRunError(file)


def check_axis(axis: str) -> None:
    if axis not in ON_AXES:
        raise InputError(f"axis is {axis!r}; allowed: {', '.join(ON_AXES)}")


def film_told(film: Path) -> dict[str, Any]:
    return {"file": readable(film.name), "name": film_name(readable(film.stem)), "written": changed(film)}


def newest_films(folder: Path) -> list[Path]:
    """A run's films, the last made first. None behind a link."""
    found = [(changed(file), file) for file in newest(folder / "videos", "*.mp4") if is_file_itself(file)]
    return [file for _, file in sorted(found, reverse=True)]
