"""The command that looks for silent mistakes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

from triptych.cli import exits
from triptych.cli.flags import flags_of
from triptych.cli.options import Command, Device, Framework, RecipeName, RunName, Where, named, print_json
from triptych.cli.parse import ANY
from triptych.cli.view import read_some
from triptych.recipes import Recipe, load_recipe
from triptych.runs.names import is_log
from triptych.utils.console import counted, put

if TYPE_CHECKING:  # which a mere --help does not wait for
    from triptych.checkup.looks import Checkup


@dataclass(frozen=True)
class Check(Where):
    """Looks for silent mistakes in a recipe before it is trained: in its settings, its network, its gradients, its game.

    With a run folder, a run's name or a log of another tool in RECIPE's place it says what looks wrong there: docs/checkup.md.
    """

    recipe: Annotated[Recipe, arg(name="")] = dataclasses.field(kw_only=True)
    name: RecipeName = ""  # a recipe's name, or a path to your own Python file
    framework: Framework = "torch"  # the framework whose agent is looked at
    audit: int = 0  # also train so many steps, and look up all that is learned from in what the games said; 0: none
    device: Device = "auto"  # where the network runs: auto (a GPU, where the framework sees one), cpu, cuda or cuda:1

    def run(self) -> int:
        from triptych.experiments.checking import check

        found = check(
            self.recipe,
            self.framework,
            label=named(self.name, self.recipe),
            audit=self.audit,
            runs_dir=self.runs_dir,
            device=self.device,
        )
        return tell(self, found)

    @staticmethod
    def for_arguments(arguments: list[str]) -> type[Command]:
        """The command itself, or the one for what is named: something that was run, or a file with an agent of the user's own."""
        from triptych.experiments.own_code import is_own

        runs_dir = read_some([flag for flag in flags_of(CheckRun, None) if flag.name == "runs-dir"], arguments)[0]
        if any(is_log(word, runs_dir.get("runs_dir", "runs")) for word in free(arguments)):
            return CheckRun
        return CheckOwn if any(is_own(word) for word in arguments) else Check


@dataclass(frozen=True)
class CheckOwn(Command):
    """Looks for silent mistakes in code of your own: a file that defines `Agent`, `make_agent` or `agent` (docs/how-to/check-my-code.md)."""

    file: Annotated[Positional[str], arg(metavar="FILE", help_behavior_hint="")] = ""  # a Python file of your own
    framework: Framework | None = None  # given to `make_agent`, where that takes one
    time_limit: float = 300.0  # seconds that the file and its methods may take

    def run(self) -> int:
        from triptych.experiments.own_code import check_file

        return tell(self, check_file(self.file, self.framework, self.time_limit))


@dataclass(frozen=True)
class CheckRun(Where):
    """Says what looks wrong in a run that is over, or goes on: a run folder, or a log of another tool (docs/logs.md)."""

    name: RunName = ""  # a run folder, a run's name, a log of another tool, or a folder of any of them
    # what columns in logs of other tools mean, THEIRS=ours: ep_ret=episode_reward total=steps
    columns: Annotated[tuple[tuple[str, ...], ...], UseAppendAction] = ()
    # what a column `frames` counts in CSV files of other tools: agent steps or emulator frames
    frames_are: Literal["steps", "emulator"] = "steps"

    def run(self) -> int:
        from triptych.experiments.checking import check_log

        columns = [pair for pairs in self.columns for pair in pairs]
        return tell(self, check_log(self.name, runs_dir=self.runs_dir, columns=columns, frames_are=self.frames_are))


def free(arguments: list[str]) -> Iterator[str]:
    """The words that are neither flags nor their values. A flag that nobody knows is taken for one with a value."""
    switches = {flag.name for kind in (CheckRun, Check) for flag in flags_of(kind, load_recipe(ANY)) if flag.is_switch}
    waits = False
    for word in arguments:
        if word.startswith("--"):
            name = word[2:].replace("_", "-")
            waits = "=" not in word and name.removeprefix("no-").replace(".no-", ".") not in switches
        elif waits:
            waits = False
        elif not word.startswith("-"):
            yield word


def tell(command: Command, found: Checkup) -> int:
    """Prints what was found and what was looked at."""
    several = len(found.looks) > 1
    for finding in sorted(found.findings, key=lambda one: one.severity == "note"):
        if finding.severity != "note" or not command.quiet:
            put(*finding.lines(with_log=several))
    for look in () if command.quiet else found.looks:
        seen = (
            f"left out: {look.left_out}" if look.left_out else f"{counted(look.found, 'alarm')}, {look.seconds:.1f} s"
        )
        put(f"looked at {look.what}: {seen}", *(f"      {sentence}" for sentence in look.read))
    put(f"{found.subject}: {found.verdict()}")
    print_json(command, found.content())
    return exits.ALARM if found.alarms else exits.DONE
