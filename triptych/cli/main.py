"""The command line: which command, and how it ends. `--help` loads no framework."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from triptych.cli import exits
from triptych.cli.comparisons import Compare, Lockstep
from triptych.cli.flags import parse
from triptych.cli.pages import Look, Report, Show, Study
from triptych.cli.runs import Evaluate, Recipes, Resume, Train
from triptych.utils.checks import InputError, WorkerError

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
LOCKSTEP_STEPS = 30_000  # agent steps after the warm-up


def usage() -> str:
    commands = "\n".join(f"  {name:10} {command.__doc__.splitlines()[0]}" for name, command in COMMANDS.items())
    return f"usage: triptych COMMAND [OPTIONS]\n\n{commands}\n\n`triptych COMMAND --help` lists its options."


def main(arguments: list[str] | None = None) -> None:
    """The entry point. It ends with one of the codes in `exits`."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        sys.exit(exits.DONE if arguments else exits.BAD_INPUT)
    if arguments[0] == "--version":
        from triptych import __version__

        print(__version__)
        sys.exit(exits.DONE)
    sys.exit(guarded(lambda: run(arguments)))


def run(arguments: list[str]) -> int:
    if arguments[0] not in COMMANDS:
        raise InputError(f"command is {arguments[0]!r}; allowed: {', '.join(COMMANDS)}")
    name, command = arguments[0], COMMANDS[arguments[0]]
    steps = LOCKSTEP_STEPS if command is Lockstep else None
    return parse(command, name, arguments[1:], steps).run()


def guarded(action: Callable[[], int]) -> int:
    """Runs an action; what the user can mend becomes one line and a code."""
    try:
        return action()
    except InputError as error:
        print(f"triptych: {error}", file=sys.stderr)
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
