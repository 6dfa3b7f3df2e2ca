"""KungFuMaster from single frames: what moves, the LSTM alone can tell."""

from triptych.recipes.catalogue import kung_fu_master
from triptych.recipes.override import override

original = kung_fu_master.recipe

recipe = override(original, {"env.stack": 1})
