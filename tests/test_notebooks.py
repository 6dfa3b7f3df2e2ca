"""The notebooks of docs/guide/ and docs/labs/: each runs from top to bottom, and what is stored in it is what its code gave.

Links to the code are tested with those of every page: tests/docs/test_places.py."""

from __future__ import annotations

import ast
import html
import importlib.util
import re
import warnings
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib.pyplot
import pytest

import triptych
from tests.registries import restored

ROOT = Path(triptych.__file__).parent
DOCS = ROOT.parent / "docs"
SHOWN = re.compile(r"`([\w/]+\.py)(?::[\w.<>]+)?`, line (\d+)\n\n```python\n(.*)\n```", re.DOTALL)


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("notebooks", DOCS / "notebooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tool = load()
NOTEBOOKS = {path.stem: path for path in tool.notebooks()}
each = pytest.mark.parametrize("name", NOTEBOOKS)


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty folder, small budgets, figures that open no window; what a notebook registers is taken back."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(tool.QUICK, "1")
    monkeypatch.setenv("TRIPTYCH_NO_VIDEO", "")  # the films are part of it
    matplotlib.use("agg")
    with restored(), matplotlib.rc_context():
        yield
    matplotlib.pyplot.close("all")


def run_cell(source: str, place: str, names: dict[str, Any]) -> None:
    """As Jupyter runs it: what stands in the last line is shown."""
    body = ast.parse(source, place)
    last = body.body.pop() if body.body and isinstance(body.body[-1], ast.Expr) else None
    exec(compile(body, place, "exec", dont_inherit=True), names)  # not with the imports from __future__ of this file
    if last is not None:
        value = eval(compile(ast.Expression(last.value), place, "eval", dont_inherit=True), names)
        for how in ("_repr_html_", "_repr_markdown_"):
            getattr(value, how, lambda: None)()


@each
def test_it_runs_from_top_to_bottom(name: str, alone: None) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(tool.code_cells(tool.read(NOTEBOOKS[name])), 1):
        with warnings.catch_warnings():
            run_cell(cell.source, f"{name}, code cell {number}", names)


@each
def test_what_is_stored_is_one_run_of_this_very_code(name: str) -> None:
    notebook = tool.read(NOTEBOOKS[name])
    cells = tool.code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output.text for output in outputs if output.get("name") == "stderr"]
    again = f"its code changed: `python docs/notebooks.py {name}` runs it again"
    assert notebook.metadata["triptych"]["executed"] == tool.digest(notebook), again


@each
def test_it_is_small_and_names_no_machine(name: str) -> None:
    text = NOTEBOOKS[name].read_text(encoding="utf-8")
    assert len(text.encode()) <= tool.MOST_BYTES
    assert not re.findall(r"(?:/home/|/root/|/tmp/|/work/)\w+", text)
    assert 'class=\\"triptych-plotly\\"' not in text, "the chart library is not stored"


@each
def test_the_lines_of_our_code_in_its_outputs_are_those_of_today(name: str) -> None:
    cells = tool.code_cells(tool.read(NOTEBOOKS[name]))
    shown = [
        output.data["text/markdown"]
        for cell in cells
        for output in cell.outputs
        if "text/markdown" in output.get("data", {})
    ]
    for found in filter(None, map(SHOWN.fullmatch, shown)):
        path, _, code = found.groups()
        lines = iter(line.strip() for line in (ROOT / path).read_text(encoding="utf-8").splitlines())
        again = f"{path} changed: `python docs/notebooks.py --sources {name}`"
        assert all(line.strip() in lines for line in code.splitlines()), again


@each
def test_the_three_sources_beside_each_other_are_those_of_today(name: str) -> None:
    for cell in filter(tool.is_source, tool.read(NOTEBOOKS[name]).cells):
        if ".beside(" in cell.source:
            stored, now = cell.outputs[0].data["text/html"], tool.source_of(cell)._repr_html_()
            again = f"what `triptych show` writes changed: `python docs/notebooks.py --sources {name}`"
            assert words_of(stored) == words_of(now), again


def words_of(page: str) -> str:
    """A page's text, without what colours it."""
    return html.unescape(re.sub("<[^>]*>", "", page))


@each
def test_it_uses_the_public_interface_only(name: str) -> None:
    """`triptych` and its documented rooms of specs, environments and algorithms; nothing else of the inside."""
    allowed = {"triptych", "triptych.spec", "triptych.envs", "triptych.recipes", "triptych.algorithms"}
    for cell in tool.code_cells(tool.read(NOTEBOOKS[name])):
        for node in ast.walk(ast.parse(cell.source)):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {module for module in modules if module.split(".")[0] == "triptych"} <= allowed, cell.source


@each
def test_a_solution_is_folded_away_in_jupyter_and_in_the_site(name: str) -> None:
    for cell in tool.read(NOTEBOOKS[name]).cells:
        if "solution" in cell.metadata.get("tags", []):
            assert cell.metadata == tool.SOLUTION


CHAPTERS = [path for path in NOTEBOOKS.values() if path.parent.name == "guide"]


@pytest.mark.parametrize(("chapter", "after"), list(pairwise(CHAPTERS)), ids=lambda path: path.stem)
def test_a_chapter_leads_to_the_next_one(chapter: Path, after: Path) -> None:
    texts = [cell.source for cell in tool.read(chapter).cells if cell.cell_type == "markdown"]
    assert [text for text in texts if re.search(rf"Next: \[[^]]+\]\({re.escape(after.name)}\)", text)]
