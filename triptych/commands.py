"""The commands: a dataclass each, whose fields are its flags. Nothing heavy is imported before one runs."""

from __future__ import annotations

import dataclasses
import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg

from triptych.checks import InputError
from triptych.recipes import Recipe, load_recipe

Framework = Literal["torch", "jax", "keras"]
RecipeName = Annotated[Positional[str], arg(metavar="RECIPE", help_behavior_hint="")]
RunName = Annotated[Positional[str], arg(metavar="RUN", help_behavior_hint="")]
ALL: tuple[Framework, ...] = ("torch", "jax", "keras")


@dataclass(frozen=True)
class Where:
    """Where runs lie and what is printed."""

    runs_dir: Path = Path("runs")  # the folder of run folders


@dataclass(frozen=True)
class Answers(Where):
    """A command whose result may be wanted as JSON."""

    json: bool = False  # print one JSON object as the last line of standard output


@dataclass(frozen=True)
class Recipes:
    """Lists the recipes."""

    def run(self) -> int:
        from triptych.recipes import BUILT_IN

        for name in BUILT_IN:
            recipe = load_recipe(name)
            print(
                f"{name:22} {recipe.env.id}, {recipe.algorithm.kind}, {recipe.steps:,} steps, {recipe.num_envs} at once"
            )
        return 0


@dataclass(frozen=True)
class Train(Where):
    """Trains one agent in one framework."""

    recipe: Annotated[Recipe, arg(name="")] = dataclasses.field(kw_only=True)
    name: RecipeName = ""  # a recipe's name, or a path to your own Python file
    framework: Framework = "torch"  # which one trains
    run_name: str | None = None  # the new folder's name; None: a fresh one
    quiet: bool = False  # no progress
    profile: bool = False  # print at the end where the time went, and what other threads and precisions would give

    def run(self) -> int:
        from triptych.experiment import train

        name = self.run_name
        if name is None:
            from triptych.experiment import safe
            from triptych.runs import fresh_name

            name = fresh_name(f"{safe(self.name or self.recipe.env.id)}-{self.framework}", self.runs_dir)
        result = train(
            self.recipe, self.framework, run_name=name, runs_dir=self.runs_dir, quiet=self.quiet, profile=self.profile
        )
        return tell(result)


@dataclass(frozen=True)
class Resume(Where):
    """Goes on with a run from its last checkpoint."""

    name: RunName = ""  # a run folder, or a run's name
    framework: Framework | None = None  # another framework than before; None: that of its last sitting
    quiet: bool = False  # no progress

    def run(self) -> int:
        from triptych.experiment import resume

        needed(self.name, "RUN", "a run folder, or a run's name under --runs-dir")
        result = resume(self.name, self.framework, runs_dir=self.runs_dir, quiet=self.quiet)
        return 0 if result is None else tell(result)


@dataclass(frozen=True)
class Compare(Answers):
    """Trains a recipe in each framework and prints score, speed and memory side by side."""

    recipe: Annotated[Recipe, arg(name="")] = dataclasses.field(kw_only=True)
    name: RecipeName = ""  # a recipe's name, or a path to your own Python file
    frameworks: tuple[Framework, ...] = ALL  # which ones
    seeds: int = 1  # runs a framework, counted up from --seed
    games: int = 20  # whole games played by the best weights of each run
    run_name: str | None = None  # what the new folders' names begin with
    quiet: bool = False  # no progress

    def run(self) -> int:
        from triptych.bench import compare
        from triptych.tables import comparison_table, run_folders

        recipe = named(self.name, self.recipe)
        result = compare(
            self.recipe, self.frameworks, self.seeds, games=self.games, runs_dir=self.runs_dir,
            run_name=self.run_name, label=recipe, quiet=self.quiet,
        )  # fmt: skip
        comparison_table(result)
        run_folders(result)
        print_json(self, result)
        return 3 if result.failures else 0


@dataclass(frozen=True)
class Lockstep(Answers):
    """Proves that the frameworks take the same actions and learn the same, in float64; --steps counts from the warm-up's end."""

    recipe: Annotated[Recipe, arg(name="")] = dataclasses.field(kw_only=True)
    name: RecipeName = ""  # a recipe's name, or a path to your own Python file
    frameworks: tuple[Framework, ...] = ALL  # which ones
    run_name: str | None = None  # the new folder's name; None: a fresh one
    quiet: bool = False  # no progress

    def run(self) -> int:
        from triptych.bench import lockstep
        from triptych.runs import fresh_name
        from triptych.tables import lockstep_lines

        run_name = self.run_name or fresh_name(f"lockstep-{named(self.name, self.recipe)}", self.runs_dir)
        result = lockstep(
            self.recipe, self.recipe.steps, self.frameworks, runs_dir=self.runs_dir, run_name=run_name, quiet=self.quiet
        )
        lockstep_lines(result)
        print_json(self, result)
        return 0 if result.agree else 1


