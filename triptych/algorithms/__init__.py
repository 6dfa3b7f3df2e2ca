"""The algorithms, by name. One file each: its config, its network, its loss and the batch it wants."""

from __future__ import annotations

from triptych.algorithms import dqn, drqn

ALGORITHMS = {"dqn": dqn, "drqn": drqn}
CONFIGS = {name: module.Config for name, module in ALGORITHMS.items()}
