"""What somebody meant who typed something else: messages in the user's own words, with the flag that is near."""

from __future__ import annotations

import dataclasses

from triptych.cli.flags import HABITS, Flag
from triptych.envs import KINDS
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
    if is_of_other_games(name):
        read = ", ".join(f"--{flag.name}" for flag in flags if flag.name.startswith("env."))
        return InputError(f"{name} is not read by these games; allowed: {read}")
    meant = suggestions(name.lstrip("-"), flags)
    if command == "check" and not meant and any(flag.name == "time-limit" for flag in flags):
        read = ", ".join(f"--{flag.name}" for flag in flags if not flag.is_positional)
        return InputError(f"flag {shown(name)} is a recipe's, and is not read for code of your own; allowed: {read}")
    hint = (
        f"did you mean {' or '.join('--' + flag for flag in meant)}? (`triptych {command} --help` lists all)"
        if meant
        else f"allowed: flags of {command} ({help_line})"
    )
    return InputError(f"flag {shown(name)} is not known; {hint}")


def is_of_other_games(name: str) -> bool:
    """Whether a flag is a setting that games of another kind have."""
    settings = {f"--env.{field.name}" for kind in KINDS for field in dataclasses.fields(kind.config)}
    return plain(name) in map(plain, settings)


def suggestions(name: str, flags: list[Flag]) -> list[str]:
    """The flags that a name which is none may stand for: spelled nearly so, of other tools, by its last part, by its letters."""
    known = [flag.name for flag in flags if not flag.is_positional and not by_place(flag)]
    word = plain(name).replace(".", "-").removeprefix("no-")
    same = [flag for flag in known if flag.replace(".", "-") in (word, f"{word}s")]
    theirs = [
        ours for other, ours in OTHERS.items() if other.replace("-", "") == word.replace("-", "") and ours in known
    ]
    ends = [flag for flag in known if f"-{flag.replace('.', '-')}".endswith(f"-{word}")]
    letters = nearest(name, known, 1) or nearest(name, [flag.split(".")[-1] for flag in known], 1)
    near = [flag for flag in known if flag in letters or flag.split(".")[-1] in letters]
    found = sorted(dict.fromkeys(same or theirs or ends or near), key=lambda flag: flag.count("."))
    return [flag for flag in found if flag.rpartition(".")[2] == found[0].rpartition(".")[2]][
        :2
    ]  # one, or of two layers


def by_place(flag: Flag) -> bool:
    """Whether a flag is of a layer by its place: `--network.0.units`."""
    return any(part.isdigit() for part in flag.path.split("."))
