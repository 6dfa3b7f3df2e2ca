"""The precisions of a run."""

from __future__ import annotations

from typing import Literal

from triptych.spec.layers import LAYERS as LAYERS  # one door for whoever writes a network

Precision = Literal["float32", "float64", "bfloat16"]
LARGEST_FLOAT32 = 3.4028234663852886e38  # a reward beyond it is infinite where it is learned from
PRECISIONS: tuple[Precision, ...] = ("float32", "float64", "bfloat16")


def dtypes(precision: str) -> tuple[str, str]:
    """NumPy's names for what is stored, and for what the layers without memory below the head multiply.

    bfloat16 has 8 bits of mantissa: enough for a layer's products, too few for Q values, sums, small steps and states.
    """
    return ("float32", "bfloat16") if precision == "bfloat16" else (precision, precision)
