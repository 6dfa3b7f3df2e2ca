"""ViZDoom's My Way Home with recurrent PPO: find the vest in a maze of rooms, from the picture alone.

Rewards are rare, 1 for the vest, so the settings are those of the mazes (results/neural-map/README.md).
"""

from triptych.algorithms import ppo
from triptych.envs import EnvConfig
from triptych.recipes.recipe import Recipe
from triptych.spec import LSTM, Adam, Conv, Dense, Flatten

recipe = Recipe(
    # 8 tics a step: a game has half as many steps as with 4, and random play finds the vest as often.
    env=EnvConfig("VizdoomMyWayHome-v1", frame_skip=8, size=(60, 80), colour=True, stack=1),
    network=(
        Conv(32, 8, 4, initialiser="orthogonal"),
        Conv(64, 4, 2, initialiser="orthogonal"),
        Conv(64, 3, 1, initialiser="orthogonal"),
        Flatten(),
        Dense(256, initialiser="orthogonal"),
        LSTM(256, skip=True, forget_bias=4.0),
    ),
    algorithm=ppo.Config(
        rollout_steps=64,
        epochs=2,
        minibatches=4,
        gamma=0.99,
        gae_lambda=0.95,
        clip=0.1,
        # Most rollouts earn nothing. Made to a deviation of 1, their advantages are noise that counts as much as a vest.
        normalise_advantages=False,
        entropy_weight=0.003,
    ),
    optimiser=Adam(learning_rate=1e-3, final_rate=1e-4, epsilon=1e-5, max_norm=0.5),
    steps=700_000,
    num_envs=16,
    best_window=100,
    log_every=10_000,
    checkpoint_every=500_000,  # which cuts 16 games
    threads=1,
)
