"""Flags and arguments through tyro: what was given, or the help.

Tyro reads the arguments, writes the help and fits it to the terminal. What it reads them into is made here, of flags that are
known only once the recipe is: a TypedDict none of whose keys must be there, so that what was not given is not there. Each
flag has a reader of ours (`values`), which says itself what is allowed. So nothing is read from tyro's error box: what is
left of its own errors is a flag without a value, and words that no flag takes, which it hands back.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
from functools import partial
from typing import Annotated, Any, NamedTuple, TypedDict

import tyro
from tyro.conf import Positional, UseAppendAction, arg
from tyro.constructors import PrimitiveConstructorSpec

from triptych.cli.flags import HABITS, Flag
from triptych.cli.values import FALSE, TRUE, Unreadable, refused, written
from triptych.utils.checks import InputError
from triptych.utils.words import nearest, plain, shown

# What tools of others call a flag of ours; they are told rather than taken, as they do not always mean the same.
OTHERS = {
    "timesteps": "steps", "total-steps": "steps", "num-steps": "steps", "max-steps": "steps", "n-timesteps": "steps",
    "n-envs": "num-envs", "nenvs": "num-envs", "envs": "num-envs", "learning-starts": "warm-up", "batch": "batch-size",
    "buffer-size": "algorithm.replay-size", "replay-buffer-size": "algorithm.replay-size", "memory-size": "algorithm.replay-size",
    "train-freq": "algorithm.update-every", "train-frequency": "algorithm.update-every", "n-epochs": "algorithm.epochs",
    "target-network-frequency": "algorithm.target-every", "target-update-interval": "algorithm.target-every",
    "exploration-fraction": "algorithm.epsilon-steps", "start-e": "algorithm.epsilon-start", "end-e": "algorithm.epsilon-end",
    "exploration-initial-eps": "algorithm.epsilon-start", "exploration-final-eps": "algorithm.epsilon-end",
    "max-grad-norm": "optimiser.max-norm", "gae-lambda": "algorithm.trace", "ent-coef": "algorithm.entropy",
    "vf-coef": "algorithm.value-weight", "clip-range": "algorithm.clip", "clip-coef": "algorithm.clip",
    "backend": "framework", "output": "out", "output-dir": "runs-dir", "logdir": "runs-dir", "log-dir": "runs-dir", "save-dir": "runs-dir",
    "eval-freq": "evaluate-every", "save-freq": "checkpoint-every", "cuda": "device", "gpu": "device", "dtype": "precision",
    "exp-name": "run-name", "name": "run-name", "environment": "env", "game": "env", "n-games": "games", "episodes": "games",
    "n-eval-episodes": "games", "n-seeds": "seeds", "random-seed": "seed", "num-seeds": "seeds", "render": "video",
}  # fmt: skip


class Given(NamedTuple):
    """What was given, by path: for the command itself, and for the recipe."""

    own: dict[str, Any]
    recipe: dict[str, Any]


def read(flags: list[Flag], command: str, arguments: list[str], description: str = "") -> Given:
    """What the arguments say.

    Raises:
        InputError: a flag that there is not, or a value that is not allowed; in the words that the user typed.
        SystemExit: help was asked for, and is printed.
    """
    placed = without_truth(flags, arguments)
    # tyro prints the help on standard output; what it prints on standard error is its box, of which nothing is needed.
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            found, unknown = tyro.cli(
                view(flags), prog=f"triptych {command}", description=description, args=placed, return_unknown_args=True
            )
    except Refused as refusal:
        typed = as_typed(refusal.flag, arguments)
        raise refused(typed, refusal.words, refusal.error) from None
    except SystemExit as stop:
        if not stop.code:
            raise
        raise without_value(flags, placed) from None
    if unknown:
        raise not_known(flags, command, unknown)
    return sorted_out(flags, found)


def read_some(flags: list[Flag], arguments: list[str]) -> tuple[dict[str, Any], list[str]]:
    """The values of a few flags among arguments that hold others too, and the words that belong to none of the few.

    Raises:
        InputError: one of the few has no value.
    """
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            found, others = tyro.cli(view(flags), args=arguments, add_help=False, return_unknown_args=True)
    except SystemExit:
        raise without_value(flags, arguments) from None
    return sorted_out(flags, found).own, [word for word in others if not word.startswith("-")]


class Refused(Exception):
    """Words behind a flag that are no value of it. No ValueError, so that tyro lets it through."""

    def __init__(self, flag: Flag, words: list[str], error: Unreadable):
        super().__init__(flag.name)
        self.flag, self.words, self.error = flag, words, error


def view(flags: list[Flag], choices: bool = False) -> Any:
    """The type that tyro makes flags of: the first box's, and within it one a group. A key is a flag's place in the list.

    Args:
        choices: whether tyro is told the names that a value may be. It takes no others then, nor these in another case.
    """
    groups: dict[str, dict[str, Any]] = {"": {}}
    for place, flag in enumerate(flags):
        groups.setdefault(flag.group, {})[f"flag_{place}"] = annotated(flag, choices)
    first = groups.pop("")
    for title, keys in groups.items():
        group: Any = TypedDict("group", keys, total=False)  # type: ignore[operator, misc]
        group.__doc__ = next((flag.description for flag in flags if flag.group == title), "")
        first[f"group_{title}"] = Annotated[group, arg(name=title)]
    return TypedDict("view", first, total=False)  # type: ignore[operator, misc]


def annotated(flag: Flag, choices: bool) -> Any:
    """A flag's type, with all that tyro must know of it."""
    # tyro shows a flag's name behind its aliases; here the name that people should learn comes first.
    *aliases, name = flag.names
    default = "" if flag.is_positional or flag.is_repeated else f"(default: {written(flag.default)})"
    mark = partial(arg, help=flag.help, help_behavior_hint=default)
    named = partial(mark, name=name.removeprefix("--"), aliases=aliases or None, prefix_name=False)
    if flag.is_repeated:  # within a dataclass of its own, as tyro adds to what is there
        kind: Any = Annotated[flag.kind, UseAppendAction, named()]
        return Annotated[dataclasses.make_dataclass("Repeated", [("values", kind, flag.default)]), arg(name="")]
    if flag.is_switch:
        return Annotated[bool, named()]
    if flag.is_positional:
        return Annotated[Any, Positional, spec(flag, choices), mark(metavar=flag.metavar)]
    return Annotated[Any, spec(flag, choices), named()]


