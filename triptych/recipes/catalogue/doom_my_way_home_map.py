"""ViZDoom's My Way Home with a neural map: what is seen is written where it is seen. Else as `doom-my-way-home`."""

import dataclasses

from triptych.recipes.catalogue import doom_my_way_home
from triptych.spec import Dense, NeuralMap

original = doom_my_way_home.recipe

recipe = dataclasses.replace(
    original,
    env=dataclasses.replace(original.env, parts=("position",)),
    network=(*original.network[:-1], NeuralMap(12, 32), Dense(256, initialiser="orthogonal")),
)
