"""CartPole from its four numbers, with DQN: learned in a minute on a laptop."""

from triptych.algorithms import dqn
from triptych.envs import EnvConfig
from triptych.recipes import Recipe
from triptych.spec import Adam, Dense

recipe = Recipe(
    env=EnvConfig("CartPole-v1"),
    network=(Dense(128), Dense(128)),
    algorithm=dqn.Config(
        batch_size=128,
        gamma=0.99,
        replay_size=50_000,
        update_every=4,
        target_every=(500, "steps"),
        warm_up=1_000,
        epsilon_start=1.0,
        epsilon_end=0.04,
        epsilon_steps=10_000,
    ),
    optimiser=Adam(learning_rate=5e-4, max_norm=10.0),
    steps=50_000,
    best_window=10,  # training scores swing; ten episodes are enough to tell 500 from luck
    evaluate_every=10_000,
)
