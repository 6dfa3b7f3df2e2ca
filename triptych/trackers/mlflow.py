"""MLflow: the server or database that `MLFLOW_TRACKING_URI` names, else MLflow's own default, `mlflow.db` in this folder.

Rows go in batches that its stores take whole or not at all, so the last row's number tells how far it has come.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, RESOURCE_DOES_NOT_EXIST, ErrorCode
from mlflow.tracking import MlflowClient

from triptych.trackers.base import PROJECT, ROW, About, Point
from triptych.trackers.mlflow_database import make_database

MOST_METRICS, MOST_PARAMS, MOST_LETTERS = 1_000, 100, 6_000  # of a batch, and of a parameter: MLflow's limits


def open_run(about: About) -> MlflowRun:
    return MlflowRun(about)


class MlflowRun:
    """A run of MLflow."""

    late = False

    def __init__(self, about: About):
        self.uri = os.environ.get("MLFLOW_TRACKING_URI") or about.kept.get("uri") or mlflow.get_tracking_uri()
        make_database(self.uri)
        self.client = MlflowClient(self.uri)
        self.about = about
        self.run = about.run if about.run and self.knows(about.run) else self.begin(about)
        self.client.update_run(self.run, status="RUNNING")
        self.where = f"run {self.run} of {self.uri}, which shows: mlflow ui --backend-store-uri {self.uri}"

    def knows(self, run: str) -> bool:
        """Whether MLflow still has the run. One that has been removed there it keeps for a while, but takes nothing for it."""
        try:
            found = self.client.get_run(run)
        except MlflowException as error:
            if error.error_code == ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
                return False
            raise
        return bool(found.info.lifecycle_stage == "active")

    def begin(self, about: About) -> str:
        begun = int(about.begun * 1000)
        tags = {"mlflow.source.name": "triptych", "env_id": about.settings["env_id"]}
        tags |= {"group": about.group} if about.group else {}
        created = self.client.create_run(self.experiment(), start_time=begun, run_name=about.name, tags=tags)
        return str(created.info.run_id)

    def experiment(self) -> str:
        """The number of the experiment, which another run may make at the same moment."""
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or PROJECT
        if (found := self.client.get_experiment_by_name(name)) is None:
            try:
                return str(self.client.create_experiment(name))
            except MlflowException as error:
                if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
                    raise
                found = self.client.get_experiment_by_name(name)
        return str(found.experiment_id)

    def held(self) -> int | None:
        there = self.client.get_run(self.run).data
        if not there.params:
            self.send_settings()
        return int(there.metrics.get(ROW, -1)) + 1

    def send_settings(self) -> None:
        params = [Param(key, str(value)[:MOST_LETTERS]) for key, value in self.about.settings.items()]
        for place in range(0, len(params), MOST_PARAMS):
            self.client.log_batch(self.run, params=params[place : place + MOST_PARAMS])

    def films(self) -> Collection[str] | None:
        """It takes them one by one, in the places of those of the same names."""
        return None

    def rows(self, points: Sequence[Point]) -> None:
        for batch in batches([metrics_of(point) for point in points]):
            self.client.log_batch(self.run, metrics=batch)

    def test(self, name: str, values: Mapping[str, float], step: int) -> None:
        time = int(self.about.begun) * 1000 + step  # always the same: what comes twice is one
        self.client.log_batch(self.run, [Metric(f"test/{name}/{key}", values[key], time, step) for key in values])

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
