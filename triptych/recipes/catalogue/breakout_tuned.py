"""Breakout for two cores: `breakout` with numbers that learn within hours."""

import dataclasses

from triptych.recipes.catalogue import breakout

original = breakout.recipe

recipe = dataclasses.replace(
    original,
    algorithm=dataclasses.replace(
        original.algorithm,
        loss="huber",  # a squared loss lets single surprises move the whole network
        replay_size=200_000,  # memory and checkpoints stay small
        update_every=8,  # on a processor the updates are most of the time
        skip_first=0,  # there is nothing wrong with an episode's first steps
        target_every=(4_000, "steps"),  # a thousand episodes are no copy at all in a run of this length
        warm_up=10_000,  # filled by random play, which sees more than an untrained greedy network
        learn_from=None,
        epsilon_shape="linear",
        epsilon_end=0.05,
        epsilon_steps=100_000,
        epsilon_from=10_000,  # falls only once learning has begun
    ),
    optimiser=dataclasses.replace(original.optimiser, learning_rate=2.5e-4, final_rate=0.0, max_norm=10.0),
    steps=600_000,
    num_envs=8,  # one pass of the network acts for eight games, which play while it learns
    episodes=None,  # the steps end the run
    evaluate_every=100_000,
    evaluate_games=10,
    checkpoint_every=None,
    weights_every=None,  # those at the checkpoints are enough
)
