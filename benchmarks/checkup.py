"""What the checkup costs a run: with all monitors and the audit, and without them, in turn, each turn a fresh process.

python benchmarks/checkup.py --recipe cartpole --json

Compares the processor time of the whole process, compiling and all, and the steps a second of the loop. On a machine with other work
on it the first is the one to read; turns differ by some per cent. `timed` is steadier: clocks in the run itself, around all that the checkup
does while it goes on, against the same turn's length. `counted` is what the checkup itself says that it took. Looking has a budget
of 1 % of the time so far and one second at the start: longer turns show what it comes to in a long run.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from turns import guarded, measured, median


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="cartpole")
    parser.add_argument("--framework", choices=("torch", "jax", "keras"), default="torch")
    parser.add_argument("--steps", type=int, default=20_000, help="of each turn")
    parser.add_argument("--turns", type=int, default=3, help="of each; at least 2")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args()
    if asked.turns < 2 or asked.steps < 2_000:
        parser.error("--turns are at least 2, --steps 2000")
    turns: dict[str, list[dict[str, Any]]] = {"off": [], "warn": []}
    for turn in range(asked.turns):
        for how, found in turns.items():
            given = (asked.recipe, asked.framework, asked.steps, how)
            found.append(measured(sys.executable, "ours/checkup.py", *given))
            print(
                f"turn {turn + 1}, {how}: {found[-1]['process']:.2f} s of a core, {found[-1]['rate']:,.0f} steps/s",
                flush=True,
            )
    told = {name: {how: median(found, name) for how, found in turns.items()} for name in ("process", "rate")}
    for name, unit in (("process", "s of a core"), ("rate", "steps/s")):
        off, warn = told[name]["off"], told[name]["warn"]
        print(f"{off:10,.2f} {warn:10,.2f}  {100 * (warn / off - 1):+.1f} %  {unit}")
    found = {name: median(turns["warn"], name) for name in ("timed", "spent", "session")}
    for name, of in (("timed", "timed within the run"), ("spent", "counted by the checkup itself")):
        print(f"{found[name]:10,.2f} s of {found['session']:,.1f}  {100 * found[name] / found['session']:.2f} %  {of}")
    told["inside"] = found
    if asked.json:
        how = {"recipe": asked.recipe, "framework": asked.framework, "steps": asked.steps, "turns": turns}
        print(json.dumps({"medians": told, **how, "processor": turns["warn"][-1]["processor"]}))


if __name__ == "__main__":
    guarded(main)
