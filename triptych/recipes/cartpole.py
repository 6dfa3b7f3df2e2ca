"""CartPole from its four numbers, with DQN. It does not reach 475 in every seed yet: results/cartpole/."""

from triptych.algorithms import dqn
from triptych.envs import EnvConfig
from triptych.recipes import Recipe
from triptych.spec import Adam, Dense

recipe = Recipe(
    env=EnvConfig("CartPole-v1"),
    # Biases that start apart: zero ones put every kink at the origin, and two of three trial runs stuck near 300.
    network=(Dense(128, initialiser="fan_in_uniform"), Dense(128, initialiser="fan_in_uniform")),
    algorithm=dqn.Config(
        batch_size=64,
        gamma=0.98,  # with 0.99 Q passed its bound of 100 late in some runs, which then forgot
        double=True,  # the same reason
        replay_size=50_000,  # the whole run
        update_every=1,  # every second step was too little for one trial run of three
        target_every=(100, "steps"),  # a value's horizon grows by at most one step a copy
        warm_up=1_000,
        epsilon_start=1.0,
        epsilon_end=0.04,
        epsilon_steps=8_000,
    ),
    # A rate that falls to nothing: with a constant one the weights wander off again right after a good stretch.
    optimiser=Adam(learning_rate=1e-3, final_rate=0.0, max_norm=10.0),
    steps=50_000,
    best_window=10,  # training scores swing; ten episodes are enough to tell 500 from luck
    evaluate_every=10_000,
    threads=1,  # a network this small only loses by more
)
