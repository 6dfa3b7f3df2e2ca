"""Assault with Q-learning from sequences, as a course's template has it: its memory is a window of the last 4 frames.

2 games, 1,000 stored sessions of 15 steps, 100 of them in a batch, an update each 15 steps of both games, one-step targets.
Lines marked (T) were not stated there.
"""

from triptych.algorithms import drqn
from triptych.envs import EnvConfig
from triptych.recipes.recipe import Recipe
from triptych.spec import Adam, Conv, Dense, Flatten

recipe = Recipe(
    env=EnvConfig("AssaultNoFrameskip-v4", stack=4),  # the window; (T) frame skip 4, no sticky actions
    network=(Conv(32, 8, 4), Conv(64, 4, 2), Conv(64, 3, 1), Flatten(), Dense(512)),
    algorithm=drqn.Config(
        batch_size=100,
        sequence_length=15,
        gamma=0.999,
        loss="squared",
        reward="sign",  # (T)
        replay_size=15_000,
        update_every=30,
        target_every=(100, "updates"),  # (T)
        warm_up=3_000,  # (T)
        epsilon_end=0.05,  # (T)
        epsilon_steps=100_000,  # (T)
    ),
    optimiser=Adam(learning_rate=1e-4, max_norm=10.0),  # (T) the norm
    steps=300_000,  # (T)
    num_envs=2,
    evaluate_every=(10, "updates"),
    evaluate_games=1,
)
