"""Tables of sentences get the class `wordy`: on a phone the style sheet sets their cells one below the other. Tables of numbers stay tables.

There each cell says which column it is of, where that is not plain: the name stands in the cell, and the style sheet shows it.
"""

from __future__ import annotations

from html import escape
from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxTransform

WORDY = 16  # letters of a cell on average, from which on a table is one of sentences
LABELLED = 3  # columns from which on they are named


class Tables(SphinxTransform):
    default_priority = 600

    def apply(self, **kwargs: Any) -> None:
        for table in self.document.findall(nodes.table):
            body = next(iter(table.findall(nodes.tbody)), None)
            cells = [entry.astext() for entry in body.findall(nodes.entry)] if body else []
            if cells and sum(map(len, cells)) / len(cells) >= WORDY:
                table["classes"].append("wordy")
                label(table)


def label(table: nodes.table) -> None:
    heads = [entry.astext() for head in table.findall(nodes.thead) for entry in head.findall(nodes.entry)]
    if len(heads) < LABELLED:
        return
    for body in table.findall(nodes.tbody):
        for row in body.findall(nodes.row):
            for name, entry in list(zip(heads, row.children, strict=True))[1:]:
                if name and entry.children and isinstance(entry.children[0], nodes.paragraph):
                    entry.children[0].insert(
                        0, nodes.raw("", f'<span class="label" data-label="{escape(name)}"></span>', format="html")
                    )


def setup(app: Any) -> dict[str, Any]:
    app.add_transform(Tables)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
