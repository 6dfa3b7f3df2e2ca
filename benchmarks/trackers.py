"""What trackers cost a run: CartPole with all of them and with none, in turn, each turn a fresh process.

python benchmarks/trackers.py --json

Compares the processor time of the run's own process, its steps a second, and the seconds by the clock. Trackers work in processes of
their own at the lowest priority, so on a machine with a core to spare they should cost the run nothing but its own share of the work.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from turns import guarded, measured, median

from triptych.trackers.registry import TRACKERS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--framework", choices=("torch", "jax", "keras"), default="torch")
    parser.add_argument("--steps", type=int, default=20_000, help="of each turn")
    parser.add_argument("--turns", type=int, default=3, help="of each; at least 3")
    parser.add_argument("--trackers", nargs="+", choices=list(TRACKERS), default=list(TRACKERS))
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args()
    if asked.turns < 3 or asked.steps < 2_000:
        parser.error("--turns are at least 3, --steps 2000")
    turns: dict[str, list[dict[str, Any]]] = {"without": [], "with": []}
    for turn in range(asked.turns):
        for how, trackers in (("without", []), ("with", asked.trackers)):
            found = measured(sys.executable, "ours/trackers.py", asked.framework, asked.steps, *trackers)
            turns[how].append(found)
            print(
                f"turn {turn + 1}, {how}: {found['rate']:,.0f} steps/s, {found['process']:.1f} s of a core, {found['seconds']:.1f} s",
                flush=True,
            )
    told = {name: {how: median(found, name) for how, found in turns.items()} for name in ("rate", "process", "seconds")}
    for name, unit in (
        ("rate", "steps/s"),
        ("process", "s of a core, the run's own process"),
        ("seconds", "s by the clock"),
    ):
        without, with_them = told[name]["without"], told[name]["with"]
        print(f"{without:10,.1f} {with_them:10,.1f}  {100 * (with_them / without - 1):+.1f} %  {unit}")
    last = turns["with"][-1]
    print(f"{', '.join(asked.trackers)}; {asked.framework}; {last['processor']}")
    if asked.json:
        how = {"framework": asked.framework, "steps": asked.steps, "trackers": asked.trackers, "turns": turns}
        print(json.dumps({"medians": told, **how, "processor": last["processor"], "versions": last["versions"]}))


if __name__ == "__main__":
    guarded(main)
