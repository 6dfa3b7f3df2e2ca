"""Test games: with the weights of now, and an empty memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.checkup.streams import QUICK, Made
from triptych.checkup.monitors.tested import InTests

EMPTY, KEPT, NONE, ALL = np.zeros((4, 3)), np.ones((4, 3)), np.zeros(4, bool), np.ones(4, bool)


def signals_of(*given: Any, move: bool = False) -> list[str]:
    run = Made(**QUICK)
    monitor = run.begun(InTests())
    for _ in range(2):
        monitor.tests_begin()
        if move:
            run.learner.move()
        monitor.tests_asked(given)
        run.learner.move()  # the run learns on between the tests
    return run.found(monitor)


def test_games_with_the_weights_of_now_and_no_memory_raise_no_alarm() -> None:
    assert signals_of(np.zeros((4, 3))) == []
    assert signals_of(np.zeros((4, 3)), EMPTY, ALL) == signals_of(np.zeros((4, 3)), EMPTY, NONE) == []
    assert signals_of(np.zeros((4, 3)), KEPT, ALL) == []


def test_other_weights_are_told() -> None:
    assert signals_of(np.zeros((4, 3)), move=True) == ["tested-other-weights"]


def test_games_that_somebody_else_plays_are_told() -> None:
    run = Made(**QUICK)
    for asked, told in ((0.9, []), (0.2, ["tested-another-network"])):
        monitor, rng = run.begun(InTests()), np.random.default_rng(0)
        for _ in range(60):
            if rng.random() < asked:
                monitor.tested(KEPT, NONE)
            else:
                monitor.tests_unasked(NONE)
        assert run.found(monitor) == told


def test_a_memory_that_is_not_empty_is_told() -> None:
    assert signals_of(np.zeros((4, 3)), KEPT, NONE) == ["tested-with-a-state"]
