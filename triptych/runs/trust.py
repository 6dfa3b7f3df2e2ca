"""Whether what a run or a weights file names may be run here. The one place that decides it.

A recipe that is read may need code to be known: the user's file that registers its environment, its algorithm or its layers, or
the module that its environment's id names. A stranger's run could name anything there. So it is run only where the
user names it himself (`Allowed`), or where the run carries the mark of a training by this user on this machine.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triptych import envs
from triptych.algorithms import ALGORITHMS
from triptych.envs.registry import missing_module
from triptych.recipes import load_recipe
from triptych.runs.key import read_key
from triptych.runs.names import RECIPE_FILE
from triptych.spec import KINDS, LAYERS
from triptych.utils.checks import InputError, check
from triptych.utils.console import warn
from triptych.utils.files import sha256, write_whole

HOMES = ("gymnasium", "ale_py", "triptych")  # whose environments do only what their names say, whatever they are given

DAMAGED = (KeyError, TypeError, AttributeError)  # of a recipe that is none: whoever builds it says so


@dataclass(frozen=True)
class Allowed:
    """What the user said himself."""

    recipe: str | None = None  # a Python file to run
    trust: bool = False  # run what the run names
    env: str | None = None  # the environment to play instead of the run's
    ways: tuple[str, ...] = ("--recipe FILE (your own file to run)", "--trust (run what it names)")  # how he may say it
    again: bool = False  # run the recipe's file even where nothing needs it, as its loggers watch the run


class RefusedError(InputError):
    """A stranger's run wants to run code."""


@dataclass(frozen=True)
class Stored:
    """A recipe as it was written, and what was written beside it."""

    where: Path  # the run folder or the weights file
    recipe: Any  # what `to_dict` made
    folder: Path | None = None  # the run folder, where a copy of the recipe's file may lie
    beside: Mapping[str, Any] = field(default_factory=dict)  # what else its config.json says

    @property
    def source(self) -> str:
        return str(self.recipe.get("source") or "")

    @functools.cached_property
    def is_own(self) -> bool:
        """Whether this user's own training wrote it on this machine."""
        key, found = read_key(make=False), self.beside.get("mark")
        if key is None or not isinstance(found, str):
            return False
        made = signature(key, self.recipe, self.beside.get("recipe_file"))
        return hmac.compare_digest(found.encode(errors="replace"), made.encode())

    def file(self, trust: bool) -> Path | None:
        """The file to run: the original, or where that is gone or changed the run's copy; None: neither will do.

        Args:
            trust: whether the copy counts as it is, and the original where there is none; else what the mark covers.
        """
        files = [Path(self.source), *([self.copy] if self.copy else [])]
        if trust and self.copy is None:
            return files[0] if files[0].is_file() else None
        digest = sha256(files[-1]) if trust else self.beside.get("recipe_file")
        return next((file for file in files if file.is_file() and sha256(file) == digest), None)

    @property
    def copy(self) -> Path | None:
        """The run's copy of the recipe's file, if it has one."""
        file = None if self.folder is None else self.folder / RECIPE_FILE
        return file if file is not None and file.is_file() else None


def marks(recorded: Any, folder: Path, content: bytes | None = None) -> dict[str, Any]:
    """What a new run's config.json says of what it runs; the recipe's file is copied into the run's folder.

    Args:
        content: of the recipe's file, where the run was made with what stood there earlier; None: what stands there now.

    The mark covers the recipe and the file's content, not where the run lies: it may be moved on this machine.
    """
    source = Path(recorded["source"])
    digest = None
    if content is None and recorded["source"] and source.is_file():
        content = source.read_bytes()
    if content is not None:
        write_whole(folder / RECIPE_FILE, lambda temporary: temporary.write_bytes(content))
        digest = hashlib.sha256(content).hexdigest()
    key = read_key(make=True)
    return {"recipe_file": digest} | ({} if key is None else {"mark": signature(key, recorded, digest)})


def marked_anew(stored: Stored, recorded: Any) -> dict[str, Any]:
    """The mark of a run whose recipe the user has changed; empty where it was not his own before."""
    key = read_key(make=False)
    if key is None or not stored.is_own:
        return {}
    return {"mark": signature(key, recorded, stored.beside.get("recipe_file"))}


def signature(key: bytes, recorded: Any, digest: Any) -> str:
    text = json.dumps({"recipe": recorded, "recipe_file": digest}, sort_keys=True)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def allow(stored: Stored, allowed: Allowed) -> None:
    """Runs what a stored recipe needs to be known here, where that is allowed; most need nothing.

    Raises:
        RefusedError: it is not; the line says what would run, and which flag allows it.
        InputError: what is allowed fails, or is gone.
    """
    if allowed.recipe is not None:
        load_recipe(allowed.recipe)
    if allowed.env is not None:
        envs.find(allowed.env, may_import=True)
    if not needs(stored, allowed):
        run_again(stored, allowed)
        return
    if not (allowed.trust or stored.is_own):
        raise refusal(stored, allowed)
    run(stored, allowed)


