"""Goal search in mazes from above with a neural map: what is seen is written where it is seen. Else as `maze-lstm`."""

import dataclasses

from triptych.recipes.catalogue import maze_lstm
from triptych.spec import Dense, NeuralMap

original = maze_lstm.recipe

recipe = dataclasses.replace(
    original,
    # 8 x 8 places with the gates, the paper's best: a place is two tiles
    network=(*original.network[:-1], NeuralMap(8, 32), Dense(128, initialiser="orthogonal")),
)
