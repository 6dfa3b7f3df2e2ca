"""Numbers of comparisons as a person writes them."""

from __future__ import annotations

from triptych.report.handin.document import Cell
from triptych.report.numbers import score
from triptych.utils.differences import Difference

SURE = 0.05  # p below which a difference is called one
FEW = 10  # runs of a group below which a bootstrap interval is too narrow


def between(low: float | None, high: float | None) -> str:
    """`12.0 to 31.5`; "" where there is no interval or it has no width."""
    return "" if low is None or high is None or low == high else f"{score(low)} to {score(high)}"


def estimate(values: tuple[float, float, float], strong: bool = False) -> Cell:
    mean, low, high = values
    return Cell(score(mean), between(low, high), strong=strong)


def signed(value: float) -> str:
    """`+12.0`, `-3.50`, `0`."""
    return "0" if value == 0 else f"{'+' if value > 0 else '-'}{score(abs(value))}"


def difference(found: Difference) -> Cell:
    low, high = found.low, found.high
    return Cell(signed(found.mean), "" if low is None or high is None else f"{signed(low)} to {signed(high)}")


def p_value(p: float | None) -> str:
    """`p = 0.012`; with another digit where it would be read as lying on the other side of what is sure."""
    if p is None:
        return ""
    if p < 0.001:
        return "p < 0.001"
    near = round(p, 3) == SURE and p != SURE
    return f"p = {p:.5f}" if near else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def reading(found: Difference, p: float | None, runs: int) -> str:
    """What a test says of the first group, in a word; `runs`: of the smaller group."""
    if p is None:
        return "one run: no test" if runs < 2 else "no spread: no test"
    return "not told apart" if p >= SURE else "higher" if found.mean > 0 else "lower"


def chances(values: tuple[float, float, float]) -> Cell:
    """A probability, or a share, and its interval."""
    value, low, high = (round(one, 2) + 0.0 for one in values)  # no -0.00
    return Cell(f"{value:.2f}", "" if low == high else f"{low:.2f} to {high:.2f}")


def joined(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""
