"""The command line: which command, and how it ends. `--help` loads no framework."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from triptych.cli import exits
from triptych.cli.app import print_completion, print_usage
from triptych.cli.comparisons import Compare, Lockstep
from triptych.cli.pages import Look, Report, Show, Study
from triptych.cli.parse import parse
from triptych.cli.runs import Evaluate, Recipes, Resume, Train
from triptych.cli.view import in_their_words
from triptych.recipes import built_in
from triptych.utils import console
from triptych.utils.checks import InputError, WorkerError
from triptych.utils.words import nearest, plain, shown

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
    "study": Study,
}


LINE = 480  # letters of an error at most


def main(arguments: list[str] | None = None) -> None:
    """The entry point. It ends with one of the codes in `exits`."""
    arguments = sys.argv[1:] if arguments is None else arguments
    sys.exit(guarded(lambda: run(arguments)))


def run(arguments: list[str]) -> int:
    first, *rest = arguments or ["--help"]
    if first in ("help", "-h", "--help") and not rest:
        print_usage(COMMANDS)
        return exits.DONE if arguments else exits.BAD_INPUT
    if first == "help":  # `triptych help train`
        first, rest = rest[0], ["--help"]
    if first == "--version":
        from triptych import __version__

        print(__version__)
        return exits.DONE
    if first.partition("=")[0] == "--print-completion":
        print_completion(COMMANDS, first.partition("=")[2] or " ".join(rest))
        return exits.DONE
    name = plain(first)
    if name not in COMMANDS:
        raise InputError(not_a_command(first))
    try:
        command = parse(COMMANDS[name], name, ["--help"] if rest == ["help"] else rest)
        console.set_level(command.quiet and not getattr(command, "profile", False), command.verbose)
        return command.run()
    except InputError as error:
        raise type(error)(in_their_words(str(error), rest)) from error.__cause__


def not_a_command(word: str) -> str:
    """What to say of a first word that is no command."""
    near = nearest(word, COMMANDS)
    if near:
        return f"command is {shown(word)}; did you mean {' or '.join(near)}?"
    if built_in(word) or word.endswith(".py"):
        return f"command is {shown(word)}, a recipe; did you mean triptych train {shown(word).strip(chr(39))}?"
    return f"command is {shown(word)}; allowed: {', '.join(COMMANDS)}"


def guarded(action: Callable[[], int]) -> int:
    """Runs an action; what the user can mend becomes one line and a code."""
    try:
        return action()
    except InputError as error:
        print(f"triptych: {console.shortened(console.plain(str(error)), LINE)}", file=sys.stderr)
        return exits.BAD_INPUT
    except BrokenPipeError:  # whoever read our output has gone, as in `triptych recipes | head -1`
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (or the interpreter complains at its end)
        return exits.DONE
    except OSError as error:
        print(f"triptych: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
        return exits.BAD_INPUT
    except WorkerError as error:
        print(f"triptych: {error}", file=sys.stderr)
        return exits.FAILED
    except KeyboardInterrupt:
        return exits.INTERRUPTED
