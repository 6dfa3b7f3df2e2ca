"""Breakout with DQN, the original's settings. The head stays linear: a ReLU there would hide every negative value."""

from triptych.algorithms import dqn
from triptych.envs import EnvConfig
from triptych.recipes.recipe import Recipe
from triptych.spec import Adam, Conv, Dense, Flatten

recipe = Recipe(
    # The original's BreakoutDeterministic-v4 is registered no longer: a fixed frame skip of 4, no sticky actions.
    env=EnvConfig("BreakoutNoFrameskip-v4", frame_skip=4, sticky=0.0),
    network=(Conv(16, 8, 4), Conv(32, 4, 2), Flatten(), Dense(256)),
    algorithm=dqn.Config(
        batch_size=32,
        gamma=0.99,
        loss="squared",
        reward="sign",
        life_loss_reward=-1.0,  # the episode goes on
        replay_size=1_000_000,
        update_every=1,
        skip_first=17,
        target_every=(1_000, "episodes"),
        warm_up=0,  # no random play: an untrained network fills the replay, by the same epsilon
        learn_from=50_000,
        epsilon_start=1.0,
        epsilon_end=0.01,
        epsilon_shape="exponential",
        epsilon_steps=10_000,  # 0.01 + 0.99 exp(-0.0001 step): 0.017 already when learning begins
    ),
    optimiser=Adam(learning_rate=1e-5, max_norm=None),
    steps=50_000_000,  # what the original speaks of
    episodes=100_000,
    evaluate_every=(10, "episodes"),
    evaluate_games=1,
    evaluate_steps=1_500,
    video_fps=30,
    weights_every=(100, "episodes"),
    checkpoint_every=100_000,
)
