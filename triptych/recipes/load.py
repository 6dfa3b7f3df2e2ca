"""Recipes by name, by file, or made for an environment."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import os
import pkgutil
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from triptych import envs
from triptych.envs import EnvConfig
from triptych.recipes import catalogue
from triptych.recipes.override import override, settled
from triptych.recipes.recipe import Recipe
from triptych.utils.checks import InputError
from triptych.utils.words import nearest, plain, shown

OWN = "make_agent, Agent or agent"  # what a file with code of one's own may define
RUN: set[Path] = set()  # the user's files that this process has run

BUILT_IN = {
    module.name.replace("_", "-"): module.name for module in pkgutil.iter_modules(catalogue.__path__)
}  # name -> module


def built_in(name: str) -> str | None:
    """The shipped recipe of that name, in any case and with `_` for `-`; None: there is none."""
    spelled = name if name in BUILT_IN else plain(name)
    return spelled if spelled in BUILT_IN else None


def load_recipe(name: str, place: Path | None = None) -> Recipe:
    """A recipe by its name, or from a Python file that defines `recipe`.

    Args:
        place: the folder that the file imports from, where it exists; None: its own.

    Raises:
        InputError: unknown name, or a file without a recipe.
    """
    path = Path(name)
    known = built_in(name)
    if known and (known == name or not path.is_file()):
        return importlib.import_module(f"{catalogue.__name__}.{BUILT_IN[known]}").recipe
    if not (path.suffix == ".py" or there(path)):
        raise unknown(name)
    if not path.is_file():
        what = "that is a folder" if path.is_dir() else "there is no such file"
        raise InputError(f"recipe is {name!r}: {what}; allowed: a Python file that defines `recipe`")
    if path.suffix != ".py":  # it would be run as a program, whatever it holds
        raise InputError(f"recipe is {name!r}: a file that is no Python file; allowed: one whose name ends in .py")
    defined = vars(run_file(path, place=place))
    recipe = defined.get("recipe")
    if not isinstance(recipe, Recipe):
        kind = f"`recipe` is of type {type(recipe).__name__}"
        what = kind if "recipe" in defined else "defines no `recipe`"
        raise InputError(
            f"recipe file {name}: {what}; allowed: recipe = triptych.Recipe(...); for `triptych check` also {OWN}"
        )
    return settled(dataclasses.replace(recipe, source=str(path.resolve())))


def there(path: Path) -> bool:
    """Whether a path exists; one that no file can have does not."""
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, or with a zero byte in it
        return False


def unknown(name: str) -> InputError:
    """What to say of a name that is no recipe's: it may be an environment's, or nearly a recipe's."""
    listed = "`triptych recipes` lists them"
    near = nearest(name, BUILT_IN)
    ids = [] if plain(name) in map(plain, near) else envs.near_ids(name, exact=True)
    if ids:
        return InputError(f"recipe is {shown(name)}, an environment; did you mean --env {ids[0]}?")
    if near:
        return InputError(f"recipe is {shown(name)}; did you mean {near[0]}? (`triptych recipes` lists all)")
    ways = f"a recipe's name ({listed}), a Python file, a run, or --env with a Gymnasium id"
    missing = ": there is no such file" if "/" in name or os.sep in name else ""
    return InputError(f"recipe is {shown(name)}{missing}; allowed: {ways}")


def run_file(path: Path, place: Path | None = None, what: str = "recipe") -> ModuleType:
    """A user's file as a module that stays: what its functions and classes refer to is there as long as they are. Once a process.

    Raises:
        InputError: it fails; what it raised is told.
    """
    full = path.resolve()
    content = full.read_bytes()
    name = f"_{full.stem}_{hashlib.sha256(str(full).encode() + content).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    # As Python does for a file it is given: its own folder is where it imports from, now and later.
    place = full.parent if place is None else place
    if str(place) not in sys.path and place.is_dir():
        sys.path.insert(0, str(place))
    module = ModuleType(name)
    module.__file__ = str(full)
    sys.modules[name] = module  # before it runs: dataclasses look up their module
    try:
        exec(compile(content, str(full), "exec"), module.__dict__)
    except BaseException as error:
        del sys.modules[name]
        where = f"{what} file {path}{line_of(error, full)}"
        if type(error) is InputError:  # what the file gave to us cannot be used: it says what is allowed itself
            raise InputError(f"{where}: {error}") from error
        if isinstance(error, InputError) or not isinstance(error, Exception):
            raise
        said = f"{type(error).__name__}: {error}"
        raise InputError(f"{where} fails: {said}; allowed: a Python file that runs") from error
    RUN.add(full)
    return module


def line_of(error: BaseException, file: Path) -> str:
    """`, line 7`: the line of a file that an error came out of; empty where it came out of none, as where the file is no Python."""
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == str(file)]
    return f", line {lines[-1]}" if lines else ""


SMALL_PICTURES = {
    "triptych/Maze-v0": "maze-lstm"
}  # ids whose pictures are too small for Atari's kernels -> a recipe that fits


def default_recipe(env_id: str, is_picture: bool) -> Recipe:
    """The settings for an environment that is given by its id alone; sticky actions are as its id says."""
    recipe = load_recipe(SMALL_PICTURES.get(env_id, "space-invaders-tuned" if is_picture else "cartpole"))
    return dataclasses.replace(recipe, env=EnvConfig(env_id))


def resolve(recipe: str | Recipe | None, changes: dict[str, Any]) -> Recipe:
    """A recipe by name, file or object, with changes by field name; None: the settings that fit `env`.

    It is the user's own, so the module that its environment's id names is imported.

    Raises:
        InputError: unknown recipe, field or environment, or a value that is not allowed.
    """
    found = changed(recipe, changes)
    envs.find(found.env.id, may_import=True)
    return found


def changed(recipe: str | Recipe | None, changes: dict[str, Any]) -> Recipe:
    """What `resolve` gives."""
    if isinstance(recipe, Recipe):
        return override(recipe, changes)
    if recipe is not None:
        return override(load_recipe(recipe), changes)
    env = changes.get("env")
    if env is None:
        raise InputError("no recipe and no env given; allowed: a recipe's name, or --env with a Gymnasium id")
    settings = {name.removeprefix("env."): value for name, value in changes.items() if name.startswith("env.")}
    return override(default_recipe(env, is_picture(env, **settings)), changes)


def is_picture(env_id: str, **settings: Any) -> bool:
    """Whether an id shows pictures; the user gave it, so its module is imported. `settings`: of the environment, such as `layout`."""
    envs.find(env_id, may_import=True)
    return envs.shows_pictures(envs.EnvConfig(env_id, **settings))
