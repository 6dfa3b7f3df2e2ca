"""A sign shown once must be named 50 steps later, with recurrent A3C: two workers of eight games each."""

import dataclasses

from triptych.algorithms import a3c
from triptych.recipes.catalogue import memory_chain_a2c

original = memory_chain_a2c.recipe

recipe = dataclasses.replace(
    original,
    algorithm=a3c.Config(**dataclasses.asdict(original.algorithm), workers=2),
    num_envs=8,  # with 600,000 steps one of three seeds failed at 16 games, and three of four at 32
    steps=1_000_000,  # gradients that are an update old need more of them than A2C's
    evaluate_every=250_000,
)
