"""CartPole from its screen: the difference of two pictures, a small dense network, DQN. The original's settings."""

from triptych.algorithms import dqn
from triptych.envs import EnvConfig
from triptych.recipes.recipe import Recipe
from triptych.spec import Adam, Dense, Flatten, FrameDifference

recipe = Recipe(
    env=EnvConfig(
        "triptych/CartPoleWide-v0",  # the pole may fall to 160 degrees; no time limit
        render=True,
        crop=(0.4, 0.8, 0.0, 1.0),  # cart and pole; above and below is nothing
        size=(40, 90),
        colour=True,
        stack=2,  # stored once each, as uint8; the network's first layer takes their difference
        fill="first",  # so that an episode's first state is black: nothing has moved yet
    ),
    network=(FrameDifference(), Flatten(), Dense(24), Dense(32)),
    algorithm=dqn.Config(
        batch_size=256,
        gamma=0.99,
        loss="squared",
        replay_size=10_000,
        update_every=1,
        skip_first=1,
        target_every=(10, "episodes"),
        warm_up=0,
        learn_from=256,
        epsilon_start=1.0,
        epsilon_end=0.01,
        epsilon_shape="exponential",
        epsilon_steps=1_000,  # 0.01 + 0.99 exp(-0.001 step)
    ),
    optimiser=Adam(learning_rate=1e-3, max_norm=None),
    steps=10_000_000,  # the episodes end the run, unless a pole is balanced for ever
    episodes=1_000,
    evaluate_every=(10, "episodes"),
    evaluate_games=1,
    evaluate_steps=1_500,
    video_fps=10,
    weights_every=(100, "episodes"),
    checkpoint_every=5_000,
)
