"""A3C's workers on nodes of a cluster, one of which is added and then lost. The cluster is this test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.raylets import Raylets
from tests.training.test_actors import SMALL, Counted, check_log
from triptych import train


def test_a_node_that_is_lost_costs_its_worker_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker plays on elsewhere; no episode is logged twice, and none is missing."""
    with Raylets() as raylets:
        for name, value in raylets.variables.items():
            monkeypatch.setenv(name, value)
        raylets.add(1)
        second = raylets.add(1)  # of two workers with a core each one plays here
        patient = SMALL | {"algorithm.worker_timeout": 120.0}
        counted = Counted({600: lambda run: raylets.kill(second)})
        run = train(
            "cartpole-a3c", on="ray", address=raylets.address, workers=2, steps=4_000, runs_dir=tmp_path, callbacks=[counted], **patient
        )  # fmt: skip
    assert run.stopped_by == "steps"
    assert counted.then == {}
    assert run.worker_deaths >= 1  # a new one may be sent to the lost node before the cluster has noticed
    assert run.steps == counted.steps
    assert len(check_log(run.path, counted)) == counted.ends
