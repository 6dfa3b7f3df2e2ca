"""A sign shown once must be named 50 steps later, with recurrent A3C: two workers of 16 games each."""

import dataclasses

from triptych.algorithms import a3c
from triptych.recipes.catalogue import memory_chain_a2c

original = memory_chain_a2c.recipe

recipe = dataclasses.replace(
    original,
    algorithm=a3c.Config(**dataclasses.asdict(original.algorithm), workers=2),
    num_envs=16,
)
