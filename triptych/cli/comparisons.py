"""The commands that set frameworks side by side."""

from __future__ import annotations

import dataclasses
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from tyro.conf import Positional, Suppress, arg

from triptych.cli import exits
from triptych.cli.options import (
    ALL,
    Device,
    Framework,
    OnAlarm,
    RecipeName,
    Somewhere,
    Tracker,
    Where,
    named,
    print_json,
)
from triptych.recipes import Recipe
from triptych.utils.console import put, warn

if TYPE_CHECKING:  # which a mere --help does not wait for
    from triptych.experiments.compare import ComparisonRow


@dataclass(frozen=True)
class Compare(Somewhere, Where):
    """Trains a recipe in each framework, and sets score, speed and memory side by side.

    Several recipes are set against each other in the same table; the flags then change each of them.
    """

    recipe: Annotated[Recipe, arg(name="")] = dataclasses.field(kw_only=True)
    name: RecipeName = ""  # a recipe's name, a path to your own Python file, or a run, whose settings are taken
    # further recipes or runs to set against it
    others: Annotated[Positional[tuple[str, ...]], arg(metavar="RECIPE...", help_behavior_hint="")] = ()
    frameworks: tuple[Framework, ...] = ALL  # those to compare
    device: Device = "auto"  # where the networks run: auto (a GPU, where the framework sees one), cpu, cuda or cuda:1
    seeds: int = 1  # runs in each framework, with the seeds --seed, --seed + 1, ...
    games: int = 20  # whole games that the best weights of each run play; their mean is its score
    margin: float | None = None  # test whether the scores are nearer to each other than this; needs several --seeds
    run_name: str | None = None  # what the names of the new run folders begin with
    go_on: bool = False  # go on with the runs of a compare that was stopped; those that have ended are kept
    video: bool = True  # film a test game of each framework, side by side, where the game can be drawn
    # trackers that follow each run: tensorboard, wandb, trackio, mlflow (docs/trackers.md)
    track: tuple[Tracker, ...] = ()
    # what an alarm of the checkup does to a run, as for train; one that it stops has no result
    on_alarm: OnAlarm = "warn"
    given: Annotated[dict[str, Any], Suppress] = dataclasses.field(
        default_factory=dict
    )  # the recipe's fields that flags name

    def run(self) -> int:
        from triptych.cli.compared import comparison_table, run_folders
        from triptych.experiments.compare import compare
        from triptych.utils.machine import Load

        labels = [named(self.name, self.recipe), *(named(other, self.recipe) for other in self.others)]
        recipes: Any = [self.recipe, *self.others] if self.others else self.recipe
        with Load() as load:
            result = compare(
                recipes, self.frameworks, self.seeds, games=self.games, margin=self.margin, runs_dir=self.runs_dir,
                run_name=self.run_name, label=labels if self.others else labels[0], quiet=self.quiet,
                video=self.video, device=self.device, on=self.on, address=self.address, go_on=self.go_on, track=self.track,
                on_alarm=self.on_alarm,
                **(self.given if self.others else {}),
            )  # fmt: skip
        comparison_table(result, None if self.address else load)  # a cluster's speeds are those of its nodes
        run_folders(result)
        if result.video:
            print(f"video {result.video}")
        if result.rows:
            put(f"page of its curves and tests: {self.report_command(result.rows)}")
        print_json(self, result)
        return exits.FAILED if result.failures else exits.DONE

    def report_command(self, rows: list[ComparisonRow]) -> str:
        """What makes a page of the runs."""
        runs = [Path(run).name for row in rows for run in row.runs]
        elsewhere = [] if self.runs_dir == Path("runs") else ["--runs-dir", str(self.runs_dir)]
        return shlex.join(["triptych", "report", *runs, *elsewhere])


@dataclass(frozen=True)
class Lockstep(Where):
    """Proves that the frameworks act and learn alike, in float64.

    --steps counts from the end of a warm-up, if there is one.
    """

    recipe: Annotated[Recipe, arg(name="")] = dataclasses.field(kw_only=True)
    name: RecipeName = ""  # a recipe's name, or a path to your own Python file
    frameworks: tuple[Framework, ...] = ALL  # those to prove alike, two or more
    run_name: str | None = None  # name of the new folder; None: lockstep-RECIPE and a number
    STEPS: ClassVar[int] = 30_000  # agent steps after the warm-up

    control: bool = False  # would rounding alone explain a difference? the first framework also plays against itself, with last bits moved
    given: Annotated[dict[str, Any], Suppress] = dataclasses.field(
        default_factory=dict
    )  # the recipe's fields that flags name

    def run(self) -> int:
        from triptych.cli.tables import lockstep_lines
        from triptych.experiments.lockstep.prove import lockstep

        precision = self.given.get("precision", "float64")
        if precision != "float64":
            warn(
                f"--precision {precision} is not used: the proof is always in float64, as {precision} could prove nothing"
            )
        result = lockstep(
            self.recipe,
            self.recipe.steps,
            self.frameworks,
            runs_dir=self.runs_dir,
            run_name=self.run_name,
            label=named(self.name, self.recipe),
            control=self.control,
            quiet=self.quiet,
        )
        lockstep_lines(result)
        print_json(self, result)
        return exits.DONE if result.agree else exits.DIFFER
