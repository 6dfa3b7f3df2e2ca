"""MLflow: the server or database that `MLFLOW_TRACKING_URI` names, else MLflow's own default, `mlflow.db` in this folder.

Rows go in batches that its stores take whole or not at all, so the last row's number tells how far it has come.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from triptych.trackers.base import PROJECT, ROW, About, Point

MOST_METRICS, MOST_PARAMS, MOST_LETTERS = 1_000, 100, 6_000  # of a batch, and of a parameter: MLflow's limits


def open_run(about: About) -> MlflowRun:
    return MlflowRun(about)


class MlflowRun:
    """A run of MLflow."""

    def __init__(self, about: About):
        self.uri = os.environ.get("MLFLOW_TRACKING_URI") or about.kept.get("uri") or mlflow.get_tracking_uri()
        self.client = MlflowClient(self.uri)
        self.old = self.known(about.run)
        self.run = about.run if self.old is not None and about.run else self.begin(about)
        self.client.update_run(self.run, status="RUNNING")
        self.where = f"run {self.run} of {self.uri}, which shows: mlflow ui --backend-store-uri {self.uri}"

    def known(self, run: str | None) -> Any:
        """The run as MLflow has it; None: it has none, or not any more."""
        try:
            found = self.client.get_run(run) if run else None
        except MlflowException:
            return None
        return found if found is not None and found.info.lifecycle_stage == "active" else None

    def begin(self, about: About) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or PROJECT
        experiment = self.client.get_experiment_by_name(name)
        number = experiment.experiment_id if experiment else self.client.create_experiment(name)
        begun = int(about.begun * 1000)
        run: str = self.client.create_run(number, start_time=begun, run_name=about.name).info.run_id
        params = [Param(key, str(value)[:MOST_LETTERS]) for key, value in about.settings.items()]
        for place in range(0, len(params), MOST_PARAMS):
            self.client.log_batch(run, params=params[place : place + MOST_PARAMS])
        self.client.log_batch(
            run, tags=[RunTag("mlflow.source.name", "triptych"), RunTag("env_id", about.settings["env_id"])]
        )
        return run

    def held(self) -> int | None:
        if self.old is None:
            return 0
        return int(self.old.data.metrics.get(ROW, -1)) + 1

    def rows(self, points: Sequence[Point]) -> None:
        for batch in batches([metrics_of(point) for point in points]):
            self.client.log_batch(self.run, metrics=batch)

    def test(self, name: str, values: Mapping[str, float], step: int) -> None:
        for key, value in values.items():
            self.client.log_metric(self.run, f"test/{name}/{key}", value, step=step)

    def video(self, name: str, file: Path, step: int) -> None:
        self.client.log_artifact(self.run, str(file), "videos")

    def weights(self, alias: str, files: Mapping[str, Path], step: int) -> None:
        for name, file in files.items():
            self.client.log_artifact(self.run, str(file), str(Path("weights", alias, name).parent.as_posix()))

    def kept(self) -> Mapping[str, Any]:
        return {"uri": self.uri}

    def close(self) -> None:
        self.client.set_terminated(self.run)


def metrics_of(point: Point) -> list[Metric]:
    """A row's numbers. Neighbours never have the same time, as MLflow would take equal ones for one; of the same row it is always the same."""
    time = int(point.time) * 1000 + point.index % 1000  # ms since 1970
    return [Metric(key, value, time, point.step) for key, value in point.marked().items()]


def batches(rows: Sequence[list[Metric]]) -> Iterator[list[Metric]]:
    """Rows put together to batches; none is torn."""
    batch: list[Metric] = []
    for row in rows:
        if len(batch) + len(row) > MOST_METRICS:
            yield batch
            batch = []
        batch = batch + row
    if batch:
        yield batch
