"""KungFuMaster with recurrent A2C: one update a rollout."""

import dataclasses

from triptych.algorithms import a2c
from triptych.recipes.catalogue import kung_fu_master

original = kung_fu_master.recipe

recipe = dataclasses.replace(
    original,
    algorithm=a2c.Config(rollout_steps=20, gamma=0.99, gae_lambda=0.95, entropy_weight=0.01, reward="sign"),
    optimiser=dataclasses.replace(original.optimiser, learning_rate=7e-4),
)
