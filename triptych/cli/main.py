"""The command line: which command, and how it ends. `--help` loads no framework."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from triptych.cli import exits
from triptych.cli.app import print_completion, print_usage
from triptych.cli.checking import Check
from triptych.cli.comparisons import Compare, Lockstep
from triptych.cli.distilling import Distil
from triptych.cli.environments import Envs
from triptych.cli.exchange import Export, Import
from triptych.cli.meant import in_their_words
from triptych.cli.pages import Dashboard, Report, Show, Study
from triptych.cli.parse import parse
from triptych.cli.pictures import Look, Video
from triptych.cli.runs import Evaluate, Grow, Recipes, Resume, Train
from triptych.cli.scoreboard import ScoreboardCommand
from triptych.cli.tracking import Fetch, Track
from triptych.cli.tuning import Tune
from triptych.recipes import built_in
from triptych.utils import console
from triptych.utils.checks import EnvironmentFailed, InputError, WorkerError
from triptych.utils.failures import CallbackFailed, MachineFailed, RunFailed, machine_trouble
from triptych.utils.words import nearest, plain, shown

COMMANDS: dict[str, Any] = {
    "recipes": Recipes,
    "envs": Envs,
    "train": Train,
    "check": Check,
    "compare": Compare,
    "lockstep": Lockstep,
    "evaluate": Evaluate,
    "resume": Resume,
    "grow": Grow,
    "distil": Distil,
    "export": Export,
    "import": Import,
    "video": Video,
    "track": Track,
    "fetch": Fetch,
    "look": Look,
    "show": Show,
    "report": Report,
    "dashboard": Dashboard,
    "study": Study,
    "tune": Tune,
    "scoreboard": ScoreboardCommand,
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
        kind = COMMANDS[name]
        kind = kind.for_arguments(rest) if hasattr(kind, "for_arguments") else kind
        command = parse(kind, name, ["--help"] if rest == ["help"] else rest)
        with console.level(command.quiet and not getattr(command, "profile", False), command.verbose):
            return command.run()
    except InputError as error:
        raise type(error)(in_their_words(str(error), rest)) from error.__cause__


def not_a_command(word: str) -> str:
    """What to say of a first word that is no command."""
    near = nearest(word, COMMANDS)
    if near:
        return f"command is {shown(word)}; did you mean {near[0]}?"
    if built_in(word) or word.endswith(".py"):
        return f"command is {shown(word)}, a recipe; did you mean triptych train {shown(word).strip(chr(39))}?"
    return f"command is {shown(word)}; allowed: {', '.join(COMMANDS)}"


def guarded(action: Callable[[], int]) -> int:
    """Runs an action; what the user can mend becomes one line and a code."""
    try:
        code = action()
        sys.stdout.flush()
        return code
    except (
        BrokenPipeError
    ):  # whoever read our last lines has gone (`| head -1`); while a run trains it prints none there
        console.mute()
        return exits.DONE
    except KeyboardInterrupt as error:
        return exits.interrupted_by(getattr(error, "number", None))
    except Exception as error:
        line, code = ending(error)
        if line is None:
            raise
        console.problem(f"triptych: {console.shortened(console.plain(line), LINE)}")
        return code


def ending(error: Exception) -> tuple[str | None, int]:
    """An error as one line and an exit code; None: it is a fault of ours, whose traceback is wanted."""
    if isinstance(error, InputError):
        return str(error), exits.BAD_INPUT
    if isinstance(error, RunFailed | EnvironmentFailed | CallbackFailed | WorkerError):
        return str(error), exits.FAILED
    if isinstance(error, MachineFailed):
        return str(error), exits.MACHINE
    if trouble := machine_trouble(error):
        return trouble, exits.MACHINE
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'}: {error.strerror or error}", exits.BAD_INPUT
    return None, exits.DIFFER
