"""A user's own modules that the games of a recipe come from: a file that trains finds them only where they lie beside it."""

from __future__ import annotations

import ast
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from triptych.recipes import Recipe
from triptych.utils.checks import InputError
from triptych.utils.files import write_whole


class Own(NamedTuple):
    """A file of the user's, and how it is called from the folder that Python imports from."""

    file: Path
    name: Path

    def needs_copy(self, folder: Path) -> bool:
        """Whether it has to be copied into a folder.

        Raises:
            InputError: another file lies there.
        """
        there = folder / self.name
        if not there.exists():
            return True
        if not there.is_file() or there.read_bytes() != self.file.read_bytes():
            raise InputError(f"{there} exists and is not {self.file}; allowed: another folder, or without that file")
        return False

    def copy(self, folder: Path) -> None:
        there = folder / self.name
        there.parent.mkdir(parents=True, exist_ok=True)
        write_whole(there, lambda temporary: shutil.copyfile(self.file, temporary))


def own_files(recipe: Recipe) -> list[Own]:
    """The module that the id of the recipe's environment names, and what it imports from the same folder.

    Only of modules in the current folder, or beside the recipe's file: all others Python finds from everywhere. Of a
    package all files. The games must have been made, so that the module is imported.
    """
    module = recipe.env.id.rpartition(":")[0].partition(".")[0]
    file = getattr(sys.modules.get(module), "__file__", None)
    if not module or file is None:
        return []
    home = Path(file).resolve().parents[1 if Path(file).name == "__init__.py" else 0]
    ours = [Path.cwd(), *([Path(recipe.source).parent] if recipe.source else [])]
    if home not in [place.resolve() for place in ours]:
        return []
    found: dict[Path, None] = {}
    waiting = [module]
    while waiting:
        for path in files_of(home, waiting.pop()):
            if path not in found:
                found[path] = None
                waiting += imported_by(path)
    return [Own(path, path.relative_to(home)) for path in found]


def files_of(home: Path, module: str) -> Iterator[Path]:
    """The files of a module or a package in a folder; none where it is not there."""
    if module == "triptych":  # which is installed, though its sources may lie here
        return
    if (home / module / "__init__.py").is_file():
        for path in sorted((home / module).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path
    elif (home / f"{module}.py").is_file():
        yield home / f"{module}.py"


def imported_by(file: Path) -> list[str]:
    """The first parts of the names of all modules that a file imports, in its functions too."""
    if file.suffix != ".py":
        return []
    nodes = list(ast.walk(ast.parse(file.read_bytes())))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    of = [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level]
    return [name.partition(".")[0] for name in plain + of]
