"""Goal search in mazes from above with a neural map: what is seen is written where it is seen. Else as `maze-lstm`."""

import dataclasses

from triptych.recipes.catalogue import maze_lstm
from triptych.spec import Dense, NeuralMap

original = maze_lstm.recipe

recipe = dataclasses.replace(
    original,
    network=(
        *original.network[:-2],
        # 8 x 8 places with the gates, the paper's best: a place is two tiles. The input is seen beside the map, as with the
        # LSTM. An agent turns on the spot where the indicator is, and each turn writes there: at a bias of 1 four of them fit.
        NeuralMap(8, 32, skip=True, forget_bias=1.0),
        Dense(128, initialiser="orthogonal"),
    ),
)
