"""KungFuMaster with recurrent PPO, on two cores: small pictures, a convolution and an LSTM whose input the heads see too."""

from triptych.algorithms import ppo
from triptych.envs import EnvConfig
from triptych.recipes.recipe import Recipe
from triptych.spec import LSTM, Adam, Conv, Dense, Flatten

recipe = Recipe(
    env=EnvConfig("KungFuMasterNoFrameskip-v4", frame_skip=4, size=42, stack=4),
    network=(
        Conv(32, 4, 2, initialiser="orthogonal"),
        Conv(64, 4, 2, initialiser="orthogonal"),
        Conv(64, 3, 2, initialiser="orthogonal"),
        Flatten(),
        Dense(256, initialiser="orthogonal"),
        LSTM(256, skip=True),
    ),
    algorithm=ppo.Config(
        rollout_steps=32,
        epochs=3,
        minibatches=4,  # of eight games each
        gamma=0.99,
        gae_lambda=0.9,
        clip=0.1,
        entropy_weight=0.01,
        reward="sign",
    ),
    optimiser=Adam(learning_rate=5e-4, final_rate=0.0, epsilon=1e-5, max_norm=0.5),
    steps=6_000_000,
    num_envs=32,
    log_every=10_000,
    checkpoint_every=1_000_000,  # which cuts 32 games that last 3,000 steps each
)
