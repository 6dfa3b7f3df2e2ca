"""Where in the source something stands, by its name or its text, so that a link to it cannot rot. Knows nothing of Sphinx.

A page names code in one of two ways, and `tests/docs` holds that both lead somewhere:

    `losses/value.py:temporal_difference`                          a function, class, method, field or constant of the package
    [`reward + discount * ahead`](../triptych/losses/value.py)     a line, by words that stand in this one line of the file
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "triptych"
NAMED = re.compile(r"(?P<path>(?:[\w.-]+/)*\w+\.py)(?::(?P<name>[A-Za-z_][\w.]*))?")


def file_of(path: str) -> Path | None:
    """A file of the package or of the project by the path that a page writes; None: there is no such file.

    A name alone, without a folder, is not taken for a file: pages speak of `mine.py` and `recipe.py` of the reader's own.
    """
    if "/" not in path:
        return None
    return next((root / path for root in (PACKAGE, PROJECT) if (root / path).is_file()), None)


@cache
def lines_of(path: Path) -> tuple[str, ...]:
    return tuple(path.read_text(encoding="utf-8").splitlines())


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def line_of_name(path: Path, name: str) -> int | None:
    """The line, from 1, in which a file defines `function`, `Class`, `Class.method`, `Class.field` or `CONSTANT`; None: nowhere."""
    body: list[ast.stmt] = tree_of(path).body
    found: ast.stmt | None = None
    for part in name.split("."):
        found = next((node for node in body if part in names_of(node)), None)
        if found is None:
            return None
        body = getattr(found, "body", [])
    return found.lineno if found else None


def names_of(node: ast.stmt) -> set[str]:
    """What a statement gives a name to."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.AnnAssign):
        return {ast.unparse(node.target)}
    if isinstance(node, ast.Assign):
        each = (target.elts if isinstance(target, ast.Tuple) else [target] for target in node.targets)
        return {ast.unparse(name) for names in each for name in names}
    return set()


def lines_of_text(path: Path, text: str) -> list[int]:
    """The lines, from 1, in which some code stands. Spaces count as one, so a page need not repeat them."""
    wanted = " ".join(text.split())
    return [number for number, line in enumerate(lines_of(path), 1) if wanted in " ".join(line.split())]
