"""A2C, PPO and recurrent PPO on KungFuMaster in turn with Stable-Baselines3 and sb3-contrib: same games, network and number of updates (their A2C has RMSprop, ours Adam).

python benchmarks/actor_critics.py --algorithm ppo --framework torch --json

Each turn is a fresh process; steps/s count from the end of the first rollout's updates to the end of the last one's.
"""

from __future__ import annotations

import argparse
import json
import sys

from turns import measured, median, python_of

from triptych.utils.machine import cores

ROLLOUTS = {"a2c": 60, "ppo": 3, "recurrent-ppo": 3}  # 80 steps each of A2C, 1,024 of PPO


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--algorithm", choices=list(ROLLOUTS), default="ppo")
    parser.add_argument("--framework", choices=("torch", "jax", "keras"), default="torch")
    parser.add_argument("--precision", choices=("float32", "float64", "bfloat16"), default="float32")
    parser.add_argument("--threads", type=int, default=cores(), help="of the learner, ours and theirs")
    parser.add_argument("--rollouts", type=int, help="that are measured; as many as the tables have unless told")
    parser.add_argument("--turns", type=int, default=3, help="of each; at least 3")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args()
    rollouts = ROLLOUTS[asked.algorithm] if asked.rollouts is None else asked.rollouts
    if asked.turns < 3 or asked.threads < 1 or rollouts < 1:
        parser.error("--turns are at least 3, --threads and --rollouts at least 1")
    python, work = python_of("sb3-contrib"), (asked.algorithm, asked.threads, rollouts)
    ours, theirs = [], []
    for turn in range(asked.turns):
        ours.append(measured(sys.executable, "ours/actor_critics.py", *work, asked.framework, asked.precision))
        theirs.append(measured(python, "peers/actor_critics_sb3.py", *work))
        print(f"turn {turn + 1}: ours {ours[-1]['rate']:.0f}, theirs {theirs[-1]['rate']:.0f} steps/s", flush=True)
    rate, peer = median(ours, "rate"), median(theirs, "rate")
    found = {
        "algorithm": asked.algorithm, "framework": asked.framework, "precision": asked.precision, "ours": rate, "peer": peer,
        "ratio": rate / peer, "turns": asked.turns, "rates": {"ours": [turn["rate"] for turn in ours], "peer": [turn["rate"] for turn in theirs]}, "threads": asked.threads, "processor": ours[0]["processor"],
        "versions": ours[0]["versions"] | theirs[0]["versions"],
    }  # fmt: skip
    print(
        f"{asked.algorithm} {asked.framework} {asked.precision}: {rate:.0f} steps/s against {peer:.0f}, {rate / peer:.2f}x; {found['processor']}"
    )
    if asked.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
