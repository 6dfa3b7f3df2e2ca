"""DQN on Space Invaders in turn with another library: same game, network, batch, updates a step, learner's threads.

python benchmarks/dqn.py --peer stable-baselines3 --num-envs 1 --framework torch --precision float32 --json
python benchmarks/dqn.py --peer keras-tutorial --framework keras --json

Each turn is a fresh process that trains past the warm-up; steps/s count from there, logs included, checkpoints and
compilation not. `learner_alone` is the same updates and acting passes without games, `games_alone` random play.
(The others step their games one after the other, as their own settings do; ours play in ale-py's threads. CleanRL's file for
the same framework runs, SBX is JAX; Stable-Baselines3 and Tianshou are PyTorch, beside whichever of ours. `keras-tutorial` and
`keras-train-on-batch` are what Keras' users write: peers/dqn_keras.py.) The bound
is the larger of the two times where learner and game threads fit side by side on the cores, else their sum.
"""

from __future__ import annotations

import argparse
import json
import sys

from rivals import DQN, FRAMEWORKS, PRECISIONS, SB3, check_asked
from turns import guarded, measured, median, python_of

from triptych.utils.machine import cores

CORES = cores()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", choices=list(DQN), default=SB3)
    parser.add_argument("--num-envs", type=int, choices=(1, 8), default=1)
    parser.add_argument("--framework", choices=FRAMEWORKS, default="torch")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument("--threads", type=int, default=CORES, help="of the learner, ours and theirs")
    parser.add_argument("--warm-up", type=int, default=1_000, help="steps before the clock starts; at least 100")
    parser.add_argument("--steps", type=int, default=2_400, help="steps that are measured; at least 100")
    parser.add_argument("--turns", type=int, default=3, help="of each; at least 3")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args()
    if asked.turns < 3 or asked.threads < 1:
        parser.error("--turns are at least 3, --threads at least 1")
    if asked.warm_up < 100 or asked.steps < 100:
        parser.error("--warm-up and --steps are at least 100")
    other = DQN[asked.peer]
    check_asked(asked.peer, other, framework=asked.framework, num_envs=asked.num_envs)
    python = python_of(other.environment)
    work = (asked.num_envs, asked.threads, asked.warm_up, asked.steps)
    ours, theirs = [], []
    for turn in range(asked.turns):
        ours.append(measured(sys.executable, "ours/dqn.py", "dqn", *work, asked.framework, asked.precision))
        theirs.append(measured(python, other.script, *work, asked.framework, other.variant))
        print(
            f"turn {turn + 1}: ours {ours[-1]['rate']:.0f}, {asked.peer} {theirs[-1]['rate']:.0f} steps/s", flush=True
        )
    parts = [
        measured(sys.executable, "ours/dqn.py", "parts", *work, asked.framework, asked.precision)
        for _ in range(asked.turns)
    ]
    learner, games = median(parts, "learner_alone"), median(parts, "games_alone")
    side_by_side = asked.threads + min(asked.num_envs, parts[0]["game_threads"]) <= CORES
    bound = min(learner, games) if side_by_side else 1 / (1 / learner + 1 / games)
    rate, peer = median(ours, "rate"), median(theirs, "rate")
    found = {
        "framework": asked.framework, "num_envs": asked.num_envs, "precision": asked.precision, "ours": rate, "peer": peer,
        "ratio": rate / peer, "learner_alone": learner, "games_alone": games, "bound": bound,
        "bound_kind": "max" if side_by_side else "sum", "bound_share": rate / bound, "turns": asked.turns,
        "processor": parts[0]["processor"], "threads": asked.threads, "versions": parts[0]["versions"] | theirs[0]["versions"],
    }  # fmt: skip
    print(
        f"{asked.framework} {asked.precision}, {asked.num_envs} at once: {rate:.0f} steps/s against {peer:.0f} of {asked.peer}, "
        f"{rate / peer:.2f}x; {rate / bound:.0%} of the bound ({bound:.0f}); {found['processor']}"
    )
    if asked.json:
        print(json.dumps(found))


if __name__ == "__main__":
    guarded(main)
