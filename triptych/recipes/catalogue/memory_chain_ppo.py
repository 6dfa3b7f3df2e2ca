"""A sign shown once must be named 50 steps later, with recurrent PPO. Learned in a minute."""

import dataclasses

from triptych.envs import EnvConfig
from triptych.recipes.catalogue import cartpole_positions_ppo
from triptych.spec import LSTM

original = cartpole_positions_ppo.recipe

recipe = dataclasses.replace(
    original,
    env=EnvConfig("triptych/MemoryChain-v0", length=50),
    network=(LSTM(64, forget_bias=4.0), *original.network[1:]),
    algorithm=dataclasses.replace(original.algorithm, reward_scale=1.0),
    best_window=50,
)
