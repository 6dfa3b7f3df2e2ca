"""Copies functions, classes and constants out of a source file, comments included, without importing it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any


def definitions(file: Path) -> dict[str, Any]:
    """What a file defines at its top level, by name, in its order."""
    found: dict[str, Any] = {}
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node
    return found


def needed(file: Path, names: set[str]) -> list[str]:
    """Those of the names that a file defines, and all that they use of it, in its order."""
    defined, wanted = definitions(file), set(names)
    found: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in defined and name not in found:
            found.add(name)
            wanted |= {node.id for node in ast.walk(defined[name]) if isinstance(node, ast.Name)}
    return [name for name in defined if name in found]


def copied(file: Path, names: list[str]) -> str:
    """Their source, in the file's order."""
    lines = file.read_text(encoding="utf-8").splitlines()
    nodes = [node for name, node in definitions(file).items() if name in names]
    return "\n\n\n".join("\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in nodes)


def operations(text: str) -> set[str]:
    """What a loss uses as `xp.name`."""
    return {node.attr for node in ast.walk(ast.parse(text)) if is_operation(node)}  # type: ignore[attr-defined]


def is_operation(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "xp"
