"""CartPole from its four numbers, with A2C."""

from triptych.algorithms import a2c
from triptych.envs import EnvConfig
from triptych.recipes.recipe import Recipe
from triptych.spec import Adam, Dense

recipe = Recipe(
    env=EnvConfig("CartPole-v1"),
    network=(Dense(64, initialiser="orthogonal"), Dense(64, initialiser="orthogonal")),
    algorithm=a2c.Config(
        rollout_steps=16,
        gamma=0.98,
        gae_lambda=0.95,
        entropy_weight=0.0,
        normalise_advantages=False,  # as in cartpole-ppo
        reward_scale=0.05,  # else the value's gradient, of returns near 50, drowns the policy's in the layers that they share
    ),
    optimiser=Adam(learning_rate=3e-3, final_rate=0.0, epsilon=1e-5, max_norm=0.5),
    steps=200_000,
    num_envs=8,
    best_window=20,
    evaluate_every=40_000,
    threads=1,
)
