"""A sign shown once must be named 50 steps later: without memory no better than a coin. Learned in half a minute."""

from triptych.algorithms import drqn
from triptych.envs import EnvConfig
from triptych.recipes.recipe import Recipe
from triptych.spec import LSTM, Adam, Dense

recipe = Recipe(
    env=EnvConfig("triptych/MemoryChain-v0", length=50),
    network=(
        Dense(32, initialiser="fan_in_uniform"),
        LSTM(32, forget_bias=4.0),
        Dense(32, initialiser="fan_in_uniform"),
    ),
    algorithm=drqn.Config(
        batch_size=16,
        sequence_length=51,  # an episode: what is shown at its start is answered at its end
        gamma=0.99,
        delta=1.0,
        double=True,
        replay_size=20_000,
        update_every=16,
        target_every=(400, "steps"),
        warm_up=2_000,
        epsilon_start=1.0,
        epsilon_end=0.02,
        epsilon_steps=10_000,
    ),
    optimiser=Adam(learning_rate=2e-3, final_rate=0.0, max_norm=10.0),
    steps=60_000,
    num_envs=8,
    best_window=50,
    evaluate_every=20_000,
    threads=1,
)
