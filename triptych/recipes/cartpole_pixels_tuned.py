"""CartPole from its screen, so that it learns and ends: `cartpole-pixels` with other numbers."""

import dataclasses

from triptych.recipes import cartpole_pixels

original = cartpole_pixels.recipe

recipe = dataclasses.replace(
    original,
    env=dataclasses.replace(original.env, time_limit=500),  # a balanced pole must not hold up the run
    steps=200_000,  # 1,000 episodes of 500 steps would be 500,000
)
