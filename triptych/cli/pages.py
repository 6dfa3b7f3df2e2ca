"""The commands that write sources and pages."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from tyro.conf import Positional, UseAppendAction, arg

from triptych.cli.options import Command, Framework, RecipeName, Somewhere, Tracker, Where, named, needed, print_json
from triptych.recipes import Recipe, resolve
from triptych.spec import Precision
from triptych.utils.checks import InputError
from triptych.utils.console import put


@dataclass(frozen=True)
class Show(Command):
    """Shows an agent's source in the three frameworks, side by side.

    Its network, loss, optimiser and update.
    """

    recipe: Annotated[Recipe, arg(name="")] = dataclasses.field(kw_only=True)
    name: RecipeName = ""  # a recipe's name, or a path to your own Python file
    # Of the recipe. The optimiser's other settings stand in the source as they are.
    READS: ClassVar[tuple[str, ...]] = (
        "env",
        "memory",
        "network",
        "algorithm",
        "optimiser.learning_rate",
        "precision",
        "seed",
    )

    write: Path | None = None  # print nothing, and write three files that run without Triptych into this folder

    def run(self) -> int:
        from triptych.cli.tables import sources
        from triptych.report.show import build as show

        if self.write is not None and self.write.exists() and not self.write.is_dir():
            raise InputError(f"write is {str(self.write)!r}, a file; allowed: a folder")
        name = named(self.name, self.recipe)
        network = show.network_of(resolve(self.recipe, {}))
        found = show.show(self.recipe, network, name)
        if self.write is None:
            sources(found, show.layer_table(network), show.names_table())
            print_json(self, {"sources": {source.framework: source.file for source in found}})
        else:
            files = show.write(found, self.write)
            put(*map(str, files))
            print_json(self, {"files": files})
        return 0


@dataclass(frozen=True)
class Report(Where):
    """Writes a page of some runs: curves, tests, settings, sources."""

    # run folders, runs' names, lockstep folders, logs of other tools (docs/logs.md), folders of any of them
    names: Annotated[Positional[tuple[str, ...]], arg(metavar="RUN...", help_behavior_hint="")] = ()
    # the HTML file to write, into a folder that is there; None: report.html in --runs-dir, or in the folder of a single run
    out: Path | None = None
    # what columns in logs of other tools mean, THEIRS=ours: ep_ret=episode_reward total=steps
    columns: Annotated[tuple[tuple[str, ...], ...], UseAppendAction] = ()
    # what a column `frames` counts in CSV files of other tools: agent steps or emulator frames
    frames_are: Literal["steps", "emulator"] = "steps"
    trust: bool = False  # run code that a run of somebody else names, so that its game is known

    def run(self) -> int:
        from triptych.report.page import report

        needed(" ".join(self.names), "RUN", "run folders, runs' names, or logs of other tools")
        names, where, columns = list(self.names), self.runs_dir, [pair for pairs in self.columns for pair in pairs]
        page = report(
            names, runs_dir=where, out=self.out, frames_are=self.frames_are, trust=self.trust, columns=columns
        )
        put(str(page))
        print_json(self, {"page": page})
        return 0


@dataclass(frozen=True)
class Dashboard(Where):
    """Shows runs live in a browser: curves, speed, when they end, what the agent sees.

    It is served on this machine alone, reads and changes nothing, and Ctrl-C ends it.
    """

    # a folder of runs, or one run's folder or name; none: --runs-dir
    runs: Annotated[Positional[str], arg(metavar="[RUNS]", help_behavior_hint="")] = ""
    port: int = 7007  # of the address that it prints; 0: any that is free
    open: bool = True  # show it in the browser of this machine, where there is a screen

    def run(self) -> int:
        from triptych.report.dashboard.serve import dashboard
        from triptych.runs.names import run_path

        dashboard(run_path(self.runs, self.runs_dir) if self.runs else self.runs_dir, self.port, opened=self.open)
        return 0


@dataclass(frozen=True)
class Study(Somewhere, Where):
    """Trains the runs that answer a question, and writes a page and tables.

    They lie under results/studies/. Runs that are finished already are not trained again.
    """

    # a study's name, or a path to your own Python file
    name: Annotated[Positional[str], arg(metavar="NAME", help_behavior_hint="")] = ""
    framework: Framework = "torch"  # the framework that trains
    quick: bool = False  # short runs of two seeds, into --runs-dir: they show that all works, but answer nothing
    seeds: int | None = None  # runs of each variant, with a seed each; None: as many as the study says
    only: tuple[str, ...] = ()  # train only these tasks or variants (of the tasks in --games, where given); none: all
    # train only these tasks; none: all, except in atari57, which trains none and shows what is there
    games: tuple[str, ...] = ()
    steps: int | None = None  # steps of each run; None: as the study says
    precision: Precision | None = None  # precision of each run; None: as the study says
    jobs: int = 1  # runs that train at the same time; on Ray, as many as have cores
    train: bool = True  # --no-train: train nothing, and write page and tables of what is there
    out: Path | None = None  # the folder for page and tables; None: results/studies/NAME
    # trackers that follow each run: tensorboard, wandb, trackio, mlflow (docs/trackers.md)
    track: tuple[Tracker, ...] = ()

    def run(self) -> int:
        from triptych.cli.tables import study_table
        from triptych.experiments.studies import NAMES
        from triptych.experiments.studies.run import run_study

        needed(self.name, "NAME", ", ".join(NAMES))
        result = run_study(
            self.name, self.framework, quick=self.quick, seeds=self.seeds, only=self.only, games=self.games,
            steps=self.steps, precision=self.precision, jobs=self.jobs, train=self.train, runs_dir=self.runs_dir,
            out=self.out, quiet=self.quiet, on=self.on, address=self.address, track=self.track,
        )  # fmt: skip
        study_table(result)
        print_json(self, result)
        return 0
