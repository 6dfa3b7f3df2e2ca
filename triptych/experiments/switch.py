"""Another network for a run that goes on (`resume RUN --network RECIPE`): what of a checkpoint fits it, and what is fresh."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np

from triptych.envs import Games
from triptych.experiments.carry import Taken, carried
from triptych.experiments.load import beside
from triptych.recipes import Recipe, built_in, load_recipe
from triptych.recipes.serialise import from_dict, to_dict
from triptych.runs.names import run_path
from triptych.runs.records import read_settings
from triptych.runs.trust import Allowed, allow
from triptych.spec import Layer, Network
from triptych.spec.grow import Growth
from triptych.spec.grown import Grown
from triptych.spec.moments import refrozen
from triptych.spec.reuse import table
from triptych.training.base import Training
from triptych.training.counting import Counters
from triptych.utils.checks import InputError, check, passed
from triptych.utils.console import warn
from triptych.utils.files import read_tensors
from triptych.utils.reading import typed
from triptych.utils.seeds import generator
from triptych.utils.state import State

LEARNER = "learner/"  # before the names of the learner's arrays
Rows = Callable[[np.ndarray], np.ndarray]  # states of a memory [..., S] to those of another network


class Record(TypedDict):
    """A growth, in the metadata of a weights file and in config.json; `body` are the layers that it is of."""

    wider: dict[str, int]
    deeper: list[str]
    noise: float
    seed: int
    body: list[dict[str, Any]]


class Switched(TypedDict):
    """What config.json says of a network that a run went on with."""

    body: list[dict[str, Any]]
    growth: NotRequired[Record | None]
    tensors: NotRequired[dict[str, str]]


@dataclass(frozen=True)
class Wanted:
    """The layers that a run is to go on with, and how they grew, where a run's own have."""

    body: tuple[Layer, ...]
    growth: Record | None = None
    freeze: tuple[str, ...] | None = None  # frozen layers, as they are called there; None: as before

    @classmethod
    def read(cls, given: str | Recipe, runs_dir: str | Path) -> Wanted:
        """Those of a recipe, a Python file, a run, or a weights file, such as `grow` writes."""
        if isinstance(given, Recipe):
            return cls(given.network)
        path = run_path(given, runs_dir)
        if path.is_file() and path.suffix == ".safetensors":
            _, metadata = read_tensors(path)
            if metadata is None or "recipe" not in metadata:
                raise InputError(f"{path} names no recipe; allowed: weights that triptych wrote")
            allow(beside(path, metadata["recipe"]), Allowed(ways=("a recipe's name or file",)))
            growth = metadata.get("growth")
            recipe = from_dict(metadata["recipe"], path)
            if growth is None:
                return cls(recipe.network)
            return cls(recipe.network, typed(growth, Record, path, "growth"), recipe.freeze)
        if not built_in(given) and path.suffix != ".py" and (path / "config.json").is_file():
            return cls(read_settings(path).network)
        return cls(load_recipe(given).network)

    def check(self, recipe: Recipe, given: Any) -> None:
        """Refuses the network that the run has already, and one that grew from another."""
        name = given if isinstance(given, str) else "that of a recipe"
        now = to_dict(recipe.network)
        check(to_dict(self.body) != now, "network", name, "another network than the run has")
        if self.growth is not None:
            check(self.growth["body"] == now, "network", name, "one that grew from the run's own, as it is now")


