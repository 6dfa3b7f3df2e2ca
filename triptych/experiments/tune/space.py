"""The settings that are searched, their values, and the recipe that these make. `over` reads them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triptych.recipes import Recipe
from triptych.recipes.override import override
from triptych.recipes.values import written
from triptych.spec import KINDS, layer_names

DIGITS = 4  # of drawn numbers


@dataclass(frozen=True)
class Setting:
    """One field that is searched: from `low` to `high`, or one of `values` where there are any."""

    path: str
    text: str  # as it was written
    values: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False  # drawn by its logarithm
    whole: bool = False  # whole numbers alone

    @property
    def names(self) -> dict[str | bool | int | float | None, Any]:
        """The values by what a trial calls them: themselves, or their words where Optuna knows no such value."""
        simple = (str, bool, int, float, type(None))
        return {value if isinstance(value, simple) else written(value): value for value in self.values}

    def tidy(self, name: Any) -> Any:
        """A drawn number with few digits, which is as good, and reads better."""
        if self.values or self.whole:
            return name
        return min(max(float(f"{name:.{DIGITS}g}"), self.low), self.high)

    def value(self, name: Any) -> Any:
        """What stands in the recipe for what a trial has."""
        return self.names[name] if self.values else name

    def ends(self) -> tuple[Any, ...]:
        """The values that are tried before a search begins: all of a list, both ends of a range."""
        return self.values or (self.low, self.high)

    def grid(self, points: int) -> tuple[Any, ...]:
        """What a trial calls its values: all of a list, of a range so many, evenly apart on its scale."""
        if self.values:
            return tuple(self.names)
        to, back = (math.log, math.exp) if self.log else (float, float)
        low, high = to(self.low), to(self.high)
        between = [back(low + (high - low) * place / (points - 1)) for place in range(1, points - 1)]
        found = [self.low, *between, self.high]
        return tuple(dict.fromkeys(round(value) if self.whole else value for value in found))

    def current(self, recipe: Recipe) -> Any:
        """The recipe's own value."""
        if self.path == "memory":
            return next((layer.kind for layer in recipe.network if layer.kind in KINDS), "none")
        part, _, name = self.path.rpartition(".")
        if part.startswith("network."):
            names = layer_names(recipe.network)
            return getattr(recipe.network[names.index(part.removeprefix("network."))], name)
        return getattr(getattr(recipe, part) if part else recipe, name)

    def own(self, recipe: Recipe) -> Any:
        """What a trial would call the recipe's own value; raises ValueError where it is not among the values."""
        value = self.current(recipe)
        names = [name for name, given in self.names.items() if given == value and type(given) is type(value)]
        inside = isinstance(value, int | float) and self.low <= value <= self.high
        if names or (inside and not self.values):
            return names[0] if names else value
        raise ValueError(self.path)


def default_over(recipe: Recipe) -> tuple[str, ...]:
    """What is searched where no `--over` is given: the learning rate, and what the algorithm says of its own settings."""
    rate = recipe.optimiser.learning_rate
    own = (f"algorithm.{name}={values}" for name, values in recipe.algorithm.ranges().items())
    return (f"optimiser.learning_rate={rate / 10:.3g}..{rate * 10:.3g}:log", *own)


def changed(recipe: Recipe, space: Sequence[Setting], names: Mapping[str, Any]) -> Recipe:
    """The recipe with what a trial has.

    Raises:
        InputError: these values do not go together.
    """
    return override(recipe, {setting.path: setting.value(names[setting.path]) for setting in space})
