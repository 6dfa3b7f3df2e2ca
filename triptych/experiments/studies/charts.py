"""A study's figures for notebooks: scores with their intervals, and learning curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych.experiments.studies.reader import StudyRecord, read_study
from triptych.experiments.studies.rows import StudyRow
from triptych.report.colours import by_name
from triptych.report.curves import thin
from triptych.report.notebook import Chart
from triptych.utils.checks import check

POINTS = 60  # of a curve: a notebook holds many
SCORE = "mean raw reward"


def plot_study(
    study: StudyRecord | str | Path,
    task: str | None = None,
    *,
    curves: bool = False,
    labels: Sequence[str] = (),
) -> Chart:
    """A task's variants: scores with their 95 % intervals, or learning curves. A click on a name hides or shows it.

    Beside the interquartile mean each seed's score is a point. Where the tests hid observations, the scores stand over the chance of it.

    Args:
        study: what `read_study` gave, or a folder of results.
        task: None: the study's first.
        curves: the learning curves instead of the scores.
        labels: the variants to show, in this order; none: all.

    Raises:
        InputError: the study has no such task or label, or no curves of it are kept.
    """
    record = study if isinstance(study, StudyRecord) else read_study(study)
    task = record.tasks[0] if task is None else task
    rows = record.of_task(task)
    colours = by_name(row.label for row in record.rows)
    there = list(dict.fromkeys(row.label for row in rows))
    wanted = list(labels) or there
    for label in wanted:
        check(label in there, "label", label, ", ".join(there))
    if curves:
        check(set(wanted) <= set(record.curves.get(task, {})), "curves", True, f"a study that keeps curves of {task}")
        data = [trace for label in wanted for trace in band(record, task, label, colours[label])]
        axes = f"{task}: steps", "mean reward of the last episodes"
    elif any(row.flicker is not None for row in rows):
        data = [over_flicker([row for row in rows if row.label == label], colours[label]) for label in wanted]
        axes = f"{task}: share of hidden observations in the test", SCORE
    else:
        chosen = [next(row for row in rows if row.label == label) for label in wanted]
        data = [trace for row in chosen for trace in score_of(row, colours[row.label])]
        axes = task, SCORE
    # The names stand above, in their colours; long ones below would lie upon each other. Many need rows of their own.
    x = {"title": {"text": axes[0]}} | ({"showticklabels": False} if axes[0] == task else {})
    height = 360 + 16 * max(0, len(wanted) - 4)
    return Chart(data, {"xaxis": x, "yaxis": {"title": {"text": axes[1]}}, "height": height})


def interval(rows: Sequence[StudyRow]) -> dict[str, Any]:
    """Error bars from the interval's lower end to its upper."""
    up, down = [row.high - row.iqm for row in rows], [row.iqm - row.low for row in rows]
    return {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "thickness": 1.5}


def score_of(row: StudyRow, colour: str) -> list[dict[str, Any]]:
    """A variant's mean and interval, and its seeds beside them."""
    whole = {"type": "scatter", "name": row.label, "legendgroup": row.label}
    mean = {"x": [row.label], "y": [row.iqm], "mode": "markers", "error_y": interval([row])}
    seeds = {
        "x": [row.label] * len(row.scores), "y": row.scores, "mode": "markers", "showlegend": False,
        "hovertemplate": "one seed: %{y}<extra></extra>",
        "marker": {"color": colour, "size": 5, "opacity": 0.45, "symbol": "circle-open"},
    }  # fmt: skip
    return [whole | mean | {"marker": {"color": colour, "size": 11}}, whole | seeds]


def over_flicker(rows: Sequence[StudyRow], colour: str) -> dict[str, Any]:
    """A variant's scores over the chance of a hidden observation."""
    return {
        "type": "scatter", "mode": "lines+markers", "name": rows[0].label, "line": {"color": colour},
        "x": [row.flicker for row in rows], "y": [row.iqm for row in rows], "error_y": interval(rows),
    }  # fmt: skip


def band(record: StudyRecord, task: str, label: str, colour: str) -> list[dict[str, Any]]:
    """A learning curve upon its interval, which a click on its name hides together."""
    curve = record.curves[task][label]
    kept = thin(len(curve.steps), POINTS)
    ends = {"type": "scatter", "mode": "lines", "legendgroup": label, "showlegend": False, "hoverinfo": "skip"}
    ends |= {"x": curve.steps[kept], "line": {"width": 0, "color": colour}}
    return [
        ends | {"y": curve.low[kept]},
        ends | {"y": curve.high[kept], "fill": "tonexty", "fillcolor": f"{colour}33"},
        {
            "type": "scatter", "mode": "lines", "name": label, "legendgroup": label, "x": curve.steps[kept],
            "y": curve.mean[kept], "line": {"color": colour},
        },
    ]  # fmt: skip
