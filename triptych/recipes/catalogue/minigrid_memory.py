"""MiniGrid's Memory with recurrent PPO: an object is seen at the start, and its like must be chosen at the other end of a corridor."""

from triptych.algorithms import ppo
from triptych.envs import EnvConfig
from triptych.recipes.recipe import Recipe
from triptych.spec import LSTM, Adam, Dense

recipe = Recipe(
    env=EnvConfig("MiniGrid-MemoryS7-v0", drop=("mission",)),  # whose sentence is always the same
    network=(Dense(128, initialiser="orthogonal"), LSTM(128), Dense(64, initialiser="orthogonal")),
    algorithm=ppo.Config(
        rollout_steps=128,
        epochs=4,
        minibatches=4,
        gamma=0.99,
        gae_lambda=0.95,
        clip=0.2,
        entropy_weight=0.01,
    ),
    optimiser=Adam(learning_rate=1e-3, final_rate=0.0, epsilon=1e-5, max_norm=0.5),
    steps=500_000,
    num_envs=16,
    best_window=200,
    log_every=10_000,
    checkpoint_every=100_000,
    threads=1,
)
