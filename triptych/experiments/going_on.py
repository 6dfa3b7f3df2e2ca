"""Whether a run's settings are still those of its checkpoint, and what they become where it is given more steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych.recipes import Recipe
from triptych.recipes.serialise import from_dict, to_dict
from triptych.runs.trust import Stored, marked_anew
from triptych.spec import Layer
from triptych.utils.checks import InputError, check
from triptych.utils.files import write_json

Change = tuple[Any, Any]  # before, after
NEVER = "it could not be resumed to the same numbers from its start on"
CUT = "games that cannot be saved were cut"  # how a reason begins that a checkpoint before the cut knows nothing of


@dataclass(frozen=True)
class GoingOn:
    """What a run goes on with."""

    recipe: Recipe
    changes: dict[str, Change]  # of settings, by name, that came with this resume
    ended: str  # what had ended the run, where it is given more steps
    network: dict[str, Any] | None = None  # what config.json keeps of a network that came with this resume
    told_of_network: str = ""  # and resumes.csv

    def with_network(self, body: tuple[Layer, ...], freeze: tuple[str, ...] | None = None) -> GoingOn:
        """The same with other layers.

        Args:
            freeze: those that are frozen, where they are called otherwise there.

        Raises:
            InputError: the algorithm cannot have them.
        """
        after = dataclasses.replace(self.recipe, network=body, freeze=self.recipe.freeze if freeze is None else freeze)
        return dataclasses.replace(
            self, recipe=after, changes=self.changes | differences(to_dict(self.recipe), to_dict(after))
        )

    @property
    def words(self) -> str:
        return "; ".join(f"{name}: {before} -> {after}" for name, (before, after) in self.changes.items())

    @property
    def told(self) -> str:
        """The same for the user, with commas in large numbers."""
        return "; ".join(
            f"{name}: {with_commas(was)} -> {with_commas(now)}" for name, (was, now) in self.changes.items()
        )


def with_commas(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def decide(config: dict[str, Any], manifest: dict[str, Any], steps: int | str | None, accept: bool) -> GoingOn:
    """The recipe that a run goes on with.

    Args:
        config: of the run (see `runs.records.read_config`).
        manifest: of the checkpoint.
        steps: at which the run is to end; "+N": N more than the checkpoint has; None: as its config says.
        accept: take settings that somebody has changed in config.json.

    Raises:
        InputError: settings differ from the checkpoint's and are not accepted, or it has as many steps already.
    """
    recipe: Recipe = config["recipe"]
    changes = unexplained(config, manifest)
    if changes and not accept:
        name, (was, now) = next(iter(changes.items()))
        more = f" (and {', '.join(list(changes)[1:4])})" if len(changes) > 1 else ""
        raise InputError(
            f"config.json is not that of the checkpoint at step {manifest['step']:,}: {name} is {now!r}, was {was!r}{more}; "
            "allowed: as it was, or --accept-changes"
        )
    if steps is None:
        return GoingOn(recipe, changes, "")
    ended = str(manifest["state"]["stopped_by"])
    longer = lengthened(recipe, steps, int(manifest["step"]), ended)
    return GoingOn(longer, changes | differences(to_dict(recipe), to_dict(longer)), ended)


def unexplained(config: dict[str, Any], manifest: dict[str, Any]) -> dict[str, Change]:
    """Settings that differ from the checkpoint's, but for those that a resume has changed and written down."""
    if "recipe" not in manifest:  # of an older version, which did not say
        return {}
    found = differences(to_dict(from_dict(manifest["recipe"], "boundary.json")), to_dict(config["recipe"]))
    if manifest.get("threads") not in (None, config["threads"]):
        found["threads here"] = manifest["threads"], config["threads"]
    told = {name: pair[1] for change in config.get("changes", []) for name, pair in change["settings"].items()}
    return {name: pair for name, pair in found.items() if name not in told or told[name] != pair[1]}


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Change]:
    """The settings of two recipes, as `to_dict` gives them, that are not the same, by their paths."""
    ours, theirs = dict(flat(before)), dict(flat(after))
    names = dict.fromkeys([*ours, *theirs])
    return {name: (ours.get(name), theirs.get(name)) for name in names if ours.get(name) != theirs.get(name)}


