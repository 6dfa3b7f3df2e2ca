"""Lines of our own source, shown where somebody explains them: they are looked up, so they are always those that run."""

from __future__ import annotations

import ast
import inspect
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych.utils.checks import InputError, check, shown

PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Excerpt:
    """Some lines of a file. A notebook shows them with their place and in colours; `print` gives the lines alone."""

    place: str  # losses/value.py:q_learning
    line: int  # the first one's number
    code: str

    def __str__(self) -> str:
        return self.code

    def __repr__(self) -> str:
        return f"{self.place}, line {self.line}"

    def _repr_markdown_(self) -> str:
        return f"`{self.place}`, line {self.line}\n\n```python\n{self.code}\n```"


def show_source(what: Any, start: str = "", end: str = "") -> Excerpt:
    """The source of a function, class or module of Triptych, without its docstring, or some lines of it.

    Args:
        what: the object, or its name: "losses.value.q_learning".
        start: the first line to show is the first that contains this text; "": all are shown.
        end: the last one is the first from there on that contains this; "": the end of the statement that `start` begins.

    Raises:
        InputError: there is no such object, or no such line in it.
    """
    lines, first, place = from_file(what) if isinstance(what, str) else from_object(what)
    if start:
        at, last = bounds(lines, start, end)
        lines, first = lines[at : last + 1], first + at
    else:
        lines = without_docstring(lines)
    return Excerpt(place, first, textwrap.dedent("\n".join(lines)).strip("\n"))


def from_file(name: str) -> tuple[list[str], int, str]:
    """What `losses.value.q_learning` is the name of: its lines, the first one's number, its place. Nothing is imported, no framework either."""
    parts = name.removeprefix("triptych.").split(".")
    for count in range(len(parts), 0, -1):
        file = PACKAGE.joinpath(*parts[:count]).with_suffix(".py")
        node = node_of(file, parts[count:]) if file.is_file() else None
        if node is not None:
            lines = file.read_text(encoding="utf-8").splitlines()
            start = first_line(node)
            place = file.relative_to(PACKAGE).as_posix() + (f":{'.'.join(parts[count:])}" if parts[count:] else "")
            return lines[start - 1 : getattr(node, "end_lineno", None)], start, place
    raise InputError(f"what is {shown(name)}: nothing in triptych has that name; allowed: as in 'losses.value.huber'")


def node_of(file: Path, names: list[str]) -> ast.AST | None:
    """The module, or the class or function in it that these names lead to."""
    node: Any = ast.parse(file.read_text(encoding="utf-8"))
    for name in names:
        node = next((inner for inner in getattr(node, "body", []) if getattr(inner, "name", "") == name), None)
    return node


def first_line(node: ast.AST) -> int:
    """Decorators belong to it."""
    return min([getattr(node, "lineno", 1), *(one.lineno for one in getattr(node, "decorator_list", []))])


def from_object(what: Any) -> tuple[list[str], int, str]:
    """The same of a function, class or module, from whatever file."""
    try:
        lines, first = inspect.getsourcelines(what)
        file = Path(inspect.getsourcefile(what) or "").resolve()
    except (TypeError, OSError):
        raise InputError(f"what is {shown(what)}: it has no source; allowed: a function, a class or a module") from None
    place = file.relative_to(PACKAGE).as_posix() if file.is_relative_to(PACKAGE) else file.name
    name = "" if inspect.ismodule(what) else f":{what.__qualname__}"
    return [line.rstrip("\n") for line in lines], max(1, first), place + name


def bounds(lines: list[str], start: str, end: str) -> tuple[int, int]:
    """The places of the first and the last line to show."""
    at = next((number for number, line in enumerate(lines) if start in line), None)
    check(at is not None, "start", start, "text of a line that is there")
    assert at is not None
    if not end:
        return at, statement_end(lines, at)
    last = next((number for number in range(at, len(lines)) if end in lines[number]), None)
    check(last is not None, "end", end, "text of a line that is there, from `start` on")
    assert last is not None
    return at, last


def statement_end(lines: list[str], at: int) -> int:
    """Where the smallest statement that begins at a line ends; that line itself where none does."""
    tree = ast.parse(textwrap.dedent("\n".join(lines)))
    ends = [node.end_lineno or 0 for node in ast.walk(tree) if isinstance(node, ast.stmt) and node.lineno == at + 1]
    return min(ends, default=at + 1) - 1


def without_docstring(lines: list[str]) -> list[str]:
    node: Any = ast.parse(textwrap.dedent("\n".join(lines)))
    if node.body and isinstance(node.body[0], ast.FunctionDef | ast.ClassDef) and len(node.body) == 1:
        node = node.body[0]
    if ast.get_docstring(node) is None or len(node.body) == 1:
        return lines
    docstring = node.body[0]
    return lines[: docstring.lineno - 1] + lines[docstring.end_lineno :]
