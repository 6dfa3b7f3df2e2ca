"""A report as one HTML file that works offline."""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path
from typing import Any

from triptych.report import films, html
from triptych.report.handin.document import Block, Curves, Document, Figure, Films
from triptych.report.handin.figures import described
from triptych.report.handin.stills import still

DASHES = {"solid": "", "dash": "7 4", "dot": "2 3", "dashdot": "7 3 2 3", "longdash": "11 4"}
TEMPLATE = "handin.html"


def as_html(document: Document, path: Path, paper: bool = False) -> str:
    """The page's text.

    Args:
        path: where it will lie; what it links to is named from there.
        paper: it is only printed: light, nothing folded, a picture for each film, and no links to files.
    """
    blocks = [*document.lead, *(block for part in document.parts for block in part.blocks)]
    figures = [block for block in blocks if isinstance(block, Figure)]
    content: dict[str, Any] = {
        "document": document,
        "charts": charts_of(blocks),
        # By what they are, not by what they hold: two sections may show the same.
        "chart_place": {id(chart): place for place, chart in enumerate(charts_of(blocks))},
        "figure_place": {id(figure): place for place, figure in enumerate(figures)},
        "same": id,
        "drawn": [dataclasses.asdict(figure) for figure in figures],
        "described": described,
        "dashes": DASHES,
        "paper": paper,
        "style": html.script("page.css", "handin.css"),
        "script": html.script("chart.js", "curves.js", "handin.js"),
    }
    found = [film for block in blocks if isinstance(block, Films) for film in block.films]
    if paper:
        return html.render(TEMPLATE, **content, films=[on_paper(film) for film in found])
    room = html.MOST_BYTES - len(html.render(TEMPLATE, **content, films=[]).encode()) if found else 0
    shown = [film | {"still": ""} for film in films.shown(found, path, room)]
    return html.render(TEMPLATE, **content, films=shown)


def charts_of(blocks: list[Block]) -> list[dict[str, Any]]:
    """The data of the figures that a reader can ask, each once."""
    return list({id(block.chart): block.chart for block in blocks if isinstance(block, Curves)}.values())


def on_paper(film: films.FilmFile) -> dict[str, Any]:
    picture = still(film.file)
    address = "" if picture is None else "data:image/png;base64," + base64.b64encode(picture).decode("ascii")
    return {
        "run": film.run,
        "name": film.name,
        "wide": film.is_of_several,
        "still": address,
        "address": "",
        "linked": "",
    }
