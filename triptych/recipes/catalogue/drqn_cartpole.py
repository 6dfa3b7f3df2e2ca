"""CartPole from its two positions alone, with an LSTM that must find out the speeds. Small: tests and proofs use it."""

from triptych.algorithms import drqn
from triptych.envs import EnvConfig
from triptych.recipes.recipe import Recipe
from triptych.spec import LSTM, Adam, Dense

recipe = Recipe(
    env=EnvConfig("CartPole-v1", observe="positions"),
    network=(Dense(64, initialiser="fan_in_uniform"), LSTM(64), Dense(64, initialiser="fan_in_uniform")),
    algorithm=drqn.Config(
        batch_size=32,
        sequence_length=30,
        burn_in=10,
        stored_state=True,
        gamma=0.99,
        delta=10.0,
        double=True,
        # What counts most: one-step targets stayed below 330, with the same rate and twice the updates.
        n_step=5,
        replay_size=50_000,
        update_every=8,
        target_every=(400, "steps"),
        warm_up=1_000,
        epsilon_start=1.0,
        epsilon_end=0.04,
        epsilon_steps=15_000,
    ),
    optimiser=Adam(learning_rate=1e-3, final_rate=0.0, max_norm=10.0),
    steps=100_000,
    num_envs=4,
    best_window=10,
    evaluate_every=20_000,
    threads=1,
)
