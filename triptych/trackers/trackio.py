"""trackio: a database in ~/.cache/huggingface/trackio (`TRACKIO_DIR`), or the Space or server that its variables name."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import trackio
from trackio.sqlite_storage import SQLiteStorage

from triptych.trackers.base import FILM, PROJECT, ROW, About, Point, plain_name

VALUE = """json_extract(CAST(metrics AS TEXT), '$."%s"')"""
LAST_ROW = f"SELECT MAX(CAST({VALUE % ROW} AS INTEGER)) AS row FROM metrics WHERE run_id = '%s'"
FILMS = f"SELECT DISTINCT {VALUE % FILM} AS film FROM metrics WHERE run_id = '%s' AND film IS NOT NULL LIMIT 10000"


def open_run(about: About) -> TrackioRun:
    return TrackioRun(about)


class TrackioRun:
    """A run of trackio. Runs are found again by their names there, so each has one of its own in its project."""

    late = True

    def __init__(self, about: About):
        self.project = about.kept.get("project") or os.environ.get("TRACKIO_PROJECT") or PROJECT
        self.name = about.kept.get("name") or free_name(self.project, about.name)
        self.open: Any = trackio.init(
            self.project, self.name, group=about.group, config=settings_of(about),
            resume="allow" if about.run else "never", embed=False, auto_log_cpu=False, auto_log_gpu=False,
        )  # fmt: skip
        self.run: str = self.open.id
        self.where = f'trackio show --project "{self.project}"'

    def held(self) -> int | None:
        """What the database holds; a Space or a server is not asked."""
        found = self.ask(LAST_ROW)
        return (
            None if found is None else max((int(one["row"]) + 1 for one in found if one["row"] is not None), default=0)
        )

    def films(self) -> Collection[str] | None:
        found = self.ask(FILMS)
        return None if found is None else {str(one["film"]) for one in found}

    def ask(self, query: str) -> list[dict[str, Any]] | None:
        """What the database on this machine answers; None: the run is elsewhere."""
        if not self.open._is_local:
            return None
        if SQLiteStorage.get_run_config(self.project, self.name, self.run) is None:
            return []
        answer: list[dict[str, Any]] = SQLiteStorage.query_project(self.project, query % self.run)["rows"]
        return answer

    def rows(self, points: Sequence[Point]) -> None:
        for point in points:
            self.open.log(point.marked(), step=point.step)

    def test(self, name: str, values: Mapping[str, float], step: int) -> None:
        self.open.log({f"test/{name}/{key}": value for key, value in values.items()}, step=step)

    def video(self, name: str, file: Path, step: int) -> None:
        self.open.log({name: trackio.Video(str(file)), FILM: file.name}, step=step)

    def weights(self, alias: str, files: Mapping[str, Path], step: int) -> None:
        artifact = trackio.Artifact(plain_name(f"{self.name}-weights"), type="model", metadata={"step": step})
        for name, file in files.items():
            artifact.add_file(str(file), name=name)
        self.open.log_artifact(artifact, aliases=[alias])

    def kept(self) -> Mapping[str, Any]:
        """Rows are written a moment later; how many there are, `held` asks the database."""
        return {"project": self.project, "name": self.name}

    def close(self) -> None:
        trackio.finish()


def settings_of(about: About) -> dict[str, Any]:
    """The settings; names that begin with _ are trackio's own."""
    return {name.lstrip("_"): value for name, value in about.settings.items()}


def free_name(project: str, name: str) -> str:
    """The name, with the first number that makes it one of its own."""
    taken = set(SQLiteStorage.get_runs(project))
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free
