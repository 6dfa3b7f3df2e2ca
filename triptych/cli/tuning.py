"""The command that searches over a recipe's settings."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from tyro.conf import Suppress, UseAppendAction, arg

from triptych.cli import exits
from triptych.cli.options import Device, Framework, RecipeName, Somewhere, Tracker, Where, named, print_json
from triptych.recipes import Recipe
from triptych.utils.checks import InputError


@dataclass(frozen=True)
class Tune(Somewhere, Where):
    """Searches for the settings of a recipe that score most.

    A page, a table and a recipe file, in a folder of its own. What is done is not done again.
    """

    recipe: Annotated[Recipe, arg(name="")] = dataclasses.field(kw_only=True)
    name: RecipeName = ""  # a recipe's name, a path to your own Python file, or a run, whose settings are taken
    # FIELD=LOW..HIGH, FIELD=LOW..HIGH:log or FIELD=VALUE,VALUE, one or several; none: ranges that fit the algorithm
    over: Annotated[tuple[tuple[str, ...], ...], UseAppendAction] = ()
    trials: int | None = None  # settings to try, the recipe's own among them; None: 30, or as before
    jobs: int = 1  # runs at the same time, on Ray as many as have cores; it changes no result
    framework: Framework = "torch"  # which one trains
    device: Device = "auto"  # where: a GPU where there is one (auto), or cpu, cuda, cuda:1
    # what chooses the values: from the scores so far, by chance, or all on a grid
    sampler: Literal["tpe", "random", "grid"] = "tpe"
    pruner: Literal["hyperband", "none"] = "hyperband"  # what gives trials up at a ninth and a third of their steps
    seeds_per_trial: int = 1  # runs of a trial, counted up from --seed; its score is their mean
    fresh_seeds: int = 3  # with which the best setting, and the recipe's own, are trained again at the end
    games: int = 20  # test games that a run is judged by
    window: int = 8  # trials that are chosen before it is known what came of the first of them; at most so many at once
    run_name: str | None = None  # the folder's name; None: one that says what is searched
    resume: str | None = None  # the folder of a search to go on with, in place of RECIPE
    # trackers that follow each run: tensorboard, wandb, trackio, mlflow (docs/trackers.md)
    track: tuple[Tracker, ...] = ()
    given: Annotated[dict[str, Any], Suppress] = dataclasses.field(
        default_factory=dict
    )  # recipe's fields that flags name
    # what may be given beside --resume
    FREE: ClassVar[tuple[str, ...]] = (
        "trials",
        "jobs",
        "track",
        "on",
        "address",
        "runs_dir",
        "quiet",
        "verbose",
        "json",
    )

    def run(self) -> int:
        from triptych.cli.tables import tune_lines
        from triptych.experiments.tune.run import tune

        self.check_resume()
        result = tune(
            self.recipe, self.framework, over=[text for texts in self.over for text in texts], trials=self.trials,
            sampler=self.sampler, pruner=self.pruner, seeds_per_trial=self.seeds_per_trial, fresh_seeds=self.fresh_seeds,
            games=self.games, window=self.window, jobs=self.jobs, device=self.device, run_name=self.run_name,
            label=named(self.name, self.recipe), runs_dir=self.runs_dir, resume=self.resume, on=self.on,
            address=self.address, track=self.track, quiet=self.quiet,
        )  # fmt: skip
        tune_lines(result)
        told: dict[str, Any] = {
            name: getattr(result, name) for name in ("best", "best_score", "fresh_score", "trials", "page", "recipe")
        }
        print_json(self, told)
        return exits.DONE

    def check_resume(self) -> None:
        """Refuses what would have to be as it was."""
        if self.resume is None:
            return
        fixed = [
            field for field in dataclasses.fields(self) if field.name not in (*self.FREE, "resume", "recipe", "given")
        ]
        changed = [field.name for field in fixed if getattr(self, field.name) != field.default] + list(self.given)
        if changed:
            allowed = ", ".join(f"--{name.replace('_', '-')}" for name in self.FREE)
            raise InputError(
                f"--resume goes on with a search as it was, and {changed[0]} is given; allowed beside it: {allowed}"
            )
