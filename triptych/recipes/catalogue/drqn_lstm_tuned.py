"""Assault with an LSTM for two cores: `drqn-lstm` with what recurrent replay has learned since (Kapturowski et al. 2019)."""

from triptych.algorithms import drqn
from triptych.envs import EnvConfig
from triptych.recipes.recipe import Recipe
from triptych.spec import LSTM, Adam, Conv, Dense, Flatten

recipe = Recipe(
    env=EnvConfig("AssaultNoFrameskip-v4", stack=1),
    network=(Conv(32, 8, 4), Conv(64, 4, 2), Conv(64, 3, 1), Flatten(), LSTM(256), Dense(256)),
    algorithm=drqn.Config(
        batch_size=16,
        sequence_length=12,
        burn_in=4,
        stored_state=True,
        n_step=3,
        double=True,
        gamma=0.99,
        delta=1.0,
        reward="sign",
        replay_size=100_000,
        update_every=32,  # an update is 16 times 15 frames: with fewer of them the games wait for it
        target_every=(4_000, "steps"),
        warm_up=5_000,
        epsilon_start=1.0,
        epsilon_end=0.05,
        epsilon_steps=60_000,
    ),
    optimiser=Adam(learning_rate=3e-4, final_rate=0.0, max_norm=10.0),
    steps=300_000,
    num_envs=8,  # one pass of the network acts for eight games, which play while it learns
    evaluate_every=100_000,
)
