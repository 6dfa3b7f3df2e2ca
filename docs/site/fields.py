"""`{fields} MODULE:CLASS`: the fields of a dataclass as a table: name, default, and the comment behind it in the source, or above it.

Settings and results are explained there and nowhere else, so the table is what the code says.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import io
import textwrap
import tokenize
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

HIDDEN = ("ClassVar", "Suppress")


def fields_of(kind: type) -> dict[str, tuple[str, str]]:
    """Name to (default as it is written, comment), those of the parents first."""
    found: dict[str, tuple[str, str]] = {}
    for parent in reversed(kind.__mro__):
        if parent.__module__.startswith("triptych."):
            found |= own_fields(parent)
    return found


def own_fields(kind: type) -> dict[str, tuple[str, str]]:
    source = textwrap.dedent(inspect.getsource(kind))
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef)
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    alone = {number for number, line in enumerate(source.splitlines(), 1) if line.lstrip().startswith("#")}
    found = {}
    for node in body.body:
        if not isinstance(node, ast.AnnAssign) or any(word in ast.unparse(node.annotation) for word in HIDDEN):
            continue
        default = ast.unparse(node.value) if node.value else ""
        behind, above = comments.get(node.end_lineno or node.lineno, ""), ""
        line = node.lineno - 1
        while not behind and line in alone:  # a comment that had no room behind its field stands on the lines above
            above, line = f"{comments[line]} {above}".rstrip(), line - 1
        found[ast.unparse(node.target)] = (default, behind or above)
    return {name: told for name, told in found.items() if not name.startswith("_")}


class Fields(SphinxDirective):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        module, _, name = self.arguments[0].partition(":")
        rows = fields_of(getattr(importlib.import_module(module), name))
        with_defaults = any(default for default, _ in rows.values())
        heads = ["setting", "default", "what it is"] if with_defaults else ["field", "what it is"]
        body = nodes.tbody()
        for field, (default, told) in rows.items():
            cells: list[list[nodes.Node]] = [[nodes.literal("", field)], self.parse_inline(told, lineno=self.lineno)[0]]
            if with_defaults:
                cells.insert(1, [nodes.literal("", default)] if default else [])
            body += row(cells)
        group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in heads), cols=len(heads))
        group += [nodes.thead("", row([[nodes.Text(head)] for head in heads])), body]
        return [nodes.table("", group, classes=["fields"])]


def row(cells: list[list[nodes.Node]]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells))


def setup(app: Any) -> dict[str, Any]:
    app.add_directive("fields", Fields)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
