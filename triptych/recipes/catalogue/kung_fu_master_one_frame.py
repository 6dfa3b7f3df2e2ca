"""KungFuMaster from single frames: what moves, the LSTM alone can tell."""

import dataclasses

from triptych.recipes.catalogue import kung_fu_master

original = kung_fu_master.recipe

recipe = dataclasses.replace(original, env=dataclasses.replace(original.env, stack=1))
