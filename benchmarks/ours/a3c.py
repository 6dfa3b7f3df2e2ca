"""A2C, or A3C in one of its two arrangements, on CartPole, in a process of its own.

ours/a3c.py a2c|scheduled|ray FRAMEWORK STEPS
"""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from triptych import train
from triptych.frameworks import versions
from triptych.utils import machine

WORKERS, GAMES = 2, 16  # games in all
SAME: dict[str, Any] = {
    "threads": 1,
    "evaluate_every": 0,
    "video": False,
    "quiet": True,
    "solved_at": None,
    "log_every": 1_000,
}
CALM = 5_000  # steps before the clock starts


def main(name: str, framework: str, steps: int) -> None:
    how: dict[str, Any] = {"num_envs": GAMES}
    if name != "a2c":
        how = {"num_envs": GAMES // WORKERS, "workers": WORKERS, "on": "ray" if name == "ray" else "here"}
    recipe = "cartpole-a2c" if name == "a2c" else "cartpole-a3c"
    with tempfile.TemporaryDirectory() as folder:
        run = train(recipe, framework, steps=CALM + steps, run_name="run", runs_dir=folder, **how, **SAME)
        with open(Path(run.path) / "metrics.csv", encoding="utf-8") as file:
            rows = [(int(row["steps"]), int(row["updates"]), float(row["seconds"])) for row in csv.DictReader(file)]
    first, last = next(row for row in rows if row[0] >= CALM), rows[-1]
    seconds = last[2] - first[2]
    found = {"rate": (last[0] - first[0]) / seconds, "updates": (last[1] - first[1]) / seconds}
    found |= {"staleness_mean": run.staleness_mean, "staleness_max": run.staleness_max} if name != "a2c" else {}
    print(json.dumps(found | {"processor": machine.processor(), "versions": versions()}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
