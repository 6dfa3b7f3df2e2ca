"""The algorithms, by name. One file each: its config, its network, its loss and the batch it wants."""

from __future__ import annotations

from triptych.algorithms import a2c, dqn, drqn, ppo

ALGORITHMS = {"dqn": dqn, "drqn": drqn, "a2c": a2c, "ppo": ppo}
CONFIGS = {name: module.Config for name, module in ALGORITHMS.items()}
