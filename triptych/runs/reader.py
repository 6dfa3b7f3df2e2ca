"""A run's logs as arrays, for whoever looks at them in Python."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from triptych.recipes import Recipe
from triptych.runs.names import LOGS
from triptych.runs.records import Named, last_framework, path_of, read_config, read_evaluations, read_summary
from triptych.runs.trust import Allowed
from triptych.utils.tables import read_table

Table = dict[str, np.ndarray]


@dataclass(frozen=True)
class RunRecord:
    """What a run has written down. `pandas.DataFrame(record.episodes)` makes a table of it."""

    path: Path  # its folder
    recipe: Recipe
    framework: str  # of its last session
    episodes: (
        Table  # column -> array [episodes]: episode_reward, steps, running_reward, ... (episodes.csv); NaN: no value
    )
    metrics: Table  # column -> array [rows]: loss, q_mean, evaluation_mean, ... (metrics.csv); NaN: no value
    evaluations: list[dict[str, Any]]  # what `evaluate` found
    summary: dict[str, Any]  # what its last session came to; empty while none has ended


def read_run(run: Named, *, runs_dir: str | Path = "runs", recipe: str | None = None, trust: bool = False) -> RunRecord:
    """Reads a run's logs, while it trains too.

    Args:
        run: a run folder, a run's name under `runs_dir`, or what `train` returned.
        recipe: a Python file of the user's to run first, which registers what the run needs.
        trust: run what the run names, as in `load_agent`.

    Raises:
        InputError: no such run, a file of it cannot be read, or it needs code that may not run.
    """
    path = path_of(run, runs_dir)
    config = read_config(path, Allowed(recipe, trust))
    episodes, metrics = (columns_of(path / name) for name in LOGS)
    framework = last_framework(path, config)
    return RunRecord(path, config["recipe"], framework, episodes, metrics, read_evaluations(path), read_summary(path))


def columns_of(file: Path) -> Table:
    """A log's columns; none where no row was written yet."""
    if not file.exists() or not file.stat().st_size:
        return {}
    return {name: np.array(values) for name, values in read_table(file, whole=True).columns.items()}
