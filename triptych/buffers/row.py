"""What the store keeps of a step."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

# What is kept of a step in one game beside its frame, in the order of a segment; the one place of their dtypes.
FIELDS = {
    "action": "int32",
    "reward": "float64",  # raw
    "terminated": "bool",
    "lost_life": "bool",  # with the action, whether or not the episode went on
    "mask": "bool",  # an action was taken here
    "age": "int32",  # steps since the episode's first observation
}


class Row(NamedTuple):
    """One step of every game, as the store takes it."""

    obs: Any  # [N, *observation] that the games showed; of several parts a dict of them
    action: np.ndarray  # [N] taken there
    reward: np.ndarray  # [N] raw, after the action
    terminated: np.ndarray  # [N] bool, the action ended the episode for good
    mask: np.ndarray  # [N] bool, an action was taken; False: obs is an episode's last one
    lost_life: np.ndarray | None = None  # [N] bool, the action lost a life; None: none was lost
    state: np.ndarray | None = None  # [N, S] of the agent before it saw obs; None: zeros, where they are kept
    teacher: np.ndarray | None = None  # [N, A] that a teacher gave for obs; None: it was not asked
