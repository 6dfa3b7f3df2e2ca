"""CSV exports of Weights & Biases, and the names that CleanRL gives its curves.

A chart's export has a column `RUN - KEY` for each run, with `__MIN` and `__MAX` where W&B put several points together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from triptych.report.logs.columns import Dialect, Naming
from triptych.report.logs.log import COUNTERS, HIGH, LOW, Arrays
from triptych.report.logs.parts import Found
from triptych.utils.tables import Table

CLEANRL = Dialect(
    "CleanRL",
    {
        "global_step": "steps", "charts/episodic_return": "episode_reward", "charts/episodic_length": "episode_length",
        "charts/learning_rate": "learning_rate", "charts/epsilon": "epsilon", "charts/SPS": "steps_per_second",
        "losses/td_loss": "loss", "losses/q_values": "q_values", "losses/policy_loss": "policy_loss",
        "losses/value_loss": "value_loss", "losses/entropy": "entropy", "losses/approx_kl": "approx_kl",
        "losses/clipfrac": "clip_fraction", "losses/loss": "loss", "losses/actor_loss": "policy_loss",
    },
    note="CleanRL's steps are those of all environments together.",
    marks=("charts/episodic_return", "charts/SPS"),
)  # fmt: skip
HISTORY = Dialect(
    "W&B's history",
    {"global_step": "steps", "_step": "steps", "_runtime": "seconds", **CLEANRL.names},
    left_out=("_timestamp", "_wandb"),
    note="W&B's _step counts calls of wandb.log, unless the run gave it its own steps.",
    marks=("_step", "_runtime"),
)
X = {"Step": "steps", "_step": "steps", "Relative Time (Process)": "seconds", "Relative Time (Wall)": "seconds"}
BETWEEN, LOWEST, HIGHEST = " - ", "__MIN", "__MAX"
POINTS = "W&B's exports hold points of a chart, at most some hundred: a point may stand for many episodes, its band goes from the lowest to the highest."
CALLS = "The horizontal axis is W&B's own Step: it counts calls of wandb.log, unless the run gave it its own steps."


def is_export(names: Sequence[str]) -> bool:
    charted = list(filter(None, names[1:]))
    return bool(charted) and BETWEEN not in names[0] and all(BETWEEN in name for name in charted)


def read_export(table: Table, naming: Naming) -> list[Found]:
    """The runs of a chart's export."""
    x_name, *others = table.names
    counter = naming.name([x_name], Dialect("", X)).get(x_name, "row")
    if counter not in COUNTERS:
        counter = "row"
    runs: dict[str, dict[str, np.ndarray]] = {}
    for name in filter(None, others):
        run, _, key = name.rpartition(BETWEEN)
        runs.setdefault(run, {})[key] = table.columns[name]
    found = []
    for run, theirs in runs.items():
        part = in_our_words(run, theirs, naming)
        rows = np.any([np.isfinite(values) for values in theirs.values()], axis=0)
        by_calls = x_name in ("Step", "_step")
        if not (by_calls and "global_step" in theirs):  # the run's own count of steps says more
            part = {**part, counter: table.columns[x_name]}  # the chart's axis, also where a key has that name
            notes = [POINTS, CALLS] if by_calls else [POINTS]
        else:
            notes = [POINTS]
        part = {name: values[rows] for name, values in part.items()}
        found.append(Found(run, [part], notes=notes, played=game_in(run)))
    return found


def in_our_words(run: str, theirs: Arrays, naming: Naming) -> dict[str, np.ndarray]:
    """A run's columns, with the band of each that has one. `--columns` may name a key, or a whole column."""
    keys = [key for key in theirs if not key.endswith((LOWEST, HIGHEST))]
    whole = {f"{run}{BETWEEN}{key}": key for key in keys if f"{run}{BETWEEN}{key}" in naming.given}
    names = naming.name([key for key in keys if key not in whole.values()], CLEANRL)
    names |= {whole[name]: ours for name, ours in naming.name(whole).items()}
    part: dict[str, np.ndarray] = {}
    for key, ours in names.items():
        part[ours] = theirs[key]
        low, high = theirs.get(key + LOWEST), theirs.get(key + HIGHEST)
        if low is not None and high is not None and not (same(low, theirs[key]) and same(high, theirs[key])):
            part[ours + LOW], part[ours + HIGH] = low, high
    return part


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.array_equal(a, b, equal_nan=True))


def game_in(run: str) -> str:
    """The game in a name that CleanRL gives: GAME__EXPERIMENT__SEED__TIME."""
    parts = run.rpartition("/")[2].split("__")
    return parts[0] if len(parts) == 4 and parts[2].isdigit() and parts[3].isdigit() else ""
