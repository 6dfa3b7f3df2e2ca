"""Networks that say the same of everything at first, as one whose last layer begins at zero does: they are updated before they are judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from triptych.checkup.looks import NotSeen
from triptych.checkup.own.protocol import Own

UPDATES = 8  # after which a last layer that began at zero has long moved
FIRST = "its values are the same for every input, as of a last layer that begins at zero"


def is_same(said: np.ndarray) -> bool:
    """Whether outputs [N, ...] of different inputs are the same to the last bit."""
    return bool(np.isfinite(said).all() and np.ptp(said, axis=0).max() == 0)


def may_begin_at_zero(own: Own) -> bool:
    """Whether a layer's weights are all 0, as far as is known."""
    if "weights" not in own.has:
        return True
    return any(array.ndim > 1 and not array.any() for array in own.weights().values())


def awaken(own: Own, ask: Callable[[], np.ndarray], learn: Callable[[int], Any]) -> np.ndarray:
    """What a network says [N, ...] of different inputs, after updates where it says the same of all at first.

    Args:
        ask: the network's answer.
        learn: one update, of this number.

    Raises:
        NotSeen: no update can be made here.
    """
    said = ask()
    if not is_same(said) or own.updates or not may_begin_at_zero(own):
        return said
    if "learn" not in own.has:
        raise NotSeen(f"{FIRST}, and no method learn to move it")
    if not own.fresh:
        raise NotSeen(f"{FIRST}; looked at again after the updates")
    for number in range(UPDATES):
        learn(number)
        if not is_same(said := ask()):
            break
    return said
