"""`drqn-template` with an LSTM and single frames in place of the window of 4."""

import dataclasses

from triptych.recipes.catalogue import drqn_template
from triptych.spec import LSTM

original = drqn_template.recipe

recipe = dataclasses.replace(
    original, env=dataclasses.replace(original.env, stack=1), network=(*original.network, LSTM(512))
)
