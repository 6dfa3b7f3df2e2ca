"""Updates that nobody counts."""

from __future__ import annotations

from types import SimpleNamespace as Fake
from typing import Any

import pytest

from triptych.checkup.monitors.uncounted import Uncounted


def judged(heard: int, made: int, family: str = "off-policy") -> int:
    """Findings in the second of two rounds."""
    monitor = Uncounted()
    run: Any = Fake(counters=Fake(updates=10, steps=0), recipe=Fake(algorithm=Fake(family=family)))
    monitor.begin(run)
    for _ in range(heard):
        monitor.learned(0, None, 0.1, {})
    run.counters.updates += made
    assert not list(monitor.judge(run))
    return len(list(monitor.judge(run)))


@pytest.mark.parametrize(("heard", "made", "found"), [(5, 5, 0), (6, 5, 1), (0, 5, 0)])
def test_more_updates_than_the_run_counts_are_told(heard: int, made: int, found: int) -> None:
    assert judged(heard, made) == found


def test_workers_are_counted_otherwise() -> None:
    assert judged(9, 5, "asynchronous") == 0
