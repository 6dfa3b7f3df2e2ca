"""The imports of a written file, sorted as linters want them: all that it uses, and nothing else."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable

# What annotations in copied source are called, which mean nothing to who runs the file.
ALIASES = {"Array": "Any", "Config": "Any", "LossFunction": "Any", "Weights": "dict[str, np.ndarray]"}
ANNOTATIONS = """from collections.abc import Callable
from collections.abc import Mapping
from types import ModuleType
from typing import Any"""


def tidied(docstring: str, body: str, *imports: str, future: bool = True) -> str:
    """A whole file: its docstring, the imports that its body uses, the body.

    Args:
        imports: lines that import, the first to bind a name wins; other statements among them are kept, those before
            an import (settings in `os.environ`) before the imports.
        future: whether its annotations are left as text, which matters only where there are some.
    """
    lines = [line for text in (*imports, ANNOTATIONS) for line in text.splitlines() if line.strip()]
    before, after = settings_in(lines)
    aliases = aliases_in(body)
    used = used_names("\n".join([body, *after, *aliases]))
    top = ["from __future__ import annotations\n"] if future else []
    if before:
        top += ["import os\n", *before]
    found = "\n\n".join(sections([line for line in lines if is_import(line)], used, {"os"} if before else set()))
    head = [docstring, "\n".join(top).rstrip("\n"), found, "\n".join(after), "\n".join(aliases)]
    return "\n\n".join(part for part in head if part) + f"\n\n\n{body.strip()}\n"


def is_import(line: str) -> bool:
    return line.startswith(("import ", "from "))


def settings_in(lines: list[str]) -> tuple[list[str], list[str]]:
    """The statements among imports that are none: those that must come before the others, and the rest."""
    others = [line for line in lines if not is_import(line)]
    return [line for line in others if line.startswith("os.")], [line for line in others if not line.startswith("os.")]


def aliases_in(body: str) -> list[str]:
    used = used_names(body)
    return [f"{name} = {meaning}" for name, meaning in ALIASES.items() if name in used]


def used_names(text: str) -> set[str]:
    """Every name that a text reads, in annotations too."""
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


def sections(lines: Iterable[str], used: set[str], bound: set[str]) -> list[str]:
    """The imports of the used names that are not bound yet: the standard library's, then others', each sorted."""
    whole: dict[str, str] = {}  # by module
    parts: dict[str, list[str]] = {}
    for line in lines:
        (statement,) = ast.parse(line).body
        assert isinstance(statement, ast.Import | ast.ImportFrom)
        for alias in statement.names:
            name = alias.asname or alias.name.partition(".")[0]
            if name not in used or name in bound:
                continue
            bound = bound | {name}
            if isinstance(statement, ast.Import):
                whole[alias.name] = ast.unparse(ast.Import([alias]))
            else:
                parts.setdefault(statement.module or "", []).append(ast.unparse(alias))
    found = []
    for standard in (True, False):
        written = [whole[name] for name in sorted(whole, key=str.lower) if is_standard(name) == standard]
        written += [
            one
            for name in sorted(parts, key=str.lower)
            if is_standard(name) == standard
            for one in members(name, parts[name])
        ]
        found.append("\n".join(written))
    return [section for section in found if section]


def members(module: str, names: list[str]) -> list[str]:
    """One import of a module's names: constants, classes, the rest. What has another name here has a line of its own."""
    own = [f"from {module} import {name}" for name in sorted(names) if " as " in name]
    plain = sorted((name for name in names if " as " not in name), key=lambda name: (kind_of(name), name))
    line = f"from {module} import {', '.join(plain)}"
    if len(line) > 120:
        line = f"from {module} import (\n" + "".join(f"    {name},\n" for name in plain) + ")"
    return [line] * bool(plain) + own


def kind_of(name: str) -> int:
    """The place of a constant, a class or anything else among a module's names."""
    if name.isupper() and len(name) > 1:
        return 0
    return 1 if name[0].isupper() else 2


def is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names
