"""Space Invaders for two cores: `space-invaders` with a shorter plan."""

import dataclasses

from triptych.recipes.catalogue import space_invaders

original = space_invaders.recipe

recipe = dataclasses.replace(
    original,
    algorithm=dataclasses.replace(
        original.algorithm,
        replay_size=200_000,  # a third of the run: memory and checkpoints stay small
        update_every=12,  # half the updates: on a processor they are most of the time
        target_every=(4_000, "steps"),  # as many copies an update as in a run of this length make sense: 150
        warm_up=10_000,  # the buffer needs variety, not a twelfth of the run
        learn_from=None,  # learning starts when play is no longer random only
        epsilon_end=0.05,  # fewer random moves in the end, so that the training score shows the policy
        epsilon_steps=100_000,  # most of the run is spent playing by the network
    ),
    # A smaller rate that falls to nothing: with 2.5e-4 the policy flips within a few hundred updates, and the weights at
    # the end of a good stretch of 100 games need not play like it (results/space-invaders/).
    optimiser=dataclasses.replace(original.optimiser, learning_rate=1e-4, final_rate=0.0),
    steps=600_000,
    num_envs=8,  # one pass of the network acts for eight games, which play while it learns
    solved_at=None,  # the whole budget, so that the frameworks are compared at the same step
    evaluate_every=100_000,
)
