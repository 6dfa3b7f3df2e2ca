"""Recurrent Q-learning in the three frameworks, in turn: steps/s, and the share of an update that its memory takes.

python benchmarks/drqn.py --recipe drqn-cartpole --memory lstm gru --json

The share is that of an update which the same network without its memory does not need.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from turns import measured, median

FRAMEWORKS = ("torch", "jax", "keras")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="drqn-cartpole")
    parser.add_argument("--memory", nargs="+", default=["lstm"])
    parser.add_argument("--updates", type=int, default=200)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args()
    if asked.turns < 3 or asked.updates < 1:
        parser.error("--turns is at least 3, --updates at least 1")
    kinds = ["none", *asked.memory]
    turns: dict[tuple[str, str], list[dict[str, Any]]] = {(f, kind): [] for f in FRAMEWORKS for kind in kinds}
    for _ in range(asked.turns):
        for (framework, kind), found in turns.items():
            found.append(measured(sys.executable, "ours/drqn.py", asked.recipe, framework, kind, asked.updates))
    rows = []
    for (framework, kind), found in turns.items():
        row: dict[str, Any] = {"framework": framework, "memory": kind}
        row |= {name: median(found, name) for name in ("steps_per_second", "update_ms", "act_ms", "sample_ms")}
        row["memory_share"] = 1 - median(turns[framework, "none"], "update_ms") / row["update_ms"]
        rows.append(row)
        print(
            f"{framework:6} {kind:10} {row['steps_per_second']:7.0f} steps/s, update {row['update_ms']:6.2f} ms"
            f" ({row['memory_share']:.0%} memory), acting {row['act_ms']:.2f} ms, batch {row['sample_ms']:.2f} ms"
        )
    if asked.json:
        last = found[-1]
        about = {"recipe": asked.recipe, "turns": asked.turns, "threads": last["threads"]}
        print(json.dumps(about | {"rows": rows, "processor": last["processor"], "versions": last["versions"]}))


if __name__ == "__main__":
    main()
