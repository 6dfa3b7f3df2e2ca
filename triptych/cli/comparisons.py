"""The commands that set frameworks side by side."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from tyro.conf import Positional, Suppress, arg

from triptych.cli import exits
from triptych.cli.options import ALL, Device, Framework, RecipeName, Where, named, print_json
from triptych.recipes import Recipe
from triptych.utils.console import warn


@dataclass(frozen=True)
class Compare(Where):
    """Trains recipes in each framework; score, speed and memory side by side.

    Flags change every recipe.
    """

    recipe: Annotated[Recipe, arg(name="")] = dataclasses.field(kw_only=True)
    name: RecipeName = ""  # a recipe's name, a path to your own Python file, or a run, whose settings are taken
    # more of them, to set against it
    others: Annotated[Positional[tuple[str, ...]], arg(metavar="RECIPE...", help_behavior_hint="")] = ()
    frameworks: tuple[Framework, ...] = ALL  # which ones
    device: Device = "auto"  # where each trains: a GPU where there is one (auto), or cpu, cuda, cuda:1
    seeds: int = 1  # runs a framework, counted up from --seed
    games: int = 20  # whole games played by the best weights of each run
    margin: float | None = None  # a difference of scores that does not matter: tests if they are nearer; needs --seeds
    run_name: str | None = None  # what the new folders' names begin with
    video: bool = True  # a test game of each framework, side by side, as a video, where the game can draw itself
    given: Annotated[dict[str, Any], Suppress] = dataclasses.field(
        default_factory=dict
    )  # the recipe's fields that flags name

    def run(self) -> int:
        from triptych.cli.tables import comparison_table, run_folders
        from triptych.experiments.compare import compare

        labels = [named(self.name, self.recipe), *(named(other, self.recipe) for other in self.others)]
        recipes: Any = [self.recipe, *self.others] if self.others else self.recipe
        result = compare(
            recipes, self.frameworks, self.seeds, games=self.games, margin=self.margin, runs_dir=self.runs_dir,
            run_name=self.run_name, label=labels if self.others else labels[0], quiet=self.quiet,
            video=self.video, device=self.device,
            **(self.given if self.others else {}),
        )  # fmt: skip
        comparison_table(result)
        run_folders(result)
        if result.video:
            print(f"video {result.video}")
        print_json(self, result)
        return exits.FAILED if result.failures else exits.DONE


@dataclass(frozen=True)
class Lockstep(Where):
    """Proves that the frameworks act and learn alike, in float64.

    --steps counts from the end of a warm-up, if there is one.
    """

    recipe: Annotated[Recipe, arg(name="")] = dataclasses.field(kw_only=True)
    name: RecipeName = ""  # a recipe's name, or a path to your own Python file
    frameworks: tuple[Framework, ...] = ALL  # which ones
    run_name: str | None = None  # the new folder's name; None: a fresh one
    STEPS: ClassVar[int] = 30_000  # agent steps after the warm-up

    control: bool = False  # is it rounding? the first framework also against itself, last bits moved at each update
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
