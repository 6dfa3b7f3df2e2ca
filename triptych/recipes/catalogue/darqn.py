"""Seaquest with soft visual attention (Sorokin et al. 2015): `drqn-lstm-tuned`, whose LSTM weighs the places of the map."""

import dataclasses

from triptych.recipes.catalogue import drqn_lstm_tuned
from triptych.spec import Conv, Dense, VisualAttention

original = drqn_lstm_tuned.recipe

recipe = dataclasses.replace(
    original,
    env=dataclasses.replace(original.env, id="SeaquestNoFrameskip-v4"),
    network=(Conv(32, 8, 4), Conv(64, 4, 2), Conv(64, 3, 1), VisualAttention(256, hidden=128), Dense(256)),
)
