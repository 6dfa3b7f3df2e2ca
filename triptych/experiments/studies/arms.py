"""The variants of a study: which are trained now, what each trains, and by which letters a run is known again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from triptych import envs
from triptych.experiments.start import weights_of
from triptych.experiments.studies import Arm, Study
from triptych.recipes import Recipe, load_recipe
from triptych.recipes.override import override
from triptych.recipes.serialise import to_dict
from triptych.runs.names import safe
from triptych.utils.checks import InputError, check
from triptych.utils.files import sha256

QUICK = {"steps": 1_500}


def chosen_arms(study: Study, only: tuple[str, ...], games: tuple[str, ...]) -> list[Arm]:
    """The variants to train now."""
    tasks, labels = (list(dict.fromkeys(getattr(arm, name) for arm in study.arms)) for name in ("task", "label"))
    for name, given, known in (("only", only, tasks + labels), ("games", games, tasks)):
        for word in given:
            check(word in known, name, word, ", ".join(map(repr, known)))
    if study.published and not games:
        check(not only, "games", "none", f"named where --only is, as there are {len(tasks)}")
        return []
    arms = [arm for arm in study.arms if not games or arm.task in games]
    arms = [arm for arm in arms if not only or {arm.label, arm.task} & set(only)]
    check(bool(arms), "only", " ".join(only), f"a variant of {', '.join(games)}")
    return arms


def base_of(arm: Arm) -> Recipe:
    return arm.recipe if isinstance(arm.recipe, Recipe) else load_recipe(arm.recipe)


def quick_of(arm: Arm) -> dict[str, Any]:
    """What --quick changes: what the variant says, else a short run with a short start at random where there is one."""
    if arm.quick is not None:
        return arm.quick
    return QUICK | ({"warm_up": 200} if base_of(arm).algorithm.steps_before_learning else {})


def recipe_of(arm: Arm, seed: int, changed: dict[str, Any]) -> Recipe:
    return override(base_of(arm), {**arm.changes, **changed, "seed": seed})


def fingerprint(recipe: Recipe) -> str:
    """Eight letters that differ where any setting does, so that a run is never taken for another."""
    settings = to_dict(recipe) | {
        "env": envs.as_before(recipe.env),
        "memory": None,
    }  # so that runs of before are known again
    if settings["optimiser"]["kind"] == "adam":
        del settings["optimiser"]["kind"]
    if not (settings["algorithm"].get("policy_units") or settings["algorithm"].get("value_units")):
        own = ("policy_units", "value_units", "hidden_activation")  # of a head with layers of its own
        settings["algorithm"] = {name: value for name, value in settings["algorithm"].items() if name not in own}
    if not recipe.freeze:
        del settings["freeze"], settings["thaw_after"]
    if not recipe.teacher:
        settings = {name: value for name, value in settings.items() if not name.startswith("teacher")}
    if Path(recipe.source).is_file():  # what stands in the user's file counts, not where it lies
        settings["source"] = sha256(Path(recipe.source))
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]


@dataclass(frozen=True)
class Planned:
    """A run that a study wants."""

    arm: Arm
    recipe: Recipe
    source: Planned | None = None  # the run that it begins with

    @property
    def settings(self) -> str:
        """Eight letters that differ where anything does that decides the run's numbers."""
        own, begun = fingerprint(self.recipe), self.arm.begins
        if begun is None:
            return own
        begins = asdict(begun) | {"task": "", "label": "" if self.source is None else self.source.settings}
        if begun.stored:
            begins["stored"] = sha256(stored_weights(self.arm))  # its numbers count, not where they lie
        else:
            del begins["stored"]
        return hashlib.sha256(json.dumps([own, begins], sort_keys=True).encode()).hexdigest()[:8]

    def run_name(self, framework: str, quick: bool) -> str:
        """The folder, named by the settings, for every study that wants it."""
        label = self.recipe.env.id if isinstance(self.arm.recipe, Recipe) else self.arm.recipe
        return f"study-{framework}{'-quick' * quick}-{safe(str(label))}-seed{self.recipe.seed}-{self.settings}"


def stored_weights(arm: Arm) -> Path:
    """The weights file of the stored run that a variant begins with.

    Raises:
        InputError: it is not there.
    """
    assert arm.begins is not None
    return weights_of(arm.begins.stored, Path(), f"begins of {arm.task}: {arm.label}")


Plan = dict[tuple[int, int], Planned]  # (place of the arm in its study, seed) -> its run


def plan_of(study: Study, seeds: int | None, quick: bool, changed: dict[str, Any]) -> Plan:
    """All runs of a study.

    Args:
        seeds: runs of each variant; None: as the study says.
        changed: recipe fields that are others than the study's.

    Raises:
        InputError: a variant begins with one that is not there, or with one that begins with another itself, or with a stored run
            that is not there.
    """
    places = {(arm.task, arm.label): arm for arm in study.arms}

    def planned(arm: Arm, seed: int) -> Planned:
        recipe = recipe_of(arm, seed, (quick_of(arm) if quick else {}) | changed)
        begins = arm.begins
        if begins is None or begins.stored:
            return Planned(arm, recipe)
        source = places.get((begins.task, begins.label))
        allowed = ", ".join(f"{task}: {label}" for (task, label), one in places.items() if one.begins is None)
        if source is None or source.begins is not None:
            raise InputError(f"begins of {arm.task}: {arm.label} is {begins.task}: {begins.label}; allowed: {allowed}")
        return Planned(arm, recipe, planned(source, seed))

    return {
        (index, seed): planned(arm, seed)
        for index, arm in enumerate(study.arms)
        for seed in range(seeds or arm.seeds or study.seeds)
    }


def job_of(run: Planned, framework: str, quick: bool) -> dict[str, Any]:
    """What a process must know of a run."""
    arm, recipe = run.arm, run.recipe
    job = {"framework": framework, "task": arm.task, "label": arm.label, "seed": recipe.seed, "settings": run.settings}
    if arm.begins is not None:
        source = arm.begins.stored if run.source is None else run.source.run_name(framework, quick)
        job["begins"] = asdict(arm.begins) | {"run": source}
    # the study's own recipe
    return job | {"recipe": to_dict(recipe), "run_name": run.run_name(framework, quick), "trust": True}
