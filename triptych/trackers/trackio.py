"""trackio: a database in ~/.cache/huggingface/trackio (`TRACKIO_DIR`), or the Space or server that its variables name."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import trackio
from trackio.sqlite_storage import SQLiteStorage

from triptych.trackers.base import PROJECT, ROW, About, Point, plain_name

LAST_ROW = f"""SELECT MAX(CAST(json_extract(CAST(metrics AS TEXT), '$."{ROW}"') AS INTEGER)) AS row FROM metrics WHERE run_id = '%s'"""


def open_run(about: About) -> TrackioRun:
    return TrackioRun(about)


class TrackioRun:
    """A run of trackio. Runs are found again by their names there, so each has one of its own in its project."""

    def __init__(self, about: About):
        self.project = about.kept.get("project") or os.environ.get("TRACKIO_PROJECT") or PROJECT
        self.name = about.kept.get("name") or free_name(self.project, about.name)
        self.open: Any = trackio.init(
            self.project, self.name, config=settings_of(about), resume="allow" if about.run else "never",
            embed=False, auto_log_cpu=False, auto_log_gpu=False,
        )  # fmt: skip
        self.run: str = self.open.id
        self.where = f'trackio show --project "{self.project}"'

    def held(self) -> int | None:
        """What the database holds; a Space or a server is not asked."""
        if not self.open._is_local or SQLiteStorage.get_run_config(self.project, self.name, self.run) is None:
            return None if not self.open._is_local else 0
        last = SQLiteStorage.query_project(self.project, LAST_ROW % self.run)["rows"][0]["row"]
        return 0 if last is None else int(last) + 1

    def rows(self, points: Sequence[Point]) -> None:
        for point in points:
            self.open.log(point.marked(), step=point.step)

    def test(self, name: str, values: Mapping[str, float], step: int) -> None:
        self.open.log({f"test/{name}/{key}": value for key, value in values.items()}, step=step)

    def video(self, name: str, file: Path, step: int) -> None:
        self.open.log({name: trackio.Video(str(file))}, step=step)

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
