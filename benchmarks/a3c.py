"""A3C's two arrangements beside A2C, and beside RLlib's IMPALA and APPO: CartPole, 16 games, steps/s of each, in turn.

python benchmarks/a3c.py --framework torch --json

Each turn is a fresh process; the clock starts after the first 5,000 steps (RLlib: 10 seconds). RLlib has no A3C any more: IMPALA and
APPO are its asynchronous actor-critics. They get as many workers, games, layers and steps in a rollout; their losses are their own.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from turns import measured, median, python_of

OURS, PEERS = ("a2c", "scheduled", "ray"), ("impala", "appo")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--framework", choices=("torch", "jax", "keras"), default="torch")
    parser.add_argument("--steps", type=int, default=30_000, help="of each of our turns")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each of theirs")
    parser.add_argument("--turns", type=int, default=3, help="of each; at least 3")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args()
    if asked.turns < 3 or asked.steps < 5_000 or asked.seconds < 1:
        parser.error("--turns are at least 3, --steps 5000, --seconds 1")
    python = python_of("rllib")
    turns: dict[str, list[dict[str, Any]]] = {name: [] for name in (*OURS, *PEERS)}
    for turn in range(asked.turns):
        for name in OURS:
            turns[name].append(measured(sys.executable, "ours/a3c.py", name, asked.framework, asked.steps))
        for name in PEERS:
            turns[name].append(measured(python, "peers/a3c_rllib.py", name, asked.seconds))
        told = ", ".join(f"{name} {found[-1]['rate']:,.0f}" for name, found in turns.items())
        print(f"turn {turn + 1}: {told} steps/s", flush=True)
    rates = {name: median(found, "rate") for name, found in turns.items()}
    ours, theirs = turns["ray"][0], turns["impala"][0]
    for name, rate in rates.items():
        print(f"{name:10} {rate:8,.0f} steps/s  {rate / rates['a2c']:.2f} of A2C's")
    print(f"{asked.framework}; {ours['processor']}")
    if asked.json:
        how = {"framework": asked.framework, "steps": asked.steps, "turns": turns, "processor": ours["processor"]}
        print(json.dumps({"rates": rates, **how, "versions": ours["versions"] | theirs["versions"]}))


if __name__ == "__main__":
    main()
