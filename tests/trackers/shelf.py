"""A tracker that knows what it holds, to see what a mirror sends, and helpers to look."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.trackers.runs import HandMade
from triptych.trackers.base import About, Point
from triptych.trackers.mirror import Mirror


class Shelf:
    """A tracker's server: what it holds of each run, in the order in which it came."""

    def __init__(self) -> None:
        self.runs: dict[str, list[Point]] = {}
        self.settings: dict[str, Mapping[str, Any]] = {}
        self.files: list[tuple[str, str, int]] = []
        self.numbers = itertools.count()
        self.dies_at: int | None = None  # the mirror is killed when it holds so many rows
        self.loses: set[str] = set()  # films that it was given, and had not written when it was killed


class OnShelf:
    """A tracker that knows what it holds."""

    where, late = "on the shelf", True

    def __init__(self, shelf: Shelf, about: About):
        self.shelf = shelf
        self.run = about.run if about.run in shelf.runs else f"{about.name} {next(shelf.numbers)}"
        self.points = shelf.runs.setdefault(self.run, [])
        shelf.settings[self.run] = about.settings

    def held(self) -> int | None:
        return len(self.points)

    def films(self) -> set[str]:
        return {name for _, name, _ in self.shelf.files if name.endswith(".mp4")} - self.shelf.loses

    def rows(self, points: Sequence[Point]) -> None:
        for point in points:
            if self.shelf.dies_at == len(self.points):
                self.shelf.dies_at = None
                raise KeyboardInterrupt
            self.points.append(point)

    def test(self, name: str, values: Mapping[str, float], step: int) -> None:
        self.shelf.files.append((name, f"{values['reward']} {values['length']}", step))

    def video(self, name: str, file: Path, step: int) -> None:
        self.shelf.files.append((name, file.name, step))

    def weights(self, alias: str, files: Mapping[str, Path], step: int) -> None:
        self.shelf.files.append((alias, " ".join(files), step))

    def kept(self) -> Mapping[str, Any]:
        return {}

    def close(self) -> None:
        pass


def send(run: HandMade, final: bool = False) -> None:
    with Mirror(run.path, "shelf", patience=0) as one:
        one.go_on(final)


def shown(points: Sequence[Point]) -> list[tuple[int, int]]:
    """Each row's place and step, as a tracker has them."""
    return [(point.index, point.step) for point in points]


def of_folder(run: HandMade) -> list[tuple[int, int]]:
    steps = sorted(int(row["steps"]) for table in ("episodes", "metrics") for row in run.rows(table))
    return list(enumerate(steps))
