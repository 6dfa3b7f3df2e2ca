"""Games alone: Space Invaders under random play in ale-py's vector environment, as we use it, in turn with EnvPool.

python benchmarks/games.py --num-envs 8 --json
"""

from __future__ import annotations

import argparse
import json
import sys

from turns import measured, median, python_of

from triptych.frameworks import versions
from triptych.utils import machine

SECONDS = 5  # of play a turn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num-envs", type=int, default=8)
    parser.add_argument("--threads", type=int, default=machine.cores())
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args()
    if min(asked.num_envs, asked.threads) < 1 or asked.turns < 3:
        parser.error("--num-envs and --threads are at least 1, --turns at least 3")
    python, work = python_of("envpool"), (asked.num_envs, asked.threads, SECONDS)
    ours, theirs = [], []
    for turn in range(asked.turns):
        ours.append(measured(sys.executable, "ours/games.py", *work))
        theirs.append(measured(python, "peers/games_envpool.py", *work))
        print(f"turn {turn + 1}: ours {ours[-1]['rate']:,.0f}, EnvPool {theirs[-1]['rate']:,.0f} steps/s", flush=True)
    rate, peer = median(ours, "rate"), median(theirs, "rate")
    print(
        f"{asked.num_envs} games, {asked.threads} threads: {rate:,.0f} against {peer:,.0f} steps/s, {rate / peer:.2f}x"
    )
    if asked.json:
        found_versions = versions() | theirs[0]["versions"]
        found = {"num_envs": asked.num_envs, "threads": asked.threads, "ours": rate, "peer": peer, "ratio": rate / peer}
        print(json.dumps(found | {"turns": asked.turns, "processor": machine.processor(), "versions": found_versions}))


if __name__ == "__main__":
    main()
