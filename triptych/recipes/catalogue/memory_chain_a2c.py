"""A sign shown once must be named 50 steps later, with recurrent A2C. Learned in a quarter of a minute."""

import dataclasses

from triptych.algorithms import a2c
from triptych.recipes.catalogue import memory_chain_ppo

original = memory_chain_ppo.recipe

recipe = dataclasses.replace(
    original,
    algorithm=a2c.Config(
        rollout_steps=104,  # two whole episodes: 51 actions and the step that begins the next, twice
        gamma=0.99,
        entropy_weight=0.0,
        normalise_advantages=True,
    ),
    steps=600_000,
    num_envs=32,
    evaluate_every=150_000,
)
