"""Space Invaders with PPO (Schulman et al. 2017) from stacks of 4 frames, in the settings that public implementations use.

The paper's table 5 has, otherwise: 3 epochs, a clip that falls to 0 with the learning rate, a value weight of 1; and it names
no limit to the gradient's norm.
"""

from triptych.algorithms import ppo
from triptych.envs import EnvConfig
from triptych.recipes.recipe import Recipe
from triptych.spec import Adam, Conv, Dense, Flatten

recipe = Recipe(
    env=EnvConfig("SpaceInvadersNoFrameskip-v4", frame_skip=4, stack=4),
    network=(
        Conv(32, 8, 4, initialiser="orthogonal"),
        Conv(64, 4, 2, initialiser="orthogonal"),
        Conv(64, 3, 1, initialiser="orthogonal"),
        Flatten(),
        Dense(512, initialiser="orthogonal"),
    ),
    algorithm=ppo.Config(
        rollout_steps=128,
        epochs=4,
        minibatches=4,
        gamma=0.99,
        gae_lambda=0.95,
        clip=0.1,
        entropy_weight=0.01,
        reward="sign",
    ),
    optimiser=Adam(learning_rate=2.5e-4, final_rate=0.0, epsilon=1e-5, max_norm=0.5),
    steps=1_000_000,
    num_envs=8,
    log_every=10_000,
)
