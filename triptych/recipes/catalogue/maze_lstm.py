"""Goal search in mazes from above, with recurrent PPO: which goal is right is shown once, at the start."""

from triptych.algorithms import ppo
from triptych.envs import EnvConfig
from triptych.recipes.recipe import Recipe
from triptych.spec import LSTM, Adam, Conv, Dense, Flatten

recipe = Recipe(
    env=EnvConfig("triptych/Maze-v0"),
    network=(
        Conv(16, 3, initialiser="orthogonal"),
        Conv(16, 3, initialiser="orthogonal"),
        Flatten(),
        Dense(128, initialiser="orthogonal"),
        LSTM(128),
    ),
    algorithm=ppo.Config(
        rollout_steps=100,
        epochs=4,
        minibatches=4,
        gamma=0.99,
        gae_lambda=0.95,
        clip=0.2,
        entropy_weight=0.01,
    ),
    optimiser=Adam(learning_rate=5e-4, final_rate=0.0, epsilon=1e-5, max_norm=0.5),
    steps=5_000_000,
    num_envs=32,
    best_window=500,
    log_every=10_000,
    threads=1,
)
