"""`maze-neural-map` with A2C and short episodes, for its proof: triptych lockstep results/neural-map/maze_a2c.py --steps 48000"""

import dataclasses

from triptych.algorithms import a2c
from triptych.recipes import load_recipe

original = load_recipe("maze-neural-map")

recipe = dataclasses.replace(
    original,
    env=dataclasses.replace(original.env, time_limit=40),  # so that episodes begin and end within rollouts
    algorithm=a2c.Config(rollout_steps=20, entropy_weight=0.005),
    num_envs=8,
)
