"""Two one-sided tests: what they find, and how often they are wrong."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.utils.checks import InputError
from triptych.utils.equivalence import check_margin, difference_of_means, equivalences


def test_the_interval_by_hand() -> None:
    """Welch's interval of a textbook's size: equal variances of 2.5 over 5 values each, so 8 degrees of freedom."""
    a, b = [1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 3.0, 4.0, 5.0, 6.0]
    half = 1.8595 * np.sqrt(2.5 / 5 + 2.5 / 5)  # the 95 % quantile of t with 8 degrees of freedom
    assert difference_of_means(a, b) == pytest.approx((-1.0, -1.0 - half, -1.0 + half), abs=1e-3)
    assert difference_of_means([7.0, 7.0], [5.0, 5.0]) == (2.0, 2.0, 2.0)


def test_what_differs_by_the_margin_is_rarely_called_equivalent() -> None:
    rng = np.random.default_rng(0)
    wrong = same = 0
    for _ in range(1_000):
        near, far, base = rng.standard_normal(8), rng.standard_normal(8) + 2, rng.standard_normal(8)
        found = equivalences({"base": base.tolist(), "near": near.tolist(), "far": far.tolist()}, 2.0)
        assert [test.frameworks for test in found] == [["base", "near"], ["base", "far"], ["near", "far"]]
        same += bool(found[0].equivalent)
        wrong += bool(found[1].equivalent)
    assert wrong / 1_000 == pytest.approx(0.05, abs=0.02)
    assert same / 1_000 > 0.9


def test_what_cannot_be_tested() -> None:
    assert not equivalences({}, 1.0), "all runs failed"
    assert not equivalences({"torch": [1.0, 2.0], "jax": [1.0]}, 1.0), "a single run tells nothing"
    [flat] = equivalences({"torch": [500.0, 500.0], "jax": [500.0, 500.0]}, 1.0)
    assert flat.equivalent is None, "at the ceiling nothing is shown"
    [near] = equivalences({"torch": [500.0, 500.0], "jax": [500.0, 499.0]}, 5.0)
    assert near.equivalent is True, "where one of them spreads there is something to test with"
    check_margin(None, 1, 1)
    for given, line in (
        ((-1, 2, 2), "margin is -1; allowed: above 0"),
        ((5.0, 1, 2), "seeds is 1; allowed: 2 or more with a margin"),
        ((5.0, 2, 1), "frameworks is 1; allowed: 2 or more with a margin"),
    ):
        with pytest.raises(InputError, match=line):
            check_margin(*given)
