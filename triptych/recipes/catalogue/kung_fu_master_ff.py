"""KungFuMaster without memory: `kung-fu-master` with its stack of 4 frames and no LSTM."""

import dataclasses

from triptych.recipes.catalogue import kung_fu_master
from triptych.spec import Dense

original = kung_fu_master.recipe

recipe = dataclasses.replace(original, network=(*original.network[:-1], Dense(256, initialiser="orthogonal")))