def run_again(stored: Stored, allowed: Allowed) -> None:
    """Runs the recipe's file for what it registers besides; a run goes on without it, too."""
    if not (allowed.again and allowed.recipe is None and stored.source and (allowed.trust or stored.is_own)):
        return
    file = stored.file(allowed.trust)
    try:
        check(file is not None, "file of the recipe", stored.source, "the file as it was, here or in the run's folder")
        load_recipe(str(file), place=Path(stored.source).parent)
    except InputError as error:
        warn(f"{error}; the run goes on without what it registers")


def allow_job(job: Mapping[str, Any]) -> None:
    """Runs what the recipe of a process' job needs. Whoever made the job says whether it is the user's own."""
    allow(Stored(Path("this job"), job["recipe"]), Allowed(trust=job.get("trust") is True))


def needs(stored: Stored, allowed: Allowed) -> list[str]:
    """What of a stored recipe cannot be made here without code that it names, in words."""
    found = unknown(stored, allowed)
    with contextlib.suppress(*DAMAGED, InputError):
        env, env_id = stored.recipe["env"], allowed.env or stored.recipe["env"]["id"]
        if env.get("kwargs", "{}") != "{}" and not missing_module(env_id):
            maker = envs.find(env_id).entry_point
            module = maker if isinstance(maker, str) else str(getattr(maker, "__module__", ""))
            if module.partition(":")[0].partition(".")[0] not in HOMES:  # GymV26Environment-v0 imports what it is given
                found.append(f"env {env_id!r} with kwargs {env['kwargs']!r}")
    return found


def unknown(stored: Stored, allowed: Allowed) -> list[str]:
    """The kinds of layers, the algorithm and the environment that nobody has registered yet, and that code could."""
    found = []
    with contextlib.suppress(*DAMAGED):
        kinds = dict.fromkeys(layer["kind"] for layer in stored.recipe["network"])
        if stored.source:
            found += [f"layer or memory kind {kind!r}" for kind in kinds if kind not in LAYERS and kind not in KINDS]
            algorithm = stored.recipe["algorithm"]["kind"]
            found += [f"algorithm {algorithm!r}"] if algorithm not in ALGORITHMS else []
        kind = stored.recipe["env"].get("kind")
        if stored.source and kind is not None and kind not in {known.name for known in envs.KINDS}:
            found.append(f"env kind {kind!r}")
        env_id = stored.recipe["env"]["id"]
        if allowed.env is None and missing_module(env_id):
            found.append(f"the module of env {env_id!r}")
        elif allowed.env is None and stored.source:
            try:
                envs.find(env_id)
            except InputError:
                found.append(f"env {env_id!r}")
    return found


def run(stored: Stored, allowed: Allowed) -> None:
    """Imports the environment's module, then runs the recipe's file if something is still unknown."""
    env_id = stored.recipe["env"]["id"] if allowed.env is None else ""
    if missing_module(env_id):
        with contextlib.suppress(InputError):  # the recipe's file may lie beside it
            envs.find(env_id, may_import=True)
    missing = ", ".join(unknown(stored, allowed))
    if missing and stored.source:
        file = stored.file(allowed.trust)
        if file is None:
            raise RefusedError(
                f"{stored.where} needs the file of its recipe for {missing}; {stored.source!r} and the run's copy are gone "
                "or not what they were; allowed: --recipe FILE"
            )
        copied = "" if file == Path(stored.source) else f", the copy of {stored.source!r}, which is gone or has changed"
        warn(f"{missing} is not known: running {file}{copied or ', which the recipe came from'}")
        load_recipe(str(file), place=Path(stored.source).parent)
    if missing_module(env_id):
        envs.find(env_id, may_import=True)


def refusal(stored: Stored, allowed: Allowed) -> RefusedError:
    """What it wants to run, and how that is allowed."""
    file = repr(stored.source) + (f" (copied as {stored.copy})" if stored.copy else "")
    wanted = f"to run {file} for " if stored.source else "to run code for "
    ways = [way for way in allowed.ways if stored.source or "--recipe" not in way]
    return RefusedError(
        f"{stored.where} wants {wanted}{', '.join(needs(stored, allowed))}, and nothing shows that you trained it on this "
        f"machine; allowed: {', '.join(ways)}"
    )
