"""`{div} CLASS`: a box around other blocks, for what stands side by side."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective


class Div(SphinxDirective):
    optional_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        return [nodes.container("", *self.parse_content_to_nodes(), classes=self.arguments)]


def setup(app: Any) -> dict[str, Any]:
    app.add_directive("div", Div)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
