"""A2C, PPO and recurrent PPO on KungFuMaster in turn with another library: same games, network and number of updates.

python benchmarks/actor_critics.py --algorithm ppo --framework torch --json
python benchmarks/actor_critics.py --algorithm ppo --framework jax --peer sbx --json

`stable-baselines3` (with sb3-contrib's recurrent PPO) is PyTorch, beside whichever of ours; its A2C has RMSprop, ours Adam. `sbx` and
`cleanrl` are JAX: SBX's policy and value pass the same picture each through a copy of the network, and CleanRL's games are EnvPool's,
inside its compiled loop. `keras-tutorial` is what Keras' users write: peers/actor_critics_keras.py. The last three have PPO alone.

Each turn is a fresh process; steps/s count from the end of the first rollout's updates to the end of the last one's.
"""

from __future__ import annotations

import argparse
import json
import sys

from rivals import ACTOR_CRITICS, FRAMEWORKS, PRECISIONS, SB3, check_asked
from turns import guarded, measured, median, python_of

from triptych.utils.machine import cores

ROLLOUTS = {"a2c": 60, "ppo": 3, "recurrent-ppo": 3}  # 80 steps each of A2C, 1,024 of PPO


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", choices=list(ACTOR_CRITICS), default=SB3)
    parser.add_argument("--algorithm", choices=list(ROLLOUTS), default="ppo")
    parser.add_argument("--framework", choices=FRAMEWORKS, default="torch")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument("--threads", type=int, default=cores(), help="of the learner, ours and theirs")
    parser.add_argument("--rollouts", type=int, help="that are measured; as many as the tables have unless told")
    parser.add_argument("--turns", type=int, default=3, help="of each; at least 3")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args()
    rollouts = ROLLOUTS[asked.algorithm] if asked.rollouts is None else asked.rollouts
    if asked.turns < 3 or asked.threads < 1 or rollouts < 1:
        parser.error("--turns are at least 3, --threads and --rollouts at least 1")
    other = ACTOR_CRITICS[asked.peer]
    check_asked(asked.peer, other, framework=asked.framework, algorithm=asked.algorithm)
    python, work = python_of(other.environment), (asked.algorithm, asked.threads, rollouts)
    ours, theirs = [], []
    for turn in range(asked.turns):
        ours.append(measured(sys.executable, "ours/actor_critics.py", *work, asked.framework, asked.precision))
        theirs.append(measured(python, other.script, *work, other.variant))
        print(
            f"turn {turn + 1}: ours {ours[-1]['rate']:.0f}, {asked.peer} {theirs[-1]['rate']:.0f} steps/s", flush=True
        )
    rate, peer = median(ours, "rate"), median(theirs, "rate")
    found = {
        "algorithm": asked.algorithm, "framework": asked.framework, "precision": asked.precision, "ours": rate, "peer": peer,
        "ratio": rate / peer, "turns": asked.turns, "rates": {"ours": [turn["rate"] for turn in ours], "peer": [turn["rate"] for turn in theirs]}, "threads": asked.threads, "processor": ours[0]["processor"],
        "versions": ours[0]["versions"] | theirs[0]["versions"],
    }  # fmt: skip
    print(
        f"{asked.algorithm} {asked.framework} {asked.precision}: {rate:.0f} steps/s against {peer:.0f} of {asked.peer}, {rate / peer:.2f}x; "
        f"{found['processor']}"
    )
    if asked.json:
        print(json.dumps(found))


if __name__ == "__main__":
    guarded(main)
