"""One set-up for every page: templates, style, the chart library, and how large a page may be."""

from __future__ import annotations

import base64
from importlib import resources
from pathlib import Path
from typing import Any

from triptych.utils.checks import InputError
from triptych.utils.files import write_whole
from triptych.utils.install import install_hint

TEMPLATES = resources.files("triptych.report") / "templates"
VENDOR = resources.files("triptych.report") / "vendor"
MOST_BYTES = 1_500_000  # of a page, films and all


def check_page(what: str) -> None:
    """Refuses what a page could not be written of, before anything is played or trained.

    Raises:
        InputError: names the package that is missing, and the extra that installs it.
    """
    try:
        import jinja2  # noqa: F401
    except ModuleNotFoundError as error:
        raise InputError(f"{what} needs {error.name}, which is not installed: {install_hint('report')}") from None


def script(*names: str) -> str:
    """Some files of the templates, one after the other."""
    return "\n".join((TEMPLATES / name).read_text(encoding="utf-8") for name in names)


def chart_library() -> str:
    """plotly.js's basic bundle, compressed, as text: the browser unpacks it (see vendor/README.md)."""
    return base64.b64encode((VENDOR / "plotly-basic.min.js.gz").read_bytes()).decode("ascii")


def render(template: str, **content: Any) -> str:
    """A template of this room, filled."""
    import jinja2

    loader = jinja2.PackageLoader("triptych.report", "templates")
    environment = jinja2.Environment(
        autoescape=True, loader=loader, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False}  # a browser reads no NaN
    return environment.get_template(template).render(**content, plotly=chart_library())


def write_page(path: Path, template: str, **content: Any) -> None:
    """Writes a template of this room, filled, as one file that works offline: whole or not at all."""
    page = render(template, **content)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, lambda temporary: temporary.write_text(page, encoding="utf-8"))
