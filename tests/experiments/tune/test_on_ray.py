"""A search on Ray: the same trials and the same bytes, also where nodes share no disk and runs travel between their rungs."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

import triptych
from tests.experiments.test_ray import no_common_disk, raylets, rows  # noqa: F401  # a fixture
from tests.experiments.tune.test_run import CHANGES, OVER
from tests.raylets import Raylets

HOW: dict[str, Any] = {"over": OVER, "trials": 2, "window": 2, "fresh_seeds": 1, "games": 4}


def trials(result: Any) -> list[dict[str, str]]:
    with open(result.csv, encoding="utf-8") as file:
        return [{name: cell for name, cell in row.items() if name != "seconds"} for row in csv.DictReader(file)]


@pytest.mark.usefixtures("forked")
def test_the_same_trials_as_without_ray(
    raylets: Raylets,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = triptych.tune("memory-chain", runs_dir=tmp_path / "here", jobs=2, **HOW, **CHANGES)
    no_common_disk(monkeypatch)
    there = triptych.tune(
        "memory-chain", runs_dir=tmp_path / "there", on="ray", address=raylets.address, **HOW, **CHANGES
    )
    assert trials(there) == trials(here)
    assert (there.best, there.best_score, there.fresh_score) == (here.best, here.best_score, here.fresh_score)
    runs = sorted((Path(here.folder) / "trials").iterdir())
    assert len(runs) == 2
    for run in runs:
        assert rows(Path(there.folder) / "trials" / run.name) == rows(run)
