"""CartPole from its four numbers, with A3C: two workers of eight games each."""

import dataclasses

from triptych.algorithms import a3c
from triptych.recipes.catalogue import cartpole_a2c

original = cartpole_a2c.recipe

recipe = dataclasses.replace(
    original,
    algorithm=a3c.Config(**dataclasses.asdict(original.algorithm), workers=2),
)
