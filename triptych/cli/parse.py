"""From the arguments of a command to its dataclass. The recipe that they name decides which flags there are.

`tyro.extras.overridable_config_cli` does this for a fixed list of configs, each a subcommand in front of its flags. Here a
recipe may also be a file, a run, or what fits `--env`, and may stand behind flags; so tyro reads the arguments twice: first the
few that decide what the flags start from, then all of them.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import inspect
from typing import Any

from triptych import envs
from triptych.cli.flags import Flag, flags_of, listed
from triptych.cli.view import Given, read, read_some
from triptych.recipes import Recipe, built_in, default_recipe, is_picture, load_recipe, with_kind, with_memory
from triptych.recipes.override import override
from triptych.runs.names import run_path
from triptych.runs.records import read_settings
from triptych.utils.checks import InputError

HELP = {"-h", "--help"}
DECIDING = [
    Flag("env", "env", str, "", ""),
    Flag("memory", "memory", str, "", ""),
    Flag("optimiser", "optimiser.kind", str, "", ""),
    Flag("layout", "env.layout", str, "", ""),  # of its pictures: whether it shows any decides the default recipe
    Flag("origin", "from", str, "", ""),  # the run whose weights `train` begins with
    Flag("trained", "trained", str, "", ""),  # the run whose agent `look` lets play
    Flag("resume", "resume", str, "", ""),  # the folder of the search that `tune` goes on with
    Flag("runs_dir", "runs-dir", str, "runs", ""),
]
ANY = "cartpole"  # whose flags stand in where no recipe is known


def parse(command: Any, name: str, arguments: list[str]) -> Any:
    """A command's dataclass from its arguments.

    Raises:
        InputError: no such recipe or flag, or a value that is not allowed; flags are named as the user typed them.
        SystemExit: help was asked for, and is printed.
    """
    described = inspect.getdoc(command) or ""
    if not takes_recipe(command):
        return command(**read(flags_of(command, None), name, arguments, described).own)
    return Reading(command, name, arguments, described).command()


def takes_recipe(command: Any) -> bool:
    return "recipe" in {field.name for field in dataclasses.fields(command)}


class Reading:
    """One reading of the arguments of a command that takes a recipe."""

    def __init__(self, kind: Any, name: str, arguments: list[str], described: str):
        # A command may want a run in front of RECIPE, for a field of the recipe; without RECIPE that run's settings are taken.
        self.front: str | None = getattr(kind, "FRONT", None)
        self.run, arguments = in_front(arguments) if self.front else ("", arguments)
        self.kind, self.name, self.arguments, self.described = kind, name, arguments, described
        deciding, words = read_some(DECIDING, arguments)
        self.env, self.memory = deciding.get("env", ""), deciding.get("memory", "")
        self.optimiser = deciding.get("optimiser", "")
        self.layout = {"layout": deciding["layout"]} if deciding.get("layout") else {}
        self.origin = deciding.get("origin", "") or deciding.get("trained", "") or self.run
        self.search = (
            deciding.get("resume", "") if "resume" in {field.name for field in dataclasses.fields(kind)} else ""
        )
        self.runs_dir = deciding.get("runs_dir", "runs")
        first = arguments[:1] if arguments and not arguments[0].startswith("-") else []
        found = first or [word for word in words if self.is_recipe(word)]
        self.candidates = found if found and (first or not self.env) else [*found, ""]

    def command(self) -> Any:
        """The command's dataclass. RECIPE is the word that tyro reads as RECIPE where the flags are those of that word.

        A recipe's name may also be the value of a flag that another recipe has; and a flag that takes any number of values may
        take RECIPE too, so it is also tried in front of everything.
        """
        refusal = None
        fronted = [[word, *without(self.arguments, word)] for word in self.candidates if word]
        for arguments in [self.arguments, *fronted]:
            for word in self.candidates:
                try:
                    start = self.start(word)
                    given = self.given(start, arguments)
                except InputError as error:
                    refusal = refusal or error
                    continue
                named = given.own.get("name", "")
                if named == word:
                    return self.made(word, start, given)
                if not word and not self.is_recipe(named):
                    load_recipe(named)  # which says that it is none
        raise refusal or InputError(
            "RECIPE cannot be told from the values of flags; allowed: RECIPE in front of all flags"
        )

    def is_recipe(self, word: str) -> bool:
        return bool(built_in(word)) or word.endswith(".py") or self.is_run(word)

    def is_run(self, word: str) -> bool:
        with contextlib.suppress(OSError, ValueError):  # a word that no file can be called
            return (run_path(word, self.runs_dir) / "config.json").is_file()
        return False

    def start(self, word: str) -> Recipe:
        """The recipe that the flags start from: the one named, or the one that fits `--env`."""
        if word:
            of_run = built_in(word) != word and self.is_run(word)
            recipe = read_settings(run_path(word, self.runs_dir)) if of_run else load_recipe(word)
        elif self.env:
            recipe = default_recipe(self.env, is_picture(self.env, **self.layout))
        elif self.origin:
            from triptych.experiments.start import settings_behind  # it knows of frameworks, which take long to load

            recipe = settings_behind(self.origin, self.runs_dir)
        elif self.search:
            from triptych.experiments.tune.plan import read_plan

            _, recipe = read_plan(run_path(self.search, self.runs_dir))
        else:
            recipe = load_recipe(ANY)
        steps = getattr(self.kind, "STEPS", None)  # the command's own default
        return dataclasses.replace(recipe, steps=steps) if steps else recipe

    def given(self, start: Recipe, arguments: list[str]) -> Given:
        """What the arguments say, read with the flags of a recipe: those of its kinds of environment, memory and optimiser."""
        shown = start
        if self.env:
            shown = dataclasses.replace(shown, env=envs.changed(shown.env, {"id": self.env}))
        if self.memory:
            shown = remembering(shown, self.memory)
        if self.optimiser:
            shown = dataclasses.replace(shown, optimiser=with_kind(shown.optimiser, self.optimiser))
        flags = flags_of(self.kind, shown)
        if HELP & set(arguments):
            unread = never_read(shown)
            flags = listed(flags, lambda flag: flag.path not in unread and reads(self.kind, flag))
            arguments = ["--help"]  # or RECIPE, as it is there, would not be explained
        return read(flags, self.name, arguments, self.described)

    def made(self, word: str, start: Recipe, given: Given) -> Any:
        if self.front and not self.run:
            raise InputError(f"{self.front.upper()} is missing; allowed: a run, in front of everything else")
        if not (word or self.env or self.origin or self.search):
            raise InputError(
                "RECIPE is missing; allowed: a name that `triptych recipes` lists, a Python file, a run, or --env ID"
            )
        own = dict(given.own)
        if word and built_in(word) and not self.is_run(word):
            own["name"] = built_in(word)
        if "given" in {field.name for field in dataclasses.fields(self.kind)}:
            own["given"] = given.recipe
        in_front = {self.front: self.run} if self.front else {}
        return self.kind(recipe=override(start, given.recipe | in_front), **own)


def in_front(arguments: list[str]) -> tuple[str, list[str]]:
    """The first argument, where it is no flag, and the others."""
    is_word = bool(arguments) and not arguments[0].startswith("-")
    return (arguments[0], arguments[1:]) if is_word else ("", arguments)


def without(arguments: list[str], word: str) -> list[str]:
    """The arguments without a word, where it first stands."""
    place = arguments.index(word)
    return [*arguments[:place], *arguments[place + 1 :]]


def remembering(recipe: Recipe, memory: str) -> Recipe:
    """The recipe with another memory, for its flags. Never run: other flags may be what makes them fit."""
    changed = copy.copy(recipe)
    object.__setattr__(changed, "network", with_memory(recipe.network, memory))
    return changed


def never_read(recipe: Recipe) -> set[str]:
    """The settings that a recipe's games never read, by path; they are made for that, where they can be."""
    with contextlib.suppress(InputError):
        games = envs.make(recipe.env, 1)
        games.close()
        return {f"env.{name}" for name in envs.unread(recipe.env, games.observation)}
    return set()


def reads(command: Any, flag: Flag) -> bool:
    """Whether a flag of the recipe changes what a command does."""
    read: tuple[str, ...] | None = getattr(command, "READS", None)
    return read is None or any(flag.path == path or flag.path.startswith(f"{path}.") for path in read)
