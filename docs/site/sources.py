"""A page for the source of each file that a page links to, with an anchor a line: so the links work from disk, and show the code as it is.

The theme draws one of them, the list of all; the others are made of it, since it would take as long for each as for a page of text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from docs.site.links import FOLDER, file_name, files_of
from docs.site.places import PROJECT

LIST = f"{FOLDER}/index"
TITLE, BEGIN, END = "Source files", "<!-- source -->", "<!-- end of source -->"
FORMATTER = HtmlFormatter(linenos="inline", linespans="L", cssclass="highlight source")


def names(env: Any) -> list[str]:
    return sorted(set().union(*files_of(env).values())) if files_of(env) else []


def list_of_pages(app: Any) -> Iterator[tuple[str, dict[str, Any], str]]:
    items = "".join(f'<li><a href="{file_name(name)}"><code>{escape(name)}</code></a></li>' for name in names(app.env))
    body = f"{BEGIN}<h1>{TITLE}</h1><p>The files that these pages speak of, as they are.</p><ul>{items}</ul>{END}"
    yield LIST, {"title": TITLE, "body": body, "display_toc": False}, "page.html"


def write_pages(app: Any, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    frame = (Path(app.outdir) / f"{LIST}.html").read_text(encoding="utf-8")
    before, _, rest = frame.partition(BEGIN)
    _, _, after = rest.partition(END)
    for name in names(app.env):
        code = highlight((PROJECT / name).read_text(encoding="utf-8"), PythonLexer(), FORMATTER)
        head = re.sub(rf"<title>{TITLE}", f"<title>{escape(name)}", before)
        page = f'{head}<p><a href="index.html">{TITLE}</a></p><h1><code>{escape(name)}</code></h1>\n{code}{after}'
        (Path(app.outdir) / FOLDER / file_name(name)).write_text(page, encoding="utf-8", newline="\n")


def setup(app: Any) -> dict[str, Any]:
    app.connect("html-collect-pages", list_of_pages)
    app.connect("build-finished", write_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
