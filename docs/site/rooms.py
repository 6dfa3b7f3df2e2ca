"""The drawing of the rooms as a table: which room (a row) imports which (a column). Mermaid's own program would have to come from elsewhere.

The rows are in the drawing's order, so every dot stands on the right of the diagonal: imports go one way, as one sees.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxTransform

BOX = re.compile(r'(\w+)\["(\w+)"\]')
ARROW = re.compile(r"(\w+) --> (\w+)")


class Rooms(SphinxTransform):
    default_priority = 600

    def apply(self, **kwargs: Any) -> None:
        for block in list(self.document.findall(nodes.literal_block)):
            if block.get("language") == "mermaid":
                block.replace_self(nodes.raw("", table(block.astext()), format="html"))


def table(drawing: str) -> str:
    names = dict(BOX.findall(drawing))
    arrows = set(ARROW.findall(drawing))
    head = "".join(f"<th scope='col'><span>{name}</span></th>" for name in names.values())
    rows = []
    for box, name in names.items():
        cells = "".join(cell((box, other) in arrows, box == other, f"{name} imports {names[other]}") for other in names)
        rows.append(f"<tr><th scope='row'>{name}</th>{cells}</tr>")
    caption = "<caption>A dot: the room on the left imports the room above.</caption>"
    return f"<div class='table-wrapper'><table class='rooms'>{caption}<tr><td></td>{head}</tr>{''.join(rows)}</table></div>"


def cell(imports: bool, same: bool, title: str) -> str:
    if same:
        return "<td class='same'></td>"
    return f"<td title='{title}'>●</td>" if imports else "<td></td>"


def setup(app: Any) -> dict[str, Any]:
    app.add_transform(Rooms)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
