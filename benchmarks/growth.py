"""How cost grows: steps/s and memory of DQN on Space Invaders against the number of games, the batch and the replay's size.

python benchmarks/growth.py --framework torch --out growth.html --json

Each point is a fresh process: training past the warm-up, or for the replay (which no framework takes part in) a store filled by random play. The page is
self-contained. Points are measured one after the other: between two of them the machine may have changed its speed.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from turns import measured

from triptych.frameworks import versions
from triptych.utils import machine

GAMES, BATCHES, SIZES = (1, 2, 4, 8, 16, 32, 64), (8, 16, 32, 64, 128, 256), (10_000, 100_000, 1_000_000)
WARM_UP, UPDATES = 1_000, 600  # steps before the clock starts, updates of 32 measured
EVERY = 4  # steps an update


def training(framework: str, num_envs: int, batch: int) -> dict[str, Any]:
    steps = max(400, UPDATES * EVERY * 32 // max(32, batch))
    work = (num_envs, machine.cores(), WARM_UP, steps)
    found = measured(sys.executable, "ours/dqn.py", "dqn", *work, framework, "float32", batch)
    return {"games": num_envs, "batch": batch, "steps_per_second": found["rate"], "peak_memory": found["peak_memory"]}


def replay(size: int) -> dict[str, Any]:
    found = measured(sys.executable, "replay.py", "--transitions", size, "--json")
    return {key: found[key] for key in ("transitions", "resident_bytes", "sample_ms")}


def page(found: dict[str, Any], path: Path) -> None:
    """Three charts beside each other, each with both axes of cost."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    titles = ("games at once (batch 32)", "batch (8 games)", "transitions stored")
    figure = make_subplots(
        rows=2, cols=3, column_titles=titles, row_titles=("speed", "memory"), vertical_spacing=0.08, shared_xaxes=True
    )
    charts = (
        ([p["games"] for p in found["games"]], [p["steps_per_second"] for p in found["games"]], "steps/s"),
        ([p["batch"] for p in found["batch"]], [p["steps_per_second"] for p in found["batch"]], "steps/s"),
        ([p["transitions"] for p in found["replay"]], [p["sample_ms"] for p in found["replay"]], "ms to sample 32"),
    )
    memory = (
        [p["peak_memory"] / 1e6 for p in found["games"]],
        [p["peak_memory"] / 1e6 for p in found["batch"]],
        [p["resident_bytes"] / 1e6 for p in found["replay"]],
    )
    for column, ((x, speed, unit), megabytes) in enumerate(zip(charts, memory, strict=True), start=1):
        for row, (y, name) in enumerate(((speed, unit), (megabytes, "MB")), start=1):
            figure.add_trace(go.Scatter(x=x, y=y, mode="lines+markers", line_color="#3465a4"), row, column)
            figure.update_yaxes(title_text=name, rangemode="tozero", row=row, col=column)
            figure.update_xaxes(type="log", tickvals=x, ticktext=[f"{value:,}" for value in x], row=row, col=column)
    figure.update_layout(
        title=f"DQN, Space Invaders, {found['framework']}, float32, {found['threads']} threads; {found['processor']}",
        template="plotly_white", showlegend=False, width=1200, height=640,
    )  # fmt: skip
    figure.write_html(path, include_plotlyjs=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--framework", choices=("torch", "jax", "keras"), default="torch")
    parser.add_argument("--games", type=int, nargs="+", default=GAMES)
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--out", type=Path, help="a self-contained page")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args()
    if min(*asked.games, *asked.batches) < 1 or min(asked.sizes) < 1_000:
        parser.error("--games and --batches are at least 1, --sizes at least 1000")
    if asked.out and not asked.out.parent.is_dir():
        parser.error(f"--out is {str(asked.out)!r}; allowed: a file in a folder that exists")
    found: dict[str, Any] = {"games": [], "batch": [], "replay": []}
    for kind, points, measure in (
        ("games", asked.games, lambda games: training(asked.framework, games, 32)),
        ("batch", asked.batches, lambda batch: training(asked.framework, 8, batch)),
        ("replay", asked.sizes, replay),
    ):
        for point in points:
            found[kind].append(measure(point))
            print(json.dumps(found[kind][-1]), flush=True)
    found |= {"framework": asked.framework, "threads": machine.cores()}
    found |= {"processor": machine.processor(), "versions": versions()}
    if asked.out:
        page(found, asked.out)
    if asked.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
