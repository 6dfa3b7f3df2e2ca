"""Docstrings as Sphinx wants them. Ours are plain text: backquotes mean code, and a star is a star. Each gets the line where it stands."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

from docs.site.places import PACKAGE

PAGE = re.compile(r"docs/([\w/-]+)\.md")
STAR = re.compile(r"(`[^`]*`)|\*")


def prepare(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    lines[:] = [STAR.sub(lambda found: found[1] or r"\*", line) for line in lines]
    lines[:] = [PAGE.sub(r":doc:`docs/\1.md </docs/\1>`", line) for line in lines]
    if where := place(thing):
        lines += ["", f"Source: ``{where}``", ""]


def place(thing: Any) -> str:
    """`experiments/train.py:train`, which the pages make a link."""
    thing = inspect.unwrap(thing) if callable(thing) else thing
    if not inspect.isfunction(thing) and not inspect.isclass(thing):
        return ""
    path = Path(inspect.getsourcefile(thing) or "")
    return f"{path.relative_to(PACKAGE).as_posix()}:{thing.__qualname__}" if path.is_relative_to(PACKAGE) else ""


def setup(app: Any) -> dict[str, Any]:
    app.connect("autodoc-process-docstring", prepare, priority=600)  # behind napoleon, which reads its sections
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
