"""`drqn-template` with an LSTM and single frames in place of the window of 4."""

from triptych.recipes.catalogue import drqn_template
from triptych.recipes.override import override
from triptych.spec import LSTM

original = drqn_template.recipe

recipe = override(original, {"env.stack": 1, "network": (*original.network, LSTM(512))})
