"""One set-up for every page: templates, style, the chart library, and the colours that have no framework's."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

from triptych.utils.checks import InputError
from triptych.utils.files import write_whole
from triptych.utils.install import install_hint

TEMPLATES = resources.files("triptych.report") / "templates"
# Told apart by colour-blind readers too, one after the other.
COLOURS = ("#1f77d0", "#d9560b", "#0f8a5f", "#a2307f", "#8a6d00", "#5b4bc4", "#b0413e", "#6b7280", "#138a9c", "#7a5230")


def check_page(what: str) -> None:
    """Refuses what a page could not be written of, before anything is played or trained.

    Raises:
        InputError: names the package that is missing, and the extra that installs it.
    """
    try:
        import jinja2  # noqa: F401
        import plotly.offline  # noqa: F401
    except ModuleNotFoundError as error:
        raise InputError(f"{what} needs {error.name}, which is not installed: {install_hint('report')}") from None


def write_page(path: Path, template: str, **content: Any) -> None:
    """Writes a template of this room, filled, as one file that works offline: whole or not at all."""
    import jinja2
    from plotly.offline import get_plotlyjs

    loader = jinja2.PackageLoader("triptych.report", "templates")
    environment = jinja2.Environment(autoescape=True, loader=loader, undefined=jinja2.StrictUndefined)
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False}  # a browser reads no NaN
    css = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    page = environment.get_template(template).render(**content, css=css, plotly=get_plotlyjs())
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, lambda temporary: temporary.write_text(page, encoding="utf-8"))
