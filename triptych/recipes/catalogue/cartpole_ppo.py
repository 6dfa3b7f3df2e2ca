"""CartPole from its four numbers, with PPO."""

from triptych.algorithms import ppo
from triptych.envs import EnvConfig
from triptych.recipes.recipe import Recipe
from triptych.spec import Adam, Dense

recipe = Recipe(
    env=EnvConfig("CartPole-v1"),
    network=(Dense(64, initialiser="orthogonal"), Dense(64, initialiser="orthogonal")),
    algorithm=ppo.Config(
        rollout_steps=32,
        epochs=10,
        minibatches=4,
        gamma=0.98,
        gae_lambda=0.8,
        clip=0.2,
        clip_end=0.0,
        entropy_weight=0.0,
        normalise_advantages=False,  # once every game lasts to its end they are noise, which would be made as large as a signal
        reward_scale=0.05,  # else the value's gradient, of returns near 50, drowns the policy's in the layers that they share
    ),
    optimiser=Adam(learning_rate=1e-3, final_rate=0.0, epsilon=1e-5, max_norm=0.5),
    steps=100_000,
    num_envs=8,
    best_window=20,
    evaluate_every=20_000,
    threads=1,
)