@dataclass(frozen=True)
class Evaluate(Answers):
    """Plays whole games with a run's weights."""

    name: RunName = ""  # a run folder, a run's name, or a weights file
    games: int = 100  # exactly so many, each the first of a seed of its own
    seed: int = 0  # of the games
    weights: Literal["best", "latest"] = "best"  # which of the run's
    epsilon: float = 0.0  # share of random actions
    framework: Framework | None = None  # which one plays; None: the run's, and torch for a weights file
    video: bool = False  # film the first game, into the run's videos/

    def run(self) -> int:
        from triptych.evaluation import evaluate
        from triptych.messages import counted
        from triptych.progress import games_bar

        needed(self.name, "RUN", "a run folder, a run's name under --runs-dir, or a weights file")
        with games_bar(self.games) as report:
            score = evaluate(
                self.name, self.games, self.seed, weights=self.weights, epsilon=self.epsilon,
                framework=self.framework, runs_dir=self.runs_dir, report=report, video=self.video,
            )  # fmt: skip
        interval = f" (95 % interval {score.low:.1f} to {score.high:.1f})" if score.games > 1 else ""
        print(f"{score.mean:.1f}{interval} over {counted(score.games, 'game')} of {score.env}")
        if score.video:
            print(f"video {score.video}")
        print(f"{score.policy}, seed {score.seed}, weights {score.weights}, {score.framework} {score.precision}")
        print_json(self, score)
        return 0


@dataclass(frozen=True)
class Look:
    """Draws what the agent sees in random play, beside the screen, as a PNG."""

    recipe: Annotated[Recipe, arg(name="")] = dataclasses.field(kw_only=True)
    name: RecipeName = ""  # a recipe's name, or a path to your own Python file
    frames: int = 4  # observations, a row each
    out: Path | None = None  # the file to write; None: look-RECIPE.png here

    def run(self) -> int:
        from triptych.report.look import look

        name = named(self.name, self.recipe)
        title = f"{name}: {self.recipe.env.id}, seed {self.recipe.seed}"
        print(look(self.recipe, self.out or Path(f"look-{name}.png"), self.frames, title=title))
        return 0


@dataclass(frozen=True)
class Show:
    """Shows an agent's network, loss, optimiser and update in the three frameworks, side by side."""

    recipe: Annotated[Recipe, arg(name="")] = dataclasses.field(kw_only=True)
    name: RecipeName = ""  # a recipe's name, or a path to your own Python file
    write: Path | None = None  # a folder for three files that run by themselves, instead of printing

    def run(self) -> int:
        from triptych.report import show
        from triptych.tables import sources

        if self.write is not None and self.write.exists() and not self.write.is_dir():
            raise InputError(f"write is {str(self.write)!r}, a file; allowed: a folder")
        name = named(self.name, self.recipe)
        network = show.network_of(self.recipe)
        found = show.show(self.recipe, network, name)
        if self.write is None:
            sources(found, show.layer_table(network), show.names_table())
        else:
            print("\n".join(str(path) for path in show.write(found, self.write)))
        return 0


@dataclass(frozen=True)
class Report(Where):
    """Writes one HTML page of some runs: curves, tests, settings, sources."""

    names: Annotated[
        Positional[tuple[str, ...]], arg(metavar="RUN...", help_behavior_hint="")
    ] = ()  # run folders, runs' names, folders of runs, lockstep folders, or CSV files (one run's joined by +)
    out: Path | None = None  # the file; None: report.html in the run's folder, or in --runs-dir for several
    frames_are: Literal["steps", "emulator"] = "steps"  # what `frames` counts in CSV files of others

    def run(self) -> int:
        from triptych.report.page import report

        needed(" ".join(self.names), "RUN", "run folders, runs' names, or CSV files")
        print(report(list(self.names), runs_dir=self.runs_dir, out=self.out, frames_are=self.frames_are))
        return 0


COMMANDS: dict[str, Any] = {
    "recipes": Recipes,
    "train": Train,
    "compare": Compare,
    "lockstep": Lockstep,
    "evaluate": Evaluate,
    "resume": Resume,
    "look": Look,
    "show": Show,
    "report": Report,
}


def named(name: str, recipe: Recipe) -> str:
    from triptych.experiment import safe

    return safe(name or recipe.env.id)


def needed(value: str, what: str, allowed: str) -> None:
    if not value:
        raise InputError(f"{what} is missing; allowed: {allowed}")


def tell(result: Any) -> int:
    """The last lines of a training; 130 where it was interrupted, as the shell would say."""
    path = shlex.quote(str(result.path))
    score = "no episode ended" if result.running_reward is None else f"running reward {result.running_reward:.1f}"
    if result.best_score is not None:
        score += f", best {result.best_score:.1f} at step {result.best_step:,}"
    print(f"{result.path}: {result.steps:,} steps, {result.updates:,} updates, {result.episodes:,} episodes, {score}")
    if result.stopped_by == "interrupted":
        print(
            f"stopped at step {result.steps:,}, weights saved; go on (from the last checkpoint) with: triptych resume {path}"
        )
        return 130
    print(f"ended by: {result.stopped_by}; play it: triptych evaluate {path}")
    return 0


def print_json(command: Answers, result: Any) -> None:
    if command.json:
        print(json.dumps(dataclasses.asdict(result), default=str))
