"""CartPole from its four numbers, with DQN. What each number was measured against: results/cartpole/."""

from triptych.algorithms import dqn
from triptych.envs import EnvConfig
from triptych.recipes.recipe import Recipe
from triptych.spec import Adam, Dense

recipe = Recipe(
    env=EnvConfig("CartPole-v1"),
    # Wide and slow is smooth: while the pole stands all actions are worth nearly the same, and only noise tells them
    # apart. Biases that start apart: zero ones put every kink at the origin.
    network=(Dense(256, initialiser="fan_in_uniform"), Dense(256, initialiser="fan_in_uniform")),
    algorithm=dqn.Config(
        batch_size=64,
        gamma=0.99,
        delta=10.0,  # a fall is a rare surprise of up to 100; cut to 1 it cannot hold the values down
        double=True,  # for the same reason
        replay_size=50_000,  # the whole run
        update_every=1,  # every second step was too little for one trial run of three
        # A value's horizon grows by at most one step a copy: 250 copies of a horizon of 100. With more of them, or a
        # shorter horizon, values saturate early, and the agent forgets.
        target_every=(200, "steps"),
        warm_up=1_000,
        epsilon_start=1.0,
        epsilon_end=0.04,
        epsilon_steps=8_000,
    ),
    # A rate that falls to nothing: with a constant one the weights wander off again right after a good stretch.
    optimiser=Adam(learning_rate=5e-4, final_rate=0.0, max_norm=10.0),
    steps=50_000,
    best_window=10,  # training scores swing; ten episodes are enough to tell 500 from luck
    evaluate_every=10_000,
    threads=1,  # a network this small only loses by more
)
