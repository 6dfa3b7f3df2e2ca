"""Blank observations at an episode's end."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.checkup.monitors.finals import Finals
from triptych.envs import Step


def heard(blank_ends: int, blank_before: int = 0) -> list[str]:
    """What is found in ten episodes of three steps."""
    monitor = Finals()
    for episode in range(10):
        for t in range(3):
            blank = (t == 2 and episode < blank_ends) or (t == 1 and episode < blank_before)
            obs = np.zeros((1, 4)) if blank else np.arange(4.0)[None]
            ended = np.array([t == 2])
            monitor.received(0, Step(obs, np.ones(1), ended, ~ended & False))
    return [finding.signal.name for finding in monitor.judge(None)]  # type: ignore[arg-type]


@pytest.mark.parametrize(("ends", "before", "found"), [(10, 0, 1), (0, 0, 0), (5, 0, 0), (10, 10, 0)])
def test_only_ends_that_are_blank_where_the_steps_before_are_not(ends: int, before: int, found: int) -> None:
    assert heard(ends, before) == ["final-observation-blank"] * found
