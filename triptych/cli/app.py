"""All commands as one `tyro.extras.SubcommandApp`: it writes the list of commands and the completion scripts of shells.

It does not run them: only `tyro.cli` hands back the words that it does not know, for which we have suggestions.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping
from functools import partial, reduce
from operator import or_
from typing import Annotated, Any, TypedDict, get_type_hints

from tyro.conf import subcommand
from tyro.extras import SubcommandApp

from triptych.cli.flags import Flag, flags_of, listed
from triptych.cli.parse import ANY, reads, takes_recipe
from triptych.cli.view import view
from triptych.experiments.studies import NAMES
from triptych.recipes import BUILT_IN, load_recipe
from triptych.utils.checks import InputError
from triptych.utils.words import shown

SHELLS = ("bash", "zsh", "fish")
ABOUT = "Trains an agent in PyTorch, JAX and Keras, proves them equal, compares them."
BESIDES = """also: triptych help COMMAND       the flags of a command
      triptych --version
      triptych --print-completion bash|zsh|fish
                                  a script that completes what you type"""
WORDS = {"RECIPE": tuple(BUILT_IN), "NAME": NAMES}  # what a positional word may be, where that is known


def summary(command: Any) -> str:
    """What a command does, in a line."""
    return str(command.__doc__).split("\n")[0]


def print_usage(commands: Mapping[str, Any]) -> None:
    """The commands, a line each; none of them is loaded further."""
    app = SubcommandApp()
    for name, command in commands.items():
        app.command(TypedDict("empty", {}), name=name, help=summary(command))  # type: ignore[arg-type, operator]
    with contextlib.suppress(SystemExit):
        app.cli(prog="triptych", args=["--help"], description=ABOUT)
    print(BESIDES)


def print_completion(commands: Mapping[str, Any], shell: str) -> None:
    """A shell's completion script for all commands, their flags and their values.

    Raises:
        InputError: there is none for that shell.
    """
    if shell.lower() not in SHELLS:
        raise InputError(f"shell is {shown(shell)}; allowed: {', '.join(SHELLS)}")
    app = SubcommandApp()
    for name, command in commands.items():
        app.command(completed(command), name=name, help=summary(command))
    with contextlib.suppress(SystemExit):
        app.cli(prog="triptych", args=["--tyro-print-completion", shell.lower()])


def completed(command: Any) -> Any:
    """What tyro completes of a command: its flags, and the words that it takes with the flags behind them.

    Tyro completes no words but subcommands, and behind one of them its flags alone. So a recipe is a subcommand with its flags.
    """
    if not takes_recipe(command):
        flags = flags_of(command, None)
        names: dict[str, Any] = {name: flags for flag in flags for name in WORDS.get(flag.metavar, ())}
    else:
        names = {name: listed(flags_of(command, load_recipe(name)), partial(reads, command)) for name in BUILT_IN}
        flags = names[ANY]
    words = [Annotated[options(bare(behind)), subcommand(name, prefix_name=False)] for name, behind in names.items()]
    if not words:
        return options(flags)
    here = get_type_hints(options(flags), include_extras=True)
    return TypedDict("completed", {**here, "word": reduce(or_, words)}, total=False)  # type: ignore[operator, misc]


def bare(flags: list[Flag]) -> list[Flag]:
    """Flags for behind a word, without what is told of them and without those of layers: shells read all of it at each key."""
    kept = [flag for flag in flags if not flag.path.startswith("network.")]
    return [
        dataclasses.replace(flag, help="", group="", default=flag.default if flag.is_repeated else "") for flag in kept
    ]


def options(flags: list[Flag]) -> Any:
    return view([flag for flag in flags if not flag.is_positional], choices=True)