@dataclass
class Changed:
    """A checkpoint's state for the network that the run goes on with."""

    state: State
    origins: dict[str, str] | None = None  # of each tensor of the new network; None: it is the checkpoint's
    rows: list[Rows] = dataclasses.field(
        default_factory=list
    )  # what becomes of the states in the store, one after the other

    def told(self) -> str:
        """For resumes.csv: what was taken, what is fresh."""
        if self.origins is None:
            return ""
        fresh = [name for name, origin in self.origins.items() if origin.startswith(("fresh", "new"))]
        taken = len(self.origins) - len(fresh)
        rest = f"; fresh: {', '.join(fresh)}" if fresh else ""
        return f"another network: {taken} of {len(self.origins)} tensors taken, with what the optimiser remembers of them{rest}"

    def lines(self, network: Network, frozen: tuple[str, ...]) -> list[str]:
        """The same for the user, and a line for each tensor."""
        return [self.told(), *(f"          {row}" for row in table(network.tensors(), self.origins or {}, frozen))]

    def warn_of_still(self, frozen: tuple[str, ...]) -> None:
        """Fresh weights that are frozen stay as chance has drawn them."""
        origins = self.origins or {}
        names = [name for name in frozen if origins.get(name, "").startswith("fresh")]
        if names:
            warn(f"{', '.join(names)}: fresh, and frozen as the run's settings say: nothing will be learned there")

    def record(self, wanted: Wanted) -> dict[str, Any]:
        """For config.json."""
        return {"body": to_dict(wanted.body), "growth": wanted.growth, "tensors": self.origins or {}}

    def moves_states(self, training: Training) -> bool:
        """Whether a store holds states that are others for the new network."""
        return bool(self.rows) and training.store is not None and training.store.states is not None

    def read(self, segment: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """A segment of the store with the states of the new network, where it holds any."""
        for rows in self.rows if "state" in segment else ():
            segment = segment | {"state": rows(segment["state"])}
        return segment


def changed(
    state: State, manifest: dict[str, Any], config: dict[str, Any], after: Recipe, wanted: Wanted | None, games: Games
) -> Changed:
    """The state of a checkpoint for the recipe that a run goes on with, through every network that it was given since.

    Args:
        config: of the run, as it was before.
        after: the recipe from now on.
        wanted: the network that it is given now; None: it keeps what it has.

    Raises:
        InputError: nothing of the old network fits the new one.
    """
    found = Changed(state)
    now = first = recipe_behind(manifest, config)
    growth = None if wanted is None else wanted.growth
    steps = [*switches_since(manifest, config), (after.network, growth)]
    for body, grew in steps:
        target = dataclasses.replace(now if body != after.network else after, network=body)
        if grew is not None and to_dict(now.network) != grew["body"]:
            grew = None
        one_step(found, now, target, grew, games, int(manifest["step"]))
        now = target
    if (first.freeze, first.thaw_after) != (after.freeze, after.thaw_after) or found.origins is not None:
        found.state = thawed_or_frozen(found.state, after, games)
    return found


def recipe_behind(manifest: dict[str, Any], config: dict[str, Any]) -> Recipe:
    """That of a checkpoint; one of an older version does not say, and is of the run's."""
    return from_dict(manifest["recipe"], "boundary.json") if "recipe" in manifest else config["recipe"]


def switches_since(manifest: dict[str, Any], config: dict[str, Any]) -> list[tuple[tuple[Layer, ...], Record | None]]:
    """The networks that resumes have given a run since a checkpoint: none of its checkpoints has them yet."""
    recorded = to_dict(config["recipe"])
    if to_dict(recipe_behind(manifest, config))["network"] == recorded["network"]:
        return []
    found = []
    for change in config.get("changes", []):
        if "network" in change and change["step"] >= manifest["step"]:
            told = typed(change["network"], Switched, "config.json", "changes.network")
            found.append((from_dict(recorded | {"network": told["body"]}).network, told.get("growth")))
    return found


def one_step(found: Changed, before: Recipe, after: Recipe, growth: Record | None, games: Games, step: int) -> None:
    """Makes the state that of the next network."""
    seen = games.observation, games.num_actions
    old, new = before.make_network(*seen), after.make_network(*seen)
    if old.layers == new.layers:
        return
    online = f"{LEARNER}online/"
    tensors = {name.removeprefix(online): a for name, a in found.state.arrays.items() if name.startswith(online)}
    how: Taken | Grown
    if growth is None:
        how = Taken(old, new, tensors, generator(after.seed, f"weights/{step}"))
    else:
        how = Grown(old, new, before.network, growth_of(growth))
    found.state = carried(found.state, new, how, after.optimiser.kind)
    found.origins = how.origins()
    found.rows.append(how.states)


def growth_of(record: Record) -> Growth:
    return Growth(record["wider"], tuple(record["deeper"]), record["noise"], record["seed"])


def thawed_or_frozen(state: State, after: Recipe, games: Games) -> State:
    """A state with the layers frozen that a recipe wants frozen at that point."""
    network = after.make_network(games.observation, games.num_actions)
    frozen = () if passed(after.thaw_after, Counters(**state.json["counters"])) else after.frozen(network)
    learner = {name.removeprefix(LEARNER): array for name, array in state.arrays.items() if name.startswith(LEARNER)}
    others = {name: array for name, array in state.arrays.items() if not name.startswith(LEARNER)}
    found = refrozen(learner, after.optimiser.kind, frozen)
    return state._replace(arrays=others | {f"{LEARNER}{name}": array for name, array in found.items()})
