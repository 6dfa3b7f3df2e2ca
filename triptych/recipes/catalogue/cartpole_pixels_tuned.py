"""CartPole from its screen, so that it learns to balance: the screen beside the difference, and convolutions.

What each change was measured by: results/cartpole-pixels/.
"""

import dataclasses

from triptych.recipes.catalogue import cartpole_pixels
from triptych.recipes.override import override
from triptych.spec import Adam, Conv, Dense, Flatten, FrameAndDifference

original = cartpole_pixels.recipe

recipe = dataclasses.replace(
    original,
    # The pole may fall to 12 degrees and not to 160: most of such an episode is a fall that no action changes. An episode
    # ends at 500 steps: a balanced pole must not hold up the run. Grey says as much as colours do, in a third of the numbers.
    # The middle three fifths of the screen: the cart stays there, and an angle is more pixels wide.
    env=override(
        original,
        {"env.id": "CartPole-v1", "env.time_limit": 500, "env.colour": False, "env.crop": (0.4, 0.8, 0.2, 0.8)},
    ).env,
    network=(
        # A difference alone does not tell the pole's angle, and without the angle nobody balances for long.
        FrameAndDifference(),
        # Convolutions see the pole wherever the cart is; dense units on the whole picture learn each place anew.
        Conv(16, 8, 4, initialiser="fan_in_uniform"),
        Conv(32, 4, 2, initialiser="fan_in_uniform"),
        Flatten(),
        Dense(128, initialiser="fan_in_uniform"),
    ),
    algorithm=dataclasses.replace(
        original.algorithm,
        batch_size=32,  # many small updates: they are nearly all of the time
        loss="huber",
        delta=10.0,  # as in `cartpole`, and for its reasons: this, the second network's choice, the copies by steps
        double=True,
        n_step=3,  # a fall is felt three steps earlier with each copy
        target_every=(400, "steps"),
        replay_size=30_000,  # the whole run
        skip_first=0,  # an episode of 20 steps has none to spare
        warm_up=1_000,
        learn_from=None,
        epsilon_shape="linear",
        epsilon_end=0.03,
        epsilon_steps=6_000,
    ),
    # A rate that falls to nothing, as in `cartpole`: the score rises most towards the end.
    optimiser=Adam(learning_rate=5e-4, final_rate=0.0, max_norm=10.0),
    steps=30_000,
    episodes=None,  # the steps end the run
    best_window=10,
    evaluate_every=10_000,
    evaluate_games=5,
    checkpoint_every=None,
    weights_every=None,  # those at the checkpoints are enough
    threads=1,  # a second one gains next to nothing on a network of this size
)