def spec(flag: Flag, choices: bool) -> PrimitiveConstructorSpec[Any]:
    """A flag's reader as tyro wants it."""
    reader = flag.reader
    assert reader is not None, flag

    def value(words: list[str]) -> Any:
        try:
            return reader.read(words)
        except Unreadable as error:
            raise Refused(flag, words, error) from None

    return PrimitiveConstructorSpec(
        nargs="*" if reader.several else 1,
        metavar=flag.metavar or reader.metavar,
        instance_from_str=value,
        is_instance=lambda value: True,
        str_from_instance=lambda value: [written(value)],
        choices=(reader.choices or None) if choices else None,
    )


def sorted_out(flags: list[Flag], found: Any) -> Given:
    """The values by the paths of their flags."""
    values = dict(found)
    for key in list(values):
        if key.startswith("group_"):
            values |= values.pop(key)
    given = Given({}, {})
    for place, flag in enumerate(flags):
        key = f"flag_{place}"
        if key in values:
            value = values[key].values if flag.is_repeated else values[key]
            (given.recipe if flag.of_recipe else given.own)[flag.path] = value
    return given


def without_truth(flags: list[Flag], arguments: list[str]) -> list[str]:
    """`--quiet True` and `--quiet=no` as `--quiet` and `--no-quiet`, as tyro's own flags take no value."""
    switches = {plain(name): name for flag in flags if flag.is_switch for name in flag.names}
    placed: list[str] = []
    waiting = ""  # the switch that may have a value now
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if waiting and argument.lower() in (*TRUE, *FALSE):
            placed[-1] = switched(waiting, argument)
            waiting = ""
            continue
        waiting = switches.get(plain(name), "")
        if waiting and equals:
            if value.lower() not in (*TRUE, *FALSE):
                raise InputError(f"{name} is {shown(value)}; allowed: True or False")
            argument, waiting = switched(waiting, value), ""
        placed.append(argument)
    return placed


