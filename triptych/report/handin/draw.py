"""Figures as files, for Markdown and for papers: Matplotlib draws what the page's script draws."""

from __future__ import annotations

import itertools
import re
import warnings
from functools import partial
from pathlib import Path
from typing import Any

from triptych.report.handin.document import Figure
from triptych.utils.checks import InputError
from triptych.utils.files import write_whole
from triptych.utils.install import install_hint

KINDS = ("svg", "png", "pdf")  # of --figures: for a page, for a slide, for LaTeX
WIDTH, HEIGHT, ROW = 7.0, 3.6, 0.42  # inches: of a figure, of curves, of each number
DASHES: dict[str, Any] = {"solid": "-", "dash": "--", "dot": ":", "dashdot": "-.", "longdash": (0, (8, 3))}
INK, SOFT, GRID = "#1c1d21", "#5d616b", "#e3e5e9"
STYLE: Any = {
    "font.size": 9.0, "axes.edgecolor": SOFT, "axes.labelcolor": INK, "text.color": INK, "xtick.color": SOFT, "ytick.color": INK,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": GRID, "axes.axisbelow": True, "savefig.bbox": "tight",
    "svg.hashsalt": "triptych", "text.parse_math": False,
}  # fmt: skip
LONGEST = 100  # letters of a file's name
MORE_LETTERS = (  # Chinese, Japanese and Korean, as systems have them
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans JP", "Noto Sans SC", "Noto Sans KR", "WenQuanYi Micro Hei", "Hiragino Sans", "PingFang SC",
    "Apple SD Gothic Neo", "Yu Gothic", "Microsoft YaHei", "Malgun Gothic", "Arial Unicode MS",
)  # fmt: skip
UNDATED = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}  # so that the same figure is the same file


def check_matplotlib(what: str) -> None:
    """Refuses figures that could not be drawn.

    Raises:
        InputError: Matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError:
        raise InputError(f"{what} needs matplotlib, which is not installed: {install_hint('figures')}") from None


def draw(figures: list[Figure], folder: Path, kinds: tuple[str, ...] = KINDS) -> dict[str, list[Path]]:
    """Draws each figure into `folder`, which is made where its own folder is there, and returns the files by figure."""
    import matplotlib
    from matplotlib.figure import Figure as Sheet

    folder.mkdir(exist_ok=True)
    found: dict[str, list[Path]] = {}
    names = file_names(figures)
    with matplotlib.rc_context(STYLE | {"font.family": families()}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # a box stands there
        for figure in figures:
            height = HEIGHT if figure.lines else 1.1 + ROW * len(figure.points)
            sheet = Sheet(figsize=(WIDTH, height), dpi=160)
            axes = sheet.add_subplot()
            (curves if figure.lines else numbers)(axes, figure)
            found[figure.name] = [folder / f"{names[figure.name]}.{kind}" for kind in kinds]
            for file, kind in zip(found[figure.name], kinds, strict=True):
                write_whole(file, partial(sheet.savefig, format=kind, metadata=UNDATED[kind]))
    return found


def file_names(figures: list[Figure]) -> dict[str, str]:
    """What each figure's files are called, by its name: letters, digits and dashes that every system takes, no two alike."""
    found: dict[str, str] = {}
    for figure in figures:
        name = re.sub(r"[^a-z0-9]+", "-", figure.name.lower()).strip("-")[:LONGEST].rstrip("-")
        numbered = (name if number == 1 else f"{name}-{number}" for number in itertools.count(1))
        found[figure.name] = next(one for one in numbered if one not in found.values())
    return found


def families() -> list[str]:
    """The letters of figures: Matplotlib's own, and for what they lack those that are installed here."""
    from matplotlib.font_manager import fontManager

    there = set(fontManager.get_font_names())
    return ["DejaVu Sans", *(name for name in MORE_LETTERS if name in there)]


def tick(value: float, place: int | None = None) -> str:
    """A number of an axis without powers of ten."""
    return f"{value:,.10g}".replace("-", "\N{MINUS SIGN}")


def dress(axes: Any, figure: Figure) -> None:
    from matplotlib.ticker import FuncFormatter

    axes.set_title(figure.title, loc="left", fontsize=10, fontweight="bold")
    axes.set_xlabel(figure.x)
    axes.xaxis.set_major_formatter(FuncFormatter(tick))


def curves(axes: Any, figure: Figure) -> None:
    """Curves with their bands, and lines across."""
    from matplotlib.ticker import FuncFormatter

    dress(axes, figure)
    axes.set_ylabel(figure.y)
    axes.yaxis.set_major_formatter(FuncFormatter(tick))
    for line in figure.lines:
        shape = "steps-post" if figure.steps else "default"
        axes.plot(
            line.x,
            line.y,
            color=line.colour,
            linestyle=DASHES[line.dash],
            linewidth=1.6,
            label=line.label,
            drawstyle=shape,
        )
        if line.low and line.high:
            axes.fill_between(
                line.x,
                line.low,
                line.high,
                color=line.colour,
                alpha=0.18,
                linewidth=0,
                step="post" if figure.steps else None,
            )
    for name, value in figure.marks:
        across(axes, name, value, figure.steps)
    if figure.limits:
        axes.set_ylim(figure.limits[0] - 0.02, figure.limits[1] + 0.02)
    if len(figure.lines) > 1:
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize=8)


def across(axes: Any, name: str, value: float, upright: bool) -> None:
    """A line over the whole figure, with its name."""
    if upright:
        axes.axvline(value, color=SOFT, linestyle=":", linewidth=1)
        axes.annotate(
            name,
            (value, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(3, -10),
            textcoords="offset points",
            fontsize=7.5,
            color=SOFT,
        )
    else:
        axes.axhline(value, color=SOFT, linestyle=":", linewidth=1)
        axes.annotate(
            name,
            (1.0, value),
            xycoords=("axes fraction", "data"),
            xytext=(-2, 2),
            textcoords="offset points",
            fontsize=7.5,
            color=SOFT,
            ha="right",
        )


def numbers(axes: Any, figure: Figure) -> None:
    """Numbers below each other, each with its interval and what it is the mean of."""
    dress(axes, figure)
    rows = range(len(figure.points))
    for row, point in zip(rows, figure.points, strict=True):
        axes.plot(
            point.each, [row] * len(point.each), "o", color=point.colour, alpha=0.35, markersize=4, markeredgewidth=0
        )
        if point.low is not None and point.high is not None:
            axes.plot(
                [point.low, point.high],
                [row, row],
                color=point.colour,
                linewidth=3.5,
                alpha=0.75,
                solid_capstyle="butt",
            )
        axes.plot([point.value], [row], "D", color=point.colour, markersize=6, markeredgecolor="white")
    axes.set_yticks(list(rows), [point.label for point in figure.points])
    axes.set_ylim(len(figure.points) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    for name, value in figure.marks:
        across(axes, name, value, upright=True)
    if figure.limits:
        axes.set_xlim(figure.limits[0] - 0.02, figure.limits[1] + 0.02)
