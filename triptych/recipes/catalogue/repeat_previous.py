"""The card of four steps ago must be named at each step: by chance one in four is right. Learned in a minute or two."""

from triptych.algorithms import drqn
from triptych.envs import EnvConfig
from triptych.recipes.recipe import Recipe
from triptych.spec import LSTM, Adam, Dense

recipe = Recipe(
    env=EnvConfig("triptych/RepeatPrevious-v0", length=4),
    network=(Dense(32, initialiser="fan_in_uniform"), LSTM(64), Dense(32, initialiser="fan_in_uniform")),
    algorithm=drqn.Config(
        batch_size=16,
        sequence_length=20,
        burn_in=8,
        gamma=0.5,  # an answer is right or wrong at once; what comes later is noise to it
        delta=1.0,
        double=True,
        replay_size=20_000,
        update_every=16,
        target_every=(400, "steps"),
        warm_up=2_000,
        epsilon_start=1.0,
        epsilon_end=0.02,
        epsilon_steps=20_000,
    ),
    optimiser=Adam(learning_rate=3e-3, final_rate=0.0, max_norm=10.0),
    steps=60_000,
    num_envs=8,
    best_window=50,
    evaluate_every=20_000,
    threads=1,
)