def flat(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in nested JSON with its path."""
    pairs = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else None
    if pairs is None:
        yield path, content
        return
    for key, value in pairs:
        yield from flat(value, f"{path}.{key}" if path else str(key))


def is_over(manifest: dict[str, Any], recipe: Recipe) -> bool:
    """Whether a run needs no more steps: what ended it at its last checkpoint would end it still.

    A run that was given more steps, and has made no checkpoint since, has another recipe now than its checkpoint.
    """
    why, counters = manifest["state"]["stopped_by"], manifest["state"]["counters"]
    if why == "steps":
        return bool(counters["steps"] >= recipe.steps)
    if why == "episodes":
        return recipe.episodes is not None and counters["episodes"] >= recipe.episodes
    if why == "solved":
        return recipe.solved_at is not None
    return bool(why) and manifest.get("recipe", {}).get("steps", recipe.steps) == recipe.steps


def lengthened(recipe: Recipe, steps: int | str, step: int, ended: str) -> Recipe:
    """The recipe with another end; the limit that had ended the run is lifted."""
    text = str(steps).replace(",", "").replace("_", "")
    allowed = f"a whole number above {step:,}, where the run stands, or +N for N more"
    digits = text.removeprefix("+")
    check(digits.isascii() and digits.isdecimal(), "steps", steps, allowed)  # not ², which is a digit and no number
    total = step + int(text) if text.startswith("+") else int(text)
    check(total > step, "steps", steps, allowed)
    lifted = {name: None for name, word in (("solved_at", "solved"), ("episodes", "episodes")) if word == ended}
    return dataclasses.replace(recipe, steps=total, **lifted)  # type: ignore[arg-type]  # both may be None


def schedules(before: Recipe, after: Recipe, step: int) -> list[str]:
    """What of a run's schedules more steps change, or leave at their end, a line each."""
    lines = []
    for name, rates in moved(before, after, step).items():
        was, now = rates
        lines.append(f"{name} falls to its end at the run's last step: here it was {was:.3g}, and is {now:.3g} now")
    config: Any = after.algorithm
    if hasattr(config, "epsilon") and config.epsilon_start != config.epsilon_end:
        epsilon = config.epsilon(step)
        if abs(epsilon - config.epsilon_end) < 1e-3:
            lines.append(f"epsilon has come to its end: {epsilon:.3g} of the actions stay random")
    return lines


def moved(before: Recipe, after: Recipe, step: int) -> dict[str, tuple[float, float]]:
    """Values of schedules at a step that another end of the run changes."""
    found = {"the learning rate": (before.learning_rate(step), after.learning_rate(step))}
    config: Any = after.algorithm
    if hasattr(config, "coefficients"):
        ours, theirs = (config.coefficients(step, recipe.steps) for recipe in (before, after))
        found |= {name.replace("_", " "): (ours[name], theirs[name]) for name in ours}
    return {name: pair for name, pair in found.items() if pair[0] != pair[1]}


def never_exact(config: dict[str, Any]) -> bool:
    """Whether no checkpoint of a run gives the same numbers, as far as its config.json says: not where only its games were cut."""
    reasons = config.get("resume_inexact", [])
    return config.get("device", "cpu") != "cpu" or NEVER in reasons or not (config["resume_exact"] or reasons)


def promised(config: dict[str, Any], step: int, exact: bool, cuts: bool) -> dict[str, Any]:
    """What config.json says, from a checkpoint on, of whether a resumed run gives the numbers of one that never stopped.

    Args:
        exact: the checkpoint is older than every cut; those that came after it are forgotten.
        cuts: the resume from it cuts games.
    """
    reasons = list(config.get("resume_inexact", []))
    if never_exact(config) and NEVER not in reasons:
        reasons.insert(0, NEVER)  # stays where the cuts are forgotten
    if exact:
        reasons = [why for why in reasons if not why.startswith(CUT)]
    why = f"{CUT} at step {step:,}, where the run was stopped"
    if cuts and why not in reasons:
        reasons.append(why)
    return {"resume_exact": not reasons, "resume_inexact": reasons}


def write_changes(path: Path, config: dict[str, Any], going: GoingOn, step: int, promise: dict[str, Any]) -> None:
    """Notes in config.json what a resume changed: settings, and whether its numbers are still those of a run that never stopped."""
    written = {name: value for name, value in config.items() if name not in ("recipe", "recorded")}
    recorded = to_dict(going.recipe) if going.changes else config["recorded"]
    if going.changes:
        change: dict[str, Any] = {"step": step, "settings": {name: list(pair) for name, pair in going.changes.items()}}
        change |= {} if going.network is None else {"network": going.network}
        written["changes"] = [*config.get("changes", []), change]
        written |= marked_anew(Stored(path, config["recorded"], path, config), recorded)
    reasons = promise["resume_inexact"]
    if going.changes or reasons != config.get("resume_inexact", []):
        write_json(path / "config.json", written | promise | {"recipe": recorded})
