"""A checkpoint's state for a run that goes on with other settings of its layers."""

from __future__ import annotations

from triptych.recipes import Recipe
from triptych.spec import Network
from triptych.spec.moments import refrozen
from triptych.training.counting import Counters
from triptych.utils.checks import passed
from triptych.utils.state import State

LEARNER = "learner/"  # before the names of the learner's arrays


def thawed_or_frozen(state: State, before: Recipe, after: Recipe, network: Network) -> State:
    """A state with the layers frozen that the new recipe wants frozen at that point; as it is where both want the same.

    Args:
        network: of the new recipe.
    """
    if (before.freeze, before.thaw_after) == (after.freeze, after.thaw_after):
        return state
    counters = Counters(**state.json["counters"])
    frozen = () if passed(after.thaw_after, counters) else after.frozen(network)
    learner = {name.removeprefix(LEARNER): array for name, array in state.arrays.items() if name.startswith(LEARNER)}
    others = {name: array for name, array in state.arrays.items() if not name.startswith(LEARNER)}
    found = refrozen(learner, after.optimiser.kind, frozen)
    return state._replace(arrays=others | {f"{LEARNER}{name}": array for name, array in found.items()})
