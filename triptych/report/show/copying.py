"""Copies functions, classes and constants out of source files, comments included, without importing them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from triptych.utils.checks import InputError


def definitions(file: Path) -> dict[str, Any]:
    """What a file defines at its top level, by name, in its order."""
    return defined_in(file.read_text(encoding="utf-8"))


@lru_cache(maxsize=64)  # a page of thirty agents asks for the same few files a thousand times
def defined_in(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            found[node.target.id] = node
    return found


def evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """All below a node but annotations, which nobody evaluates where `from __future__ import annotations` stands."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from evaluated(child)


SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef


def names_in(node: ast.AST) -> set[str]:
    """The names that a piece of source looks up outside of itself."""
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Load) else set()
    found: set[str] = set()
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns"):
            for child in value if isinstance(value, list) else [value]:
                found |= names_in(child) if isinstance(child, ast.AST) else set()
    return found if isinstance(node, ast.Module | ast.ClassDef) or not isinstance(node, SCOPES) else found - bound(node)


def bound(scope: ast.AST, inside: bool = False) -> set[str]:
    """The names that are a function's own: its arguments, and what it assigns, imports or defines."""
    if isinstance(scope, ast.Name):
        return set() if isinstance(scope.ctx, ast.Load) else {scope.id}
    if isinstance(scope, ast.arg):
        return {scope.arg}
    if isinstance(scope, ast.alias):
        return {scope.asname or scope.name.partition(".")[0]}
    if inside and isinstance(scope, SCOPES):
        return set() if isinstance(scope, ast.Lambda) else {scope.name}
    return {name for child in ast.iter_child_nodes(scope) for name in bound(child, inside=True)}


def needed(file: Path, names: set[str]) -> list[str]:
    """Those of the names that a file defines, and all that they use of it, in its order."""
    defined, wanted = definitions(file), set(names)
    found: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in defined and name not in found:
            found.add(name)
            wanted |= names_in(defined[name])
    return [name for name in defined if name in found]


def copied(file: Path, names: list[str]) -> str:
    """Their source, in the file's order."""
    lines = file.read_text(encoding="utf-8").splitlines()
    nodes = [node for name, node in definitions(file).items() if name in names]
    return "\n\n\n".join("\n".join(lines[first_line(node) - 1 : node.end_lineno]) for node in nodes)


def first_line(node: Any) -> int:
    """Of a definition, with its decorators."""
    return int(min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))]))


@dataclass
class Text:
    """Definitions that stand alone once the imports stand before them."""

    imports: dict[str, None] = field(default_factory=dict)
    parts: dict[tuple[Path, str], str] = field(default_factory=dict)  # by file and name

    @property
    def text(self) -> str:
        return "\n\n\n".join(self.parts.values())

    @property
    def names(self) -> set[str]:
        return {name for _, name in self.parts}


def gather(file: Path, names: set[str], into: Text | None = None) -> Text:
    """What a file defines of the names, with all that it uses: of its own, and of files of ours or beside it.

    Other imports become imports of the text.

    Raises:
        InputError: something that they use cannot be copied.
    """
    into = Text() if into is None else into
    wanted = [name for name in needed(file, names) if (file, name) not in into.parts]
    defined = definitions(file)
    nodes = [defined[name] for name in wanted]
    used = {name for node in nodes for name in names_in(node)} | (names - defined.keys())
    for name in wanted:
        into.parts.setdefault((file, name), "")  # so that two files may use each other
    for statement, alias in imported(file):
        called = alias.asname or alias.name.partition(".")[0]
        if called in used:
            take(file, statement, alias, nodes, into)
    for name in wanted:
        into.parts[file, name] = into.parts.pop((file, name)) or copied(file, [name])  # after what it uses
    return into


def imported(file: Path) -> Iterator[tuple[ast.Import | ast.ImportFrom, ast.alias]]:
    """Each name that a file imports at its top level."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.module != "__future__"):
            for alias in node.names:
                yield node, alias


def take(file: Path, statement: ast.Import | ast.ImportFrom, alias: ast.alias, nodes: list[Any], into: Text) -> None:
    """Copies what a file imports, or writes the import down."""
    called = alias.asname or alias.name
    parent = (statement.module or "") if isinstance(statement, ast.ImportFrom) else ""
    module = find(file, f"{parent}.{alias.name}" if parent else alias.name)
    if module is not None:  # a module, of which attributes are used
        attributes = {
            found.attr
            for node in nodes
            for found in evaluated(node)
            if isinstance(found, ast.Attribute) and isinstance(found.value, ast.Name) and found.value.id == called
        }
        missing = sorted(attributes - definitions(module).keys())
        if missing or not attributes:
            raise InputError(f"{file} uses {called}.{' '.join(missing)}; allowed: what can be shown as text")
        gather(module, attributes, into)
        listed = ", ".join(f"{name}={name}" for name in sorted(attributes))
        into.parts[file, called] = f"{called} = SimpleNamespace({listed})"
    elif (home := find(file, parent)) is not None:
        gather(home, {alias.name}, into)
        if called != alias.name:
            into.parts[file, called] = f"{called} = {alias.name}"
    else:
        line = type(statement)(**{**vars(statement), "names": [alias]})
        into.imports[ast.unparse(line)] = None


def find(file: Path, module: str) -> Path | None:
    """The file of a module of ours, or of one beside a user's file; None: it is neither, or no module."""
    if not module:
        return None
    beside = file.parent / f"{module.replace('.', '/')}.py"
    if beside.is_file():
        return beside
    package, *parts = module.split(".")
    if package != "triptych":
        return None
    ours = (
        Path(__file__).parents[2].joinpath(*parts)
    )  # found without importing anything: the file may import a framework
    return next((path for path in (ours.with_suffix(".py"), ours / "__init__.py") if path.is_file()), None)


def operations(text: str) -> set[str]:
    """What a loss uses as `xp.name`."""
    return {node.attr for node in ast.walk(ast.parse(text)) if is_operation(node)}  # type: ignore[attr-defined]


def is_operation(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "xp"