def switched(switch: str, value: str) -> str:
    """A switch on or off, as tyro spells it: `--algorithm.no-double`."""
    if value.lower() in TRUE:
        return switch
    path, dot, name = switch.removeprefix("--").rpartition(".")
    return f"--{path}{dot}no-{name}"


def as_typed(flag: Flag, arguments: list[str]) -> str:
    """A flag as the user spelled it."""
    if flag.is_positional:
        return flag.metavar.removesuffix("...")
    ours = {plain(name) for name in flag.names}
    return next((name for name in (word.partition("=")[0] for word in arguments) if plain(name) in ours), flag.names[0])


def in_their_words(message: str, arguments: list[str]) -> str:
    """A message that begins with a setting's name, with the flag that the user typed for it: `--env.frame-skip is 0`."""
    setting, verb, rest = message.partition(" is ")
    wanted = plain(setting).replace(" ", "-")
    for typed in (word.partition("=")[0] for word in arguments if verb and word.startswith("--")):
        name = next((ours for ours, others in HABITS.items() if plain(typed) in others), plain(typed).strip("-"))
        if name.rpartition(".")[2] == wanted:
            return f"{typed}{verb}{rest}"
    return message


def without_value(flags: list[Flag], arguments: list[str]) -> InputError:
    """What is wrong where tyro stopped: a flag at the end, or before another flag, that needs a value."""
    known = {plain(name): flag for flag in flags if not flag.is_positional for name in flag.names}
    for word, behind in zip(arguments, [*arguments[1:], "--"], strict=True):
        flag = known.get(plain(word))
        if flag and not flag.is_switch and behind.startswith("-"):
            metavar = flag.reader.metavar if flag.reader else "a value"
            return InputError(f"{word} has no value; allowed: {word} {metavar}")
    return InputError("these arguments cannot be read; allowed: what --help lists")


def not_known(flags: list[Flag], command: str, unknown: list[str]) -> InputError:
    """What to say of a flag that there is not, or of a word too many."""
    help_line = f"`triptych {command} --help` lists them"
    wrong = next((word for word in unknown if word.startswith("-")), None)
    if wrong is None:
        return InputError(f"{shown(unknown[0])} is a word too many; allowed: flags ({help_line})")
    name = wrong.partition("=")[0]
    meant = suggestions(name.lstrip("-"), flags)
    hint = (
        f"did you mean {' or '.join('--' + flag for flag in meant)}? {help_line}"
        if meant
        else f"allowed: flags of {command} ({help_line})"
    )
    return InputError(f"flag {shown(name)} is not known; {hint}")


def suggestions(name: str, flags: list[Flag]) -> list[str]:
    """The flags that a name which is none may stand for: spelled nearly so, of other tools, by its last part, by its letters."""
    known = [flag.name for flag in flags if not flag.is_positional and not by_place(flag)]
    word = plain(name).replace(".", "-").removeprefix("no-")
    same = [flag for flag in known if flag.replace(".", "-") == word]
    theirs = [
        ours for other, ours in OTHERS.items() if other.replace("-", "") == word.replace("-", "") and ours in known
    ]
    ends = [flag for flag in known if f"-{flag.replace('.', '-')}".endswith(f"-{word}")]
    letters = nearest(name, known, 1) or nearest(name, [flag.split(".")[-1] for flag in known], 1)
    near = [flag for flag in known if flag in letters or flag.split(".")[-1] in letters]
    return sorted(dict.fromkeys(same or theirs or ends or near), key=lambda flag: flag.count("."))[:3]


def by_place(flag: Flag) -> bool:
    """Whether a flag is of a layer by its place: `--network.0.units`."""
    return any(part.isdigit() for part in flag.path.split("."))
