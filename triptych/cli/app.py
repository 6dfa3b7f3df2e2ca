"""All commands as one `tyro.extras.SubcommandApp`: it writes the list of commands and the completion scripts of shells.

It does not run them: only `tyro.cli` hands back the words that it does not know, for which we have suggestions.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from tyro.extras import SubcommandApp

from triptych.cli.flags import Flag, flags_of, listed
from triptych.cli.parse import takes_recipe
from triptych.cli.view import view
from triptych.experiments.studies import NAMES
from triptych.recipes import BUILT_IN, load_recipe
from triptych.utils.checks import InputError
from triptych.utils.words import shown

SHELLS = ("bash", "zsh", "fish")
ABOUT = "Trains the same agent in PyTorch, JAX and Keras, proves that they are equal, and compares them."
BESIDES = """also: triptych help COMMAND                       the flags of a command
      triptych --version
      triptych --print-completion bash|zsh|fish  a script that completes commands, flags and names"""
WORDS: dict[str, Any] = {"RECIPE": Literal[tuple(BUILT_IN)], "NAME": Literal[NAMES]}  # positional words that are known


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
        app.command(view(completed(command), choices=True), name=name, help=summary(command))
    with contextlib.suppress(SystemExit):
        app.cli(prog="triptych", args=["--tyro-print-completion", shell.lower()])


def completed(command: Any) -> list[Flag]:
    """The flags of a command with those of every shipped recipe, each once."""
    found: dict[str, Flag] = {}
    for recipe in [load_recipe(name) for name in BUILT_IN] if takes_recipe(command) else [None]:
        for flag in listed(flags_of(command, recipe), lambda flag: True):
            known = WORDS.get(flag.metavar)
            found.setdefault(flag.name, dataclasses.replace(flag, kind=known) if known else flag)
    return list(found.values())
