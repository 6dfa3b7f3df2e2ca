"""`triptych report --question`: the report that one hands in, as HTML, PDF, Markdown, or figures alone. It trains nothing."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from triptych.report.handin.as_html import as_html
from triptych.report.handin.as_markdown import Writer, figures_beside
from triptych.report.handin.as_pdf import browser, write_pdf
from triptych.report.handin.compose import Composer
from triptych.report.handin.draw import check_matplotlib, draw
from triptych.report.handin.request import Reading, Request, sections
from triptych.report.html import check_page
from triptych.report.page import default_place
from triptych.report.published import read_published
from triptych.utils.checks import InputError
from triptych.utils.files import check_new_file, write_whole
from triptych.utils.install import install_hint

HTML, MARKDOWN, PDF = (".html", ".htm"), (".md", ".markdown"), (".pdf",)


def hand_in(
    arguments: Sequence[str], request: Request, *, how: Reading, out: Path | None = None, pdf: bool = False, figures: Path | None = None,
    words: Sequence[str] = (),
) -> list[Path]:  # fmt: skip
    """Writes the report and returns the files, the page first.

    Args:
        arguments: runs, logs and studies' folders that answer the question; `request.sections` has those of further ones.
        out: ends on .html, .md or .pdf; None: report.html where a page of these runs lies by itself.
        pdf: a PDF beside the page, too.
        figures: a folder for every figure as SVG, PNG and PDF.
        words: the command line that makes the page again.

    Raises:
        InputError: an argument cannot be read, or a package or program that is needed is missing.
    """
    kind = check(out, pdf, figures)
    published = read_published(request.compare_to) if request.compare_to else None
    found = sections(arguments, request, how)
    logs = [log for section in found for log in section.logs]
    path = out or (default_place(logs, how.runs_dir) if logs else how.runs_dir) / "report.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    document = Composer(found, request, published, path, list(words)).document()
    made: list[Path] = []
    if kind in HTML:
        text = as_html(document, path)
        write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
        made.append(path)
    elif kind in MARKDOWN:
        made += Writer(document, path).write()
    if pdf or kind in PDF:
        sheet = path.with_suffix(".pdf")
        write_pdf(sheet, as_html(document, sheet, paper=True))
        made.append(sheet)
    if figures is not None:
        made += [file for files in draw(document.figures, figures).values() for file in files]
    return made


def check(out: Path | None, pdf: bool, figures: Path | None) -> str:
    """What the page is written as, by its ending; refuses what could not be written, before anything is read."""
    check_page("report")
    if importlib.util.find_spec("scipy") is None:
        raise InputError(f"a question's tests need scipy, which is not installed: {install_hint('report')}")
    kind = ".html" if out is None else out.suffix.lower()
    if kind not in (*HTML, *MARKDOWN, *PDF):
        raise InputError(f"out is {str(out)!r}; allowed: a file that ends on .html, .md or .pdf")
    if out is not None:
        check_new_file(out)
    if pdf or kind in PDF:
        browser()
    if kind in MARKDOWN or figures is not None:
        check_matplotlib("a report as Markdown" if kind in MARKDOWN else "figures")
    if kind in MARKDOWN and out is not None and figures_beside(out).is_file():
        raise InputError(
            f"{figures_beside(out)} is a file, and the folder of this page's figures; allowed: another --out"
        )
    if figures is not None and (figures.is_file() or not figures.resolve().parent.is_dir()):
        raise InputError(f"figures is {str(figures)!r}; allowed: a folder, new or not, in a folder that is there")
    return kind
