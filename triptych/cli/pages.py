"""The commands that write sources and pages."""

from __future__ import annotations

import dataclasses
import sys
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
    loop: bool = False  # with --write: files that train by themselves, with games, replay or rollout, loop and log (docs/loops.md)

    def run(self) -> int:
        from triptych.cli.tables import sources
        from triptych.report.show import build as show
        from triptych.report.show.loops.own_games import own_files

        if self.write is not None and self.write.exists() and not self.write.is_dir():
            raise InputError(f"write is {str(self.write)!r}, a file; allowed: a folder")
        if self.loop and self.write is None:
            raise InputError("loop needs a folder for its files; allowed: --loop --write DIR")
        name = named(self.name, self.recipe)
        network = show.network_of(resolve(self.recipe, {}))
        found = (show.loops if self.loop else show.show)(self.recipe, network, name)
        if self.write is None:
            sources(found, show.layer_table(network), show.names_table())
            print_json(self, {"sources": {source.framework: source.file for source in found}})
        else:
            files = show.write(found, self.write, own_files(self.recipe) if self.loop else ())
            put(*map(str, files))
            print_json(self, {"files": files})
        return 0


@dataclass(frozen=True)
class Report(Where):
    """Writes a page of some runs: curves, tests, settings, sources; with --question, a report to hand in.

    The report to hand in answers the question with a table first, and takes studies' results folders too: docs/report.md.
    """

    # run folders, runs' names, lockstep folders, logs of other tools (docs/logs.md), folders of any of them
    names: Annotated[Positional[tuple[str, ...]], arg(metavar="RUN...", help_behavior_hint="")] = ()
    # the file to write, into a folder that is there: .html, and with --question .md or .pdf too; None: report.html in --runs-dir,
    # or in the folder of a single run
    out: Path | None = None
    question: str | None = None  # what the report is to answer; None: the page of the runs alone
    author: str = ""  # who hands it in
    title: str = ""  # above the question
    answer: str = ""  # your own words on the question, below the table that answers it
    # a further section: its name, then runs or studies' results folders; may be given several times
    section: Annotated[tuple[tuple[str, ...], ...], UseAppendAction, arg(metavar="NAME RUN...")] = ()
    # the mean reward of 100 training episodes to be reached; None: the game's own, or half of the way to the best
    threshold: float | None = None
    # points that do not matter between frameworks, for the test of equivalence; None: a tenth of what was learned
    margin: float | None = None
    compare_to: str = ""  # published scores to lay beside: a CSV file (docs/report.md), or atari57
    link: tuple[str, ...] = ()  # addresses for the part Evaluations, TEXT=https://...
    pdf: bool = False  # a PDF beside the page, too; Chromium, Chrome or Edge prints it
    figures: Path | None = None  # a folder for every figure as SVG, PNG and PDF
    # what columns in logs of other tools mean, THEIRS=ours: ep_ret=episode_reward total=steps
    columns: Annotated[tuple[tuple[str, ...], ...], UseAppendAction] = ()
    # what a column `frames` counts in CSV files of other tools: agent steps or emulator frames
    frames_are: Literal["steps", "emulator"] = "steps"
    trust: bool = False  # run code that a run of somebody else names, so that its game is known

    # What only a report with a question has.
    ASKED: ClassVar[tuple[str, ...]] = (
        "author", "title", "answer", "section", "threshold", "margin", "compare_to", "link", "pdf", "figures",
    )  # fmt: skip

    def run(self) -> int:
        from triptych.report.logs.columns import parse_columns

        columns = [pair for pairs in self.columns for pair in pairs]
        parse_columns(columns)  # before a RUN is missed that --columns has swallowed
        files = self.asked(columns) if self.question is not None else [self.of_runs(columns)]
        put(*map(str, files))
        print_json(self, {"page": files[0], "files": files})
        return 0

    def of_runs(self, columns: list[str]) -> Path:
        """The page of the runs alone."""
        from triptych.report.page import report

        given = next((name for name in self.ASKED if getattr(self, name)), None)
        if given is not None:
            raise InputError(f"{given.replace('_', '-')} is given, but no question; allowed: with --question TEXT")
        needed(" ".join(self.names), "RUN", "run folders, runs' names, or logs of other tools")
        return report(
            list(self.names), runs_dir=self.runs_dir, out=self.out, frames_are=self.frames_are, trust=self.trust, columns=columns
        )  # fmt: skip

    def asked(self, columns: list[str]) -> list[Path]:
        """The report to hand in: its page first, then what lies beside it."""
        from triptych.report.handin.page import hand_in
        from triptych.report.handin.request import Reading, Request

        needed(
            " ".join(self.names), "RUN", "run folders, runs' names, studies' results folders, or logs of other tools"
        )
        request = Request(
            self.question or "", self.author, self.title, self.answer, tuple((given[0] if given else "", tuple(given[1:])) for given in self.section),
            self.threshold, self.margin, self.compare_to, self.link,
        )  # fmt: skip
        how = Reading(self.runs_dir, self.frames_are, self.trust, columns)
        words = ["triptych", *sys.argv[1:]] if sys.argv[1:2] == ["report"] else []
        return hand_in(self.names, request, how=how, out=self.out, pdf=self.pdf, figures=self.figures, words=words)


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

        runs = run_path(self.runs, self.runs_dir) if self.runs else self.runs_dir
        dashboard(runs, self.port, opened=self.open, tell=self.tell)
        return 0

    def tell(self, address: str) -> None:
        """Now, as it ends only when somebody stops it."""
        put(address)
        print_json(self, {"address": address})
        sys.stdout.flush()


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
