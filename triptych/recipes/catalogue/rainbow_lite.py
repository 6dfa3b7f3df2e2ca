"""Space Invaders with every switch of Q-learning on: double, dueling, 3-step, prioritised (after Hessel et al. 2018)."""

import dataclasses

from triptych.recipes.catalogue import space_invaders_tuned

original = space_invaders_tuned.recipe

recipe = dataclasses.replace(
    original,
    algorithm=dataclasses.replace(
        original.algorithm,
        double=True,
        dueling=True,
        n_step=3,
        prioritised=True,
        alpha=0.5,
        beta_steps=original.steps,  # all of the distortion corrected at the end
    ),
)
