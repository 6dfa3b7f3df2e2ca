"""Goal search in mazes from above, with recurrent PPO: which goal is right is shown once, at the start.

What makes it learn was tried in mazes of 7 alone (results/neural-map/README.md).
"""

from triptych.algorithms import ppo
from triptych.envs import EnvConfig
from triptych.recipes.recipe import Recipe
from triptych.spec import LSTM, Adam, Conv, Dense, Flatten

recipe = Recipe(
    # From the small mazes, in which chance finds a goal, to the large ones: 32 games make 640,000 steps of each size.
    env=EnvConfig("triptych/Maze-v0", curriculum=100_000),
    network=(
        Conv(16, 3, initialiser="orthogonal"),
        Conv(16, 3, initialiser="orthogonal"),
        Flatten(),
        Dense(128, initialiser="orthogonal"),
        # A goal is a dozen steps and more behind the indicator. With a bias of 1 the memory lasts four, and nothing was
        # learned in 5,000,000 steps. Walking needs no memory, so the input is seen beside it.
        LSTM(128, skip=True, forget_bias=4.0),
        Dense(
            128, initialiser="orthogonal"
        ),  # which goal is right hangs on two things: what is remembered, and what is seen
    ),
    algorithm=ppo.Config(
        rollout_steps=100,  # a whole episode, so that a goal's gradient reaches the indicator
        epochs=4,
        minibatches=4,
        gamma=0.99,
        gae_lambda=0.95,
        clip=0.2,
        # Both goals are worth nothing together, until the indicator is remembered. Advantages made to a deviation of 1 are
        # noise until then, and drove the policy away from all goals; as they are, the entropy keeps it walking at random.
        normalise_advantages=False,
        entropy_weight=0.005,
    ),
    optimiser=Adam(learning_rate=1e-3, final_rate=1e-4, epsilon=1e-5, max_norm=0.5),
    steps=5_000_000,
    num_envs=32,
    best_window=500,
    log_every=10_000,
    threads=1,
)
