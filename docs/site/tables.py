"""Tables of sentences get the class `wordy`: on a phone the style sheet sets their rows one below the other. Tables of numbers stay tables."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxTransform

WORDY = 16  # letters of a cell on average, from which on a table is one of sentences


class Tables(SphinxTransform):
    default_priority = 600

    def apply(self, **kwargs: Any) -> None:
        for table in self.document.findall(nodes.table):
            body = next(iter(table.findall(nodes.tbody)), None)
            cells = [entry.astext() for entry in body.findall(nodes.entry)] if body else []
            if cells and sum(map(len, cells)) / len(cells) >= WORDY:
                table["classes"].append("wordy")


def setup(app: Any) -> dict[str, Any]:
    app.add_transform(Tables)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
