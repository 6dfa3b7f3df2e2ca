"""Recipes: the resolved settings of an experiment, as frozen dataclasses, and whether they fit a game and a machine.

May be in here: what decides a run's numbers, how it is read, changed, written and checked. May not: a run, a training.
The `catalogue` holds the recipes that Triptych ships, a small file each, and nothing else.
"""

import importlib
from types import ModuleType

from triptych.recipes.load import BUILT_IN as BUILT_IN
from triptych.recipes.load import built_in as built_in
from triptych.recipes.load import default_recipe as default_recipe
from triptych.recipes.load import is_picture as is_picture
from triptych.recipes.load import load_recipe as load_recipe
from triptych.recipes.load import resolve as resolve
from triptych.recipes.recipe import Recipe as Recipe
from triptych.recipes.recipe import with_kind as with_kind
from triptych.recipes.recipe import with_memory as with_memory


def __getattr__(name: str) -> ModuleType:
    """`triptych.recipes.cartpole`, as people's own recipe files say it: the shipped recipe's module in the catalogue."""
    if name not in BUILT_IN.values():
        raise AttributeError(f"module 'triptych.recipes' has no attribute {name!r}")
    return importlib.import_module(f"triptych.recipes.catalogue.{name}")
