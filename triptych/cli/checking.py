"""The command that looks for silent mistakes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from triptych.cli import exits
from triptych.cli.options import Command, Device, Framework, RecipeName, Where, named, print_json
from triptych.recipes import Recipe
from triptych.utils.console import counted, put

if TYPE_CHECKING:  # which a mere --help does not wait for
    from triptych.checkup.looks import Checkup


@dataclass(frozen=True)
class Check(Where):
    """Looks for silent mistakes in a recipe before it is trained: in its settings, its network, its gradients, its game."""

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
        """The command itself, or where a file is given that defines an agent of the user's own, the one for that."""
        from triptych.experiments.own_code import is_own

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


def tell(command: Command, found: Checkup) -> int:
    """Prints what was found and what was looked at."""
    for finding in sorted(found.findings, key=lambda one: one.severity == "note"):
        put(*finding.lines())
    for look in found.looks:
        seen = (
            f"left out: {look.left_out}" if look.left_out else f"{counted(look.found, 'alarm')}, {look.seconds:.1f} s"
        )
        put(f"looked at {look.what}: {seen}")
    alarms = len(found.alarms)
    put(f"{found.subject}: {counted(alarms, 'alarm') if alarms else 'nothing looks wrong'}")
    print_json(command, found.content())
    return exits.ALARM if alarms else exits.DONE
