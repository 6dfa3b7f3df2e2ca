"""CartPole from its screen, so that it learns to balance: the screen beside the difference, and eight steps.

What each change was measured by: results/cartpole-pixels/.
"""

import dataclasses

from triptych.recipes.catalogue import cartpole_pixels
from triptych.recipes.override import override
from triptych.spec import Adam, Dense, Flatten, FrameAndDifference

original = cartpole_pixels.recipe

recipe = dataclasses.replace(
    original,
    # The pole may fall to 12 degrees and not to 160: most of such an episode is a fall that no action changes. An episode
    # ends at 500 steps: a balanced pole must not hold up the run. Grey says as much as colours do, in a third of the numbers.
    # Half as many rows and columns tell the angle as well.
    env=override(
        original,
        {"env.id": "CartPole-v1", "env.time_limit": 500, "env.colour": False, "env.size": (20, 45)},
    ).env,
    network=(
        # A difference alone does not tell the pole's angle, and without the angle nobody balances for long. Pole and difference
        # are few pixels and faint ones: multiplied, they count from the first update on.
        FrameAndDifference(picture_gain=4.0, difference_gain=16.0),
        Flatten(),
        Dense(256, initialiser="fan_in_uniform"),
        Dense(256, initialiser="fan_in_uniform"),
    ),
    algorithm=dataclasses.replace(
        original.algorithm,
        batch_size=64,  # small updates: they are nearly all of the time
        loss="huber",
        delta=10.0,  # as in `cartpole`, and for its reasons: this, the second network's choice, the copies by steps
        double=True,
        n_step=8,  # the pictures show a push one step late, and a fall is felt eight steps earlier with each copy
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
    optimiser=Adam(learning_rate=1e-3, final_rate=0.0, max_norm=10.0),
    steps=30_000,
    episodes=None,  # the steps end the run
    best_window=10,
    evaluate_every=10_000,
    evaluate_games=5,
    checkpoint_every=None,
    weights_every=None,  # those at the checkpoints are enough
    threads=1,  # a second one gains next to nothing on a network of this size
)
