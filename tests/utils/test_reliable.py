"""Performance profile, probability of improvement, interquartile mean: against rliable's own numbers and a plain count."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from triptych.utils.differences import holm, welch
from triptych.utils.reliable import interquartile_mean, performance_profile, probability_of_improvement

RLIABLE = json.loads(
    (Path(__file__).parent / "rliable" / "numbers.json").read_text(encoding="utf-8")
)  # see make.py there
SCORES, POINTS = RLIABLE["scores"], RLIABLE["points"]
NEAR = 0.06  # how far the ends of two bootstraps of the same scores may be apart


def test_the_probability_of_improvement_is_rliables() -> None:
    found = probability_of_improvement(SCORES["a"], SCORES["b"])
    assert found.value == pytest.approx(RLIABLE["probability_of_improvement"]["value"], abs=1e-12)
    assert [found.low, found.high] == pytest.approx(RLIABLE["probability_of_improvement"]["interval"], abs=NEAR)


@pytest.mark.parametrize("name", ["a", "b"])
def test_the_performance_profile_is_rliables(name: str) -> None:
    found, theirs = performance_profile(SCORES[name], POINTS), RLIABLE["performance_profile"][name]
    assert found.share.tolist() == pytest.approx(theirs["share"], abs=1e-12)
    for side, ours in zip(theirs["interval"], (found.low, found.high), strict=True):
        assert ours.tolist() == pytest.approx(side, abs=NEAR + 0.01)  # its ends jump by a run in fifteen


@pytest.mark.parametrize("name", ["a", "b"])
def test_the_interquartile_mean_over_tasks_is_rliables(name: str) -> None:
    found, theirs = interquartile_mean(SCORES[name]), RLIABLE["interquartile_mean"][name]
    assert found.value == pytest.approx(theirs["value"], abs=1e-12)
    assert [found.low, found.high] == pytest.approx(theirs["interval"], abs=NEAR)


def test_of_different_numbers_of_runs_every_pair_counts_and_equal_scores_count_half() -> None:
    ours, theirs = [[3.0, 1.0, 2.0], [5.0]], [[2.0, 2.0], [5.0, 6.0, 1.0]]
    counts = [
        np.mean([1.0 if a > b else 0.5 if a == b else 0.0 for a, b in product(*pair)])
        for pair in zip(ours, theirs, strict=True)
    ]
    assert counts == [0.5, 0.5]
    assert probability_of_improvement(ours, theirs).value == 0.5
    assert probability_of_improvement([[3.0, 4.0]], [[1.0, 2.0]]) == (1.0, 1.0, 1.0)


def test_a_profile_falls_from_all_runs_to_none() -> None:
    found = performance_profile([[1.0, 2.0, 3.0, 4.0]], [0.0, 1.0, 2.5, 4.0])
    assert found.share.tolist() == [1.0, 0.75, 0.5, 0.0], "a run counts above a score, not at it"
    assert (found.low <= found.share).all()
    assert (found.share <= found.high).all()


def test_the_same_scores_give_the_same_interval() -> None:
    assert probability_of_improvement(SCORES["a"], SCORES["b"]) == probability_of_improvement(SCORES["a"], SCORES["b"])


def test_welchs_test_is_the_textbooks() -> None:
    """By hand: the means 2 and 5, the variances of the means 1/3 and 4/3, so t = -3 / sqrt(5/3) with 2.94 degrees of freedom."""
    found = welch([1.0, 2.0, 3.0], [3.0, 5.0, 7.0])
    freedom = (5 / 3) ** 2 / ((1 / 3) ** 2 / 2 + (4 / 3) ** 2 / 2)
    from scipy.stats import t

    assert found.mean == -3.0
    assert found.p == pytest.approx(2 * t.cdf(-3 / (5 / 3) ** 0.5, freedom))
    assert found.low == pytest.approx(-3 - t.ppf(0.975, freedom) * (5 / 3) ** 0.5)


def test_one_run_or_no_spread_is_no_test() -> None:
    assert welch([1.0], [2.0, 3.0]).p is None
    assert welch([500.0, 500.0], [500.0, 500.0]).p is None
    assert welch([500.0, 500.0], [400.0, 500.0]).p is not None


def test_holms_correction_multiplies_the_smallest_most_and_keeps_the_order() -> None:
    assert holm([0.01, None, 0.04, 0.03]) == pytest.approx([0.03, None, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
