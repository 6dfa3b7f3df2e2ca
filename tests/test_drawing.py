"""docs/design.md and docs/deviations.md say what the code is: the drawing, the functions of the walks, the places of deviations."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

import triptych

ROOT = Path(triptych.__file__).parent
PAGE = ROOT.parent / "docs" / "design.md"
WALKS = ("A transition", "A setting", "A weight", "A checkpoint")
NAMED = re.compile(r"`([\w/]+\.py):([\w.]+)`")


def draw() -> ModuleType:
    spec = importlib.util.spec_from_file_location("draw", PAGE.with_name("draw.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def walk(title: str) -> list[tuple[str, str]]:
    """The functions of a walk, as (file, name)."""
    text = PAGE.read_text(encoding="utf-8").split("### Four walks")[1].split("\n## ")[0]
    return NAMED.findall(text.split(f"**{title}**")[1].split("\n**")[0])


def resolve(path: Path, name: str) -> bool:
    """Whether a file defines a name: `function`, `Class` or `Class.method`."""
    body: list[ast.stmt] = ast.parse(path.read_text(encoding="utf-8")).body if path.is_file() else []
    for part in name.split("."):
        found = [node for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == part]
        if not found:
            return False
        body = found[0].body
    return True


def test_the_drawing_is_of_the_code_as_it_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert draw().drawn(page) == page, "run: python docs/draw.py"


def test_another_import_changes_the_drawing(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "one.py").write_text("from triptych.spec import Adam\n")
    (tmp_path / "runs" / "two.py").write_text(
        "def f():\n    from triptych.spec import Adam\n    import triptych.runs.one\n"
    )
    assert draw().arrows(tmp_path) == {("runs", "spec")}


@pytest.mark.parametrize("title", WALKS)
def test_every_function_of_a_walk_is_there(title: str) -> None:
    functions = walk(title)
    assert len(functions) > 10
    assert [f"{path}:{name}" for path, name in functions if not resolve(ROOT / path, name)] == []


def test_a_function_that_is_not_there_is_told() -> None:
    assert not resolve(ROOT / "training" / "loop.py", "run_loops")
    assert not resolve(ROOT / "training" / "session.py", "Session.gone")
    assert not resolve(ROOT / "training" / "nothing.py", "Session")


def test_every_file_of_a_room_stands_where_the_page_says() -> None:
    """In the tree of rooms each `name.py` is in the room, or in one of its folders."""
    tree = PAGE.read_text(encoding="utf-8").split("```\n")[1]
    room, missing, rooms = ROOT, [], set()
    for line in tree.splitlines()[1:]:
        if found := re.match(r"  (\w+)/", line):
            room = ROOT / found[1]
            rooms.add(found[1])
        elif line.startswith("tests/"):
            break
        elif re.match(r"  \w", line):
            room = ROOT
        names = re.findall(r"(?<![\w/])(\w+)\.py\b", line)
        missing += [f"{room.name}/{name}.py" for name in names if not [*room.rglob(f"{name}.py")]]
    assert missing == []
    assert rooms == {path.parent.name for path in ROOT.glob("*/__init__.py")}


def test_every_deviation_names_its_place() -> None:
    """By the name of what does it, or by its words: tests/docs/test_places.py finds them. Numbers of lines would rot."""
    rows = [
        line
        for line in PAGE.with_name("deviations.md").read_text(encoding="utf-8").splitlines()
        if re.match(r"\| D\d", line)
    ]
    assert len(rows) >= 20
    assert [row[:6] for row in rows if not re.search(r"`[\w/]+\.py:[\w.]+`|\]\(\.\./triptych/[\w/]+\.py\)", row)] == []
    assert not any("#L" in row for row in rows)
