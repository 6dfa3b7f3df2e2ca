"""Links of the pages to the code: each leads to the page of the file's source, at the line where it stands today.

Pages are plain Markdown that also reads well where it lies, so nothing has a syntax of its own: see `places`.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from docs.site import places

LOGGER = logging.getLogger(__name__)
PYTHON = ".py"
FOLDER = "source"  # of the pages that show source


class Links(SphinxTransform):
    """Inline code that names a place becomes a link, and so does every link to a file that is no page."""

    default_priority = 600  # behind the references that Markdown made, before what is missing is looked for

    def apply(self, **kwargs: Any) -> None:
        self.keep_anchors()
        for reference in list(self.document.findall(addnodes.download_reference)):
            self.lead_to_file(reference)
        for reference in list(self.document.findall(addnodes.pending_xref)):
            if reference.get("reftype") == "myst" and reference.get("refdomain") is None:
                self.lead_to_folder(reference)
        for literal in list(self.document.findall(nodes.literal)):
            if not within_link(literal):
                self.lead_to_name(literal)

    def keep_anchors(self) -> None:
        """`[...](#here)` to an `<a id="here">` in the page's HTML, which Sphinx does not see."""
        html = " ".join(node.astext() for node in self.document.findall(nodes.raw))
        ids = set(re.findall(r'id="([^"]+)"', html))
        for reference in self.document.findall(nodes.reference):
            if "id_link" in reference and reference["refuri"].removeprefix("#") in ids:
                del reference["id_link"]

    def lead_to_name(self, literal: nodes.literal) -> None:
        """`training/loop.py:run_loop`, and `training/loop.py` alone."""
        found = places.NAMED.fullmatch(literal.astext())
        path = found and places.file_of(found["path"])
        if found and path is None and found["name"] and "/" in found["path"]:
            LOGGER.warning("%s is nowhere in the project", literal.astext(), location=literal)
        if not found or path is None:
            return
        line = places.line_of_name(path, found["name"]) if found["name"] else 1
        if line is None:
            LOGGER.warning("%s is nowhere in %s", found["name"], path, location=literal)
            return
        link = self.to_source(path, line)
        literal.replace_self(link)
        link += literal
        let_break(literal)

    def lead_to_file(self, reference: addnodes.download_reference) -> None:
        """A Markdown link to a file of the project. Python goes to its source page, other files are copied into the site."""
        path = self.path_of(reference["reftarget"])
        if path.suffix != PYTHON:
            return
        words = next(iter(reference.findall(nodes.literal)), None)
        whole = words is None or places.NAMED.fullmatch(words.astext())
        lines = [1] if whole else places.lines_of_text(path, words.astext())
        if len(lines) != 1:
            wrong = f"stands in {len(lines)} lines of {path}; a link to a line needs exactly 1"
            LOGGER.warning("%s %s", words.astext() if words else "", wrong, location=reference)
            return
        link = self.to_source(path, lines[0])
        reference.replace_self(link)
        link += reference.children
        if words is not None:
            let_break(words)

    def lead_to_folder(self, reference: addnodes.pending_xref) -> None:
        """A folder has no page but that of its README; one without is named and not linked."""
        path = self.path_of(reference["reftarget"].partition("#")[0])
        if not path.is_dir():
            return
        if (path / "README.md").exists():
            reference["refdomain"] = "doc"
            reference["reftarget"] = (path / "README").relative_to(places.PROJECT).as_posix()
            reference["reftargetid"] = None  # its top
        else:
            reference.replace_self(reference.children)

    def path_of(self, target: str) -> Path:
        _, path = self.env.relfn2path(target, self.env.docname)
        return Path(path)

    def to_source(self, path: Path, line: int) -> nodes.reference:
        """A link that works from disk: relative, whatever folder the page is in."""
        name = path.relative_to(places.PROJECT).as_posix()
        files_of(self.env).setdefault(self.env.docname, set()).add(name)
        page = posixpath.relpath(f"{FOLDER}/{file_name(name)}", posixpath.dirname(self.env.docname) or ".")
        title = f"{name}, line {line}" if line > 1 else name
        return nodes.reference("", "", refuri=f"{page}#L-{line}", reftitle=title, classes=["source-link"])


def let_break(literal: nodes.literal) -> None:
    """Where a narrow column may break a long name: behind its points, strokes and brackets, rather than anywhere."""
    pieces = re.findall(r".+?(?:[/:_(,=]|[.](?!py))(?=.)|.+", literal.astext())
    literal.children = []
    for place, piece in enumerate(pieces):
        literal += [nodes.raw("", "<wbr>", format="html"), nodes.Text(piece)] if place else [nodes.Text(piece)]


def within_link(node: nodes.Node) -> bool:
    parents = (nodes.reference, nodes.title, addnodes.download_reference, addnodes.pending_xref)
    while node is not None:
        if isinstance(node, parents):
            return True
        node = node.parent
    return False


def file_name(name: str) -> str:
    """What the page of a file's source is called, in FOLDER: all lie side by side."""
    return f"{name.replace('/', '.')}.html"


def files_of(env: Any) -> dict[str, set[str]]:
    """The files of the project that each page links to."""
    if not hasattr(env, "triptych_files"):
        env.triptych_files = {}
    return env.triptych_files


def forget(app: Any, env: Any, docname: str) -> None:
    files_of(env).pop(docname, None)


def merge(app: Any, env: Any, docnames: Any, other: Any) -> None:
    files_of(env).update({name: files for name, files in files_of(other).items() if name in docnames})


def setup(app: Any) -> dict[str, Any]:
    app.add_transform(Links)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
