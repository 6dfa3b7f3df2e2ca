"""Figures for notebooks: drawn by plotly.js in the page itself, so that a reader can move them without Python behind them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from triptych.report import colours
from triptych.report.curves import thin
from triptych.report.figures import title_of
from triptych.report.html import chart_library, script
from triptych.report.logs import AXES
from triptych.runs.reader import RunRecord, read_run
from triptych.runs.records import RunResult
from triptych.utils.checks import check

HEIGHT, SLIDER_HEIGHT = 360, 100  # pixels
AT_ONCE = {"mode": "immediate", "transition": {"duration": 0}}


class Chart:
    """A figure of plotly.js: https://plotly.com/javascript/reference/ tells what `data` and `layout` may hold.

    A notebook shows it; the page's own colours are its background and its letters. The bundle is the basic one: scatter, bar, pie.

    Args:
        data: a dict each for the curves, bars or points. Arrays may be NumPy's; NaN is a gap.
        layout: titles, axes, height.
        frames: other states of the figure, as `slider` makes them.
    """

    def __init__(
        self,
        data: Sequence[Mapping[str, Any]],
        layout: Mapping[str, Any] | None = None,
        frames: Sequence[Mapping[str, Any]] = (),
    ):
        self.data, self.layout, self.frames = list(data), dict(layout or {}), list(frames)

    def to_html(self, library: bool = True) -> str:
        """The figure as a piece of a page; `library`: with plotly.js, which a page needs once."""
        figure = text_of({"data": self.data, "layout": self.layout, "frames": self.frames})
        name = f"chart-{hashlib.sha256(figure.encode()).hexdigest()[:8]}"
        height = int(self.layout.get("height", HEIGHT))
        packed = f'<script type="text/plain" class="triptych-plotly">{chart_library()}</script>' if library else ""
        code = script("notebook.js").replace("COLOURS", json.dumps(colours.ALL)).replace("NAME", name)
        code = code.replace("FIGURE", figure)  # last: it may hold any text
        waiting = "A figure that you can move. To see it, run this cell."
        return (
            f'<div class="triptych-chart {name}" style="min-height: {height}px">{waiting}</div>'
            f"{packed}<script>{code}</script>"
        )

    def _repr_html_(self) -> str:
        return self.to_html()

    def __repr__(self) -> str:
        return f"Chart of {len(self.data)} traces"


def slider(
    draw: Callable[[Any], Chart], values: Sequence[Any], name: str, *, start: int = 0, play: bool = False
) -> Chart:
    """A chart that the reader moves: `draw(value)` is shown for the value at which the slider stands.

    Args:
        draw: makes the chart of a value; the same traces in the same order for each.
        values: in the slider's order.
        name: what they are, beside the slider.
        start: the place among `values` at which it stands first.
        play: a button that goes through them.
    """
    check(0 <= start < len(values), "start", start, f"0 to {len(values) - 1}, a place among the values")
    charts = [draw(value) for value in values]
    first = charts[start]
    frames = [
        {
            "name": str(number),
            "data": chart.data,
            "layout": {key: value for key, value in chart.layout.items() if value != first.layout.get(key)},
        }
        for number, chart in enumerate(charts)
    ]
    steps = [
        {"label": str(value), "method": "animate", "args": [[str(number)], AT_ONCE | {"frame": {"duration": 0}}]}
        for number, value in enumerate(values)
    ]
    moved: dict[str, Any] = {
        "height": first.layout.get("height", HEIGHT) + SLIDER_HEIGHT,
        "sliders": [{"active": start, "currentvalue": {"prefix": f"{name}: "}, "pad": {"t": 56}, "steps": steps}],
    }
    if play:
        button = {
            "label": "▶",
            "method": "animate",
            "args": [None, AT_ONCE | {"frame": {"duration": 300}, "fromcurrent": True}],
        }
        moved["updatemenus"] = [{"type": "buttons", "x": 0, "y": 0, "xanchor": "right", "yanchor": "top", "pad": {"t": 68, "r": 12},
                                 "showactive": False, "buttons": [button]}]  # fmt: skip
    return Chart(first.data, first.layout | moved, frames)


def plot_runs(
    *runs: str | Path | RunResult | RunRecord,
    y: str = "running_reward",
    x: str = "steps",
    labels: Sequence[str] = (),
    title: str = "",
    runs_dir: str | Path = "runs",
) -> Chart:
    """A curve of each run, over each other. A click on a name hides or shows its curve.

    Args:
        runs: run folders, names under `runs_dir`, or what `train` or `read_run` gave.
        y: a column of episodes.csv or metrics.csv: running_reward, episode_reward, loss, epsilon, evaluation_mean, ...
        x: steps, episode, seconds, ...
        labels: a name for each run; none: their folders' names.

    Raises:
        InputError: no such run, or a run has no such column.
    """
    records = [run if isinstance(run, RunRecord) else read_run(run, runs_dir=runs_dir) for run in runs]
    names = list(labels) or [record.path.name for record in records]
    check(len(names) == len(records), "labels", names, f"{len(records)}, one a run")
    looks = colours.give([record.framework for record in records])
    data = []
    for record, name, (colour, dash) in zip(records, names, looks, strict=True):
        table = table_with(record, x, y)
        there = np.flatnonzero(np.isfinite(table[y]))
        kept = there[thin(len(there))]
        line = {"color": colour, "dash": dash}
        data.append(
            {"type": "scatter", "mode": "lines", "name": name, "x": table[x][kept], "y": table[y][kept], "line": line}
        )
    layout = {
        "xaxis": {"title": {"text": AXES.get(x, x)}},
        "yaxis": {"title": {"text": title_of(y).partition(" (")[0]}},
    }
    return Chart(data, layout | ({"title": {"text": title}} if title else {}))


def table_with(record: RunRecord, *names: str) -> dict[str, np.ndarray]:
    """The run's log that has these columns."""
    for table in (record.episodes, record.metrics):
        if all(name in table and np.isfinite(table[name]).any() for name in names):
            return table
    there = dict.fromkeys([*record.episodes, *record.metrics])
    check(False, "y", names[-1], f"a column of {record.path} with values, beside {names[0]}: {', '.join(there)}")
    raise AssertionError


def text_of(figure: Any) -> str:
    """JSON that may stand in a script: six digits a number, null for NaN."""
    return json.dumps(plain(figure), ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")


def plain(value: Any) -> Any:
    """Arrays, NumPy's numbers, and NaN, as JSON knows them."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple | range):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return float(f"{value:.6g}") if np.isfinite(value) else None
    return value
