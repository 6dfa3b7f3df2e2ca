"""The algorithms, by name. One file each: its config, its network, its loss and the batch it wants.

May be in here: settings, and what is put together of `losses`. May not: a buffer, a game, a framework, a training.
"""

from __future__ import annotations

from triptych.algorithms import a2c, dqn, drqn, ppo

ALGORITHMS = {"dqn": dqn, "drqn": drqn, "a2c": a2c, "ppo": ppo}
CONFIGS = {name: module.Config for name, module in ALGORITHMS.items()}
