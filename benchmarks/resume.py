"""Saving and resuming a run with a full replay: how long each takes, how large it is, and whether the bytes are the same.

python benchmarks/resume.py --transitions 1000000 --framework torch --json

Fills the replay of `space-invaders` by random play with four checkpoints on the way, then learns for some steps beyond the last one.
The run is then taken back to that checkpoint and resumed: the weights at its end must be the same bytes, and so must every
logged figure but the clock's.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from triptych import load_recipe, override, resume, train
from triptych.frameworks import versions
from triptych.runs.checkpoints import Checkpoints
from triptych.utils import machine

LEARNED = 2_400  # steps beyond the last checkpoint
CLOCK = ("seconds", "steps_per_second")  # columns of the logs that tell the time


def clocked(owner: Any, name: str, seconds: dict[str, list[float]]) -> None:
    """Puts a clock around a method."""
    method: Callable[..., Any] = getattr(owner, name)

    def timed(*given: Any, **named: Any) -> Any:
        start = time.perf_counter()
        try:
            return method(*given, **named)
        finally:
            seconds[name].append(time.perf_counter() - start)

    setattr(owner, name, timed)


def figures(run: Path) -> tuple[bytes, list[list[dict[str, str]]]]:
    """What a run came to: its last weights, and its logs without the clock."""
    logs = []
    for name in ("episodes.csv", "metrics.csv"):
        with open(run / name, encoding="utf-8") as file:
            logs.append([{key: row[key] for key in row if key not in CLOCK} for row in csv.DictReader(file)])
    return (run / "checkpoints" / "latest.safetensors").read_bytes(), logs


def measure(transitions: int, framework: str, folder: str) -> dict[str, Any]:
    changes = {
        "num_envs": 8, "warm_up": transitions, "algorithm.learn_from": None, "steps": transitions + LEARNED,
        "algorithm.replay_size": int(transitions * 1.02) + 1_000, "checkpoint_every": transitions // 4, "evaluate_every": 0,
        "log_every": 100,
    }  # fmt: skip
    recipe = override(load_recipe("space-invaders"), changes)
    seconds: dict[str, list[float]] = defaultdict(list)
    for name in ("save", "load", "fill"):
        clocked(Checkpoints, name, seconds)
    run = Path(train(recipe, framework, run_name="run", runs_dir=folder).path)
    saves, first = seconds["save"][:], figures(run)
    boundaries = sorted((run / "checkpoints").glob("boundary-*"))
    size = sum(path.stat().st_size for path in (run / "checkpoints" / "store").iterdir())
    shutil.rmtree(boundaries[-1])  # the end: the one before it is the last checkpoint on the way
    (run / "summary.json").unlink()
    result = resume(run)
    assert result is not None
    second = figures(run)
    with open(run / "metrics.csv", encoding="utf-8") as file:
        rows = [(int(row["steps"]), float(row["seconds"])) for row in csv.DictReader(file)][-12:]
    rate = (rows[-1][0] - rows[0][0]) / (rows[-1][1] - rows[0][1])
    return {
        "transitions": transitions, "framework": framework, "save_seconds": saves[4], "saves": saves,
        "new_steps": transitions // 4, "store_bytes": size, "resume_seconds": seconds["load"][-1] + seconds["fill"][-1],
        "learning_steps_per_second": rate, "save_share": saves[4] / (transitions // 4 / rate), "updates": result.updates,
        "same_weights": first[0] == second[0], "same_logs": first[1] == second[1],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transitions", type=int, default=1_000_000)
    parser.add_argument("--framework", choices=("torch", "jax", "keras"), default="torch")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args()
    if asked.transitions < 4_000:
        parser.error(f"--transitions is {asked.transitions}; allowed: 4000 or more")
    with tempfile.TemporaryDirectory() as folder:
        found = measure(asked.transitions, asked.framework, folder)
    print(
        f"{found['transitions']:,} stored ({found['store_bytes'] / 1e6:,.0f} MB on disk): a save with {found['new_steps']:,} new ones "
        f"takes {found['save_seconds']:.1f} s, {found['save_share']:.2%} of the time to learn so many steps at "
        f"{found['learning_steps_per_second']:.0f} a second; resuming {found['resume_seconds']:.1f} s; "
        f"the same weights: {found['same_weights']}, the same logs: {found['same_logs']}"
    )
    if asked.json:
        print(json.dumps(found | {"processor": machine.processor(), "versions": versions()}))
    if not (found["same_weights"] and found["same_logs"]):
        sys.exit("the resumed run is not the same")


if __name__ == "__main__":
    main()
