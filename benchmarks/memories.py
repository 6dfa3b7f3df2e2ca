"""Recurrent PPO in the three frameworks with one memory after the other, in turn: steps/s, and the memory's share.

python benchmarks/memories.py --recipe maze-neural-map --memory lstm neural_map --json

The share is that of a step, with its part of the updates, which the same network without its memory does not need.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from turns import measured, median

FRAMEWORKS = ("torch", "jax", "keras")
RATES = ("steps_per_second", "steps_per_processor_second", "compile_seconds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="maze-neural-map")
    parser.add_argument("--memory", nargs="+", default=["lstm", "neural_map"])
    parser.add_argument("--frameworks", nargs="+", default=list(FRAMEWORKS), choices=FRAMEWORKS)
    parser.add_argument("--rollouts", type=int, default=3)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args()
    if min(asked.turns, asked.rollouts, asked.threads) < 1:
        parser.error("--turns, --rollouts and --threads are at least 1")
    kinds = ["none", *asked.memory]
    turns: dict[tuple[str, str], list[dict[str, Any]]] = {(f, kind): [] for f in asked.frameworks for kind in kinds}
    for _ in range(asked.turns):
        for (framework, kind), found in turns.items():
            words = (asked.recipe, framework, kind, asked.rollouts, asked.threads)
            found.append(measured(sys.executable, "ours/memories.py", *words))
    rows = []
    for (framework, kind), found in turns.items():
        row: dict[str, Any] = {"framework": framework, "memory": kind}
        row |= {name: median(found, name) for name in RATES}
        without = median(turns[framework, "none"], "steps_per_processor_second")
        row["memory_share"] = 1 - row["steps_per_processor_second"] / without
        rows.append(row)
        print(
            f"{framework:6} {kind:12} {row['steps_per_second']:7.0f} steps/s, {row['steps_per_processor_second']:7.0f} a second"
            f" of the processor ({row['memory_share']:.0%} memory), {row['compile_seconds']:.0f} s to compile"
        )
    if asked.json:
        last = found[-1]
        about = {"recipe": asked.recipe, "turns": asked.turns, "threads": asked.threads}
        print(json.dumps(about | {"rows": rows, "processor": last["processor"], "versions": last["versions"]}))


if __name__ == "__main__":
    main()
