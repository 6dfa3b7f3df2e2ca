"""Environments by their Gymnasium id, and the kinds of them."""

from __future__ import annotations

import importlib
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import gymnasium

from triptych.envs import atari, cartpole, doom, emulator, gym, mazes, toys
from triptych.envs.config import Kind, Unknown
from triptych.envs.ids import near_ids
from triptych.envs.packages import Package, bring, package_of, quietly
from triptych.utils.checks import InputError, check
from triptych.utils.install import install_hint
from triptych.utils.words import shown

# A game is of the first kind whose `plays` says yes.
KINDS: list[Kind] = [
    atari.KIND,
    emulator.KIND,
    cartpole.KIND,
    toys.KIND,
    *mazes.KINDS,
    doom.KIND,
    gym.KIND,
]
ATARI_ID = re.compile(r"(?:.*:)?(?:ALE/[^/:]+|\w+NoFrameskip)-v\d+")


def register_kind(kind: Kind) -> None:
    """Adds a kind of environment of one's own, which is asked before those that are there; the same name takes its place.

    Its config is a frozen dataclass, made from `GameConfig` (or `Screen`, or another kind's), with a `kind` of its own.

    Raises:
        InputError: its name is missing or one of Triptych's.
    """
    ours = {known.name for known in KINDS if known.config.__module__.startswith("triptych.")}
    check("kind" in vars(kind.config), "kind", kind.name, f"a name of its own, given in {kind.config.__name__}")
    check(kind.name not in {"", Unknown.kind, *ours}, "kind", kind.name, f"another name than {', '.join(sorted(ours))}")
    KINDS[:] = [kind, *(known for known in KINDS if known.name != kind.name)]


def missing_module(env_id: str) -> str:
    """The module that `module:id` names, where this process has not imported it; else ''."""
    module = env_id.rpartition(":")[0]
    return "" if module in sys.modules else module


def find(env_id: str, may_import: bool = False) -> Any:
    """The Gymnasium spec of an id.

    Args:
        may_import: whether the module of `module:id` is imported. Only where the user typed the id, or `runs.trust` allows
            it: an id that is read may be a stranger's.

    Raises:
        InputError: nobody registered that id.
    """
    module, _, name = env_id.rpartition(":")
    if missing_module(env_id) and not may_import:
        ways = f"a module that is imported already (import {module}), or --trust where a run names it"
        raise InputError(f"env is {env_id!r}, whose module is not imported for what is only read; allowed: {ways}")
    try:
        if module:
            import_module(module)  # which registers its ids
        return quiet_spec(name)
    except gymnasium.error.Error:
        pass
    except Exception as error:  # whatever the module raises; or it is no module's name at all
        raise InputError(
            f"env is {env_id!r}: module {module!r} cannot be imported ({error}); allowed: an installed module, or {module}.py here"
        ) from None
    if package := package_of(name):
        return found_in(package, name)
    try:
        import ale_py  # registers the Atari ids; GPL-2.0, so it is an extra

        gymnasium.register_envs(ale_py)
        return quiet_spec(name)
    except ModuleNotFoundError:
        hint = f"allowed: a registered Gymnasium id (Atari ids need: {install_hint('atari')})"
    except gymnasium.error.Error as error:
        near = near_ids(env_id)
        given = f"{module}:" if module and near and registered_by(near[0], module) else ""
        hint = (
            f"did you mean {given}{near[0]}?"
            if near
            else f"allowed: a registered Gymnasium id ({str(error).splitlines()[0]})"
        )
    raise InputError(f"env is {shown(env_id)}; {hint}")


def registered_by(env_id: str, module: str) -> bool:
    """Whether an id's environment is of a module, or of a package: the id alone is known only where that was imported."""
    maker = gymnasium.registry[env_id].entry_point
    home = str(maker).partition(":")[0] if isinstance(maker, str) else getattr(maker, "__module__", "")
    return home.partition(".")[0] == module.partition(".")[0]


def found_in(package: Package, name: str) -> Any:
    """The spec of an id that a package brings.

    Raises:
        InputError: it is not installed, or has no such id.
    """
    try:
        bring(package)
        return quiet_spec(name)
    except gymnasium.error.Error as error:
        near = near_ids(name)
        said = str(error).splitlines()[0]
        hint = f"did you mean {near[0]}?" if near else f"allowed: one of the ids of {package.name} ({said})"
    except InputError as error:
        hint = str(error)
    raise InputError(f"env is {shown(name)}; {hint}")


def import_module(module: str) -> None:
    """Imports a module that the user named: from the current folder too, as `python -m` does and an installed command does not.

    While it is imported the folder is looked into first, so that a file there is meant and not a library of its name;
    afterwards last, for what it imports later.
    """
    quietly()
    here, top = Path.cwd(), module.partition(".")[0]
    known = {str(Path(place or ".").resolve()) for place in sys.path}
    if str(here.resolve()) in known or not ((here / f"{top}.py").is_file() or (here / top).is_dir()):
        importlib.import_module(module)
        return
    sys.path.insert(0, str(here))
    try:
        importlib.import_module(module)
    finally:
        sys.path.remove(str(here))
        sys.path.append(str(here))


def quiet_spec(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated versions are still playable
        return gymnasium.spec(name)


def kind_of(spec: Any) -> Kind:
    return next(kind for kind in KINDS if kind.plays(spec))


def known_kind(env_id: str, may_import: bool) -> Kind | None:
    """The kind of an id; None where nobody here knows the id."""
    package = package_of(env_id)
    if package is not None and env_id not in gymnasium.registry:  # which need not be there to read settings
        return doom.KIND if package.extra == "doom" else gym.KIND
    try:
        return kind_of(find(env_id, may_import))
    except InputError:
        return None


def kind_like(env_id: str) -> Kind:
    """The kind of an id that is not known here, by its shape."""
    return atari.KIND if ATARI_ID.fullmatch(env_id) else gym.KIND
