"""Space Invaders with DQN: the experiment that ran for 100 hours in Keras, 10 in PyTorch and 10 in JAX.

Network, learning rate, loss, update and copy periods, replay, schedule and stop rule are that
experiment's. Lines marked (K) were not stated in its text; they are those of the public Keras
example for Breakout that its code seems to come from. Different on purpose: the screen is divided
by 255, the reward is clipped to its sign for learning only, the target is copied at step 0, nothing
is added beyond a terminal state, and the gradient's norm is clipped over all tensors, not each.
"""

from triptych.algorithms import dqn
from triptych.envs import EnvConfig
from triptych.recipes.recipe import Recipe
from triptych.spec import Adam, Conv, Dense, Flatten

recipe = Recipe(
    env=EnvConfig("SpaceInvadersNoFrameskip-v4", frame_skip=4, sticky=0.0, stack=4, size=84),
    network=(Conv(32, 8, 4), Conv(64, 4, 2), Conv(64, 3, 1), Flatten(), Dense(512), Dense(256)),
    algorithm=dqn.Config(
        batch_size=32,  # (K)
        gamma=0.99,  # (K)
        delta=1.0,  # (K)
        reward="sign",
        replay_size=1_000_000,
        update_every=6,
        target_every=(10_000, "steps"),
        warm_up=50_000,
        learn_from=32,  # (K) updates begin during the random steps
        epsilon_start=1.0,  # (K)
        epsilon_end=0.1,  # (K)
        epsilon_steps=1_000_000,
    ),
    optimiser=Adam(learning_rate=2.5e-4, epsilon=1e-7, max_norm=1.0),  # epsilon, norm: (K)
    steps=10_000_000,
    solved_at=500.0,
    best_window=100,
)
