"""ViZDoom's My Way Home with a neural map: what is seen is written where it is seen. Else as `doom-my-way-home`."""

import dataclasses

from triptych.recipes.catalogue import doom_my_way_home
from triptych.spec import Dense, NeuralMap

original = doom_my_way_home.recipe

recipe = dataclasses.replace(
    original,
    env=dataclasses.replace(original.env, parts=("position",)),
    # 8 x 8 places of 120 x 104 units, beside the input, as the maze's map.
    network=(
        *original.network[:-1],
        NeuralMap(8, 32, skip=True, forget_bias=1.0),
        Dense(256, initialiser="orthogonal"),
    ),
)
