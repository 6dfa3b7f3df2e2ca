"""The chart library for pages of notebooks with figures that a reader can move: the package's own, beside the site's other files."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from triptych.report.html import VENDOR

NAME = "plotly-basic.min.js"


def unpack(app: Any) -> None:
    static = Path(app.outdir) / "_static"
    static.mkdir(parents=True, exist_ok=True)
    (static / NAME).write_bytes(gzip.decompress((VENDOR / f"{NAME}.gz").read_bytes()))


def load(app: Any, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Only those pages load it: it is a megabyte."""
    if 'class="triptych-chart' in context.get("body", ""):
        app.add_js_file(NAME)


def setup(app: Any) -> dict[str, Any]:
    app.connect("builder-inited", unpack)
    app.connect("html-page-context", load)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
