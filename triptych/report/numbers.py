"""Numbers and settings as a person writes them: no powers of ten, no prefixes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def plain(value: Any) -> str:
    """A setting as a person writes it: `0.00025`, `10,000`, `yes`."""
    if value is None or value in ([], (), {}):
        return "-"
    if isinstance(value, list | tuple):
        return " ".join(map(plain, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(item)}" for key, item in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float) and math.isfinite(value):
        return np.format_float_positional(float(f"{value:.12g}"), trim="-")  # 0.0003, not 0.00030000000000000003
    return str(value)


def score(value: float | None) -> str:
    """A reward: two places below ten, one above."""
    if value is None or not math.isfinite(value):
        return "-"
    return f"{value:,.2f}" if abs(value) < 10 else f"{value:,.1f}"


def whole(value: float | None) -> str:
    return "-" if value is None or not math.isfinite(value) else f"{value:,.0f}"


def finite(value: Any) -> float | None:
    """A number that was recorded; None: there is none, or it is no finite one."""
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def percent(share: float) -> str:
    return f"{plain(float(f'{share * 100:.3g}'))} %"
