"""How much memory a replay of Atari frames takes, and how long sampling from it.

python benchmarks/replay.py --game space-invaders --transitions 1000000 --policy random --json

Plays the game, fills a compressed store, and reads the process's resident size from the system before and after.
`sample_ms` is a batch of 32 from it, `update_ms` the fastest framework's float32 update of the original network
on such a batch, each the median of many.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from turns import guarded

from triptych import envs, load_agent
from triptych.buffers.outcomes import Outcomes
from triptych.buffers.replay import Replay, Transitions, UniformSampler
from triptych.buffers.store import Row, Store
from triptych.frameworks import FRAMEWORKS, versions
from triptych.recipes import load_recipe
from triptych.report.random_play import RandomPlay
from triptych.utils import machine
from triptych.utils.checks import check

NUM_ENVS = 8
BATCH = 32
EPSILON = 0.05  # of a trained policy, so that it does not play one game again and again

UPDATE = """
import json, sys, time, statistics
import numpy as np
from triptych import frameworks, machine
from triptych.algorithms import dqn
from triptych.spec.batches import Transition
from triptych.recipes import load_recipe
from triptych.report.show import network_of
from triptych.spec.weights import initial_weights
recipe = load_recipe("space-invaders")
frameworks.set_threads(machine.threads_for(recipe.threads))
xla.set_convolutions(xla.usual())
network, rng = network_of(recipe), np.random.default_rng(0)
learner = frameworks.load(sys.argv[1]).Learner(
    network, dqn.make_loss(recipe.algorithm), recipe.optimiser, initial_weights(network, rng), "float32")
frames = rng.integers(0, 256, (2, 32, 4, 84, 84), dtype=np.uint8)
batch = Transition(frames[0], rng.integers(6, size=32, dtype=np.int32), rng.standard_normal(32).astype(np.float32),
                   np.full(32, 0.99, np.float32), frames[1], np.ones(32, np.float32))
times = []
for _ in range(60):
    start = time.perf_counter()
    float(learner.update(batch, 1e-4)["loss"])
    times.append(time.perf_counter() - start)
print(json.dumps(statistics.median(times[10:]) * 1e3))
"""


def environment(game: str) -> str:
    """`space-invaders` to `SpaceInvadersNoFrameskip-v4`; an id stays as it is."""
    return game if "-v" in game else "".join(map(str.capitalize, game.split("-"))) + "NoFrameskip-v4"


def resident() -> int:
    """Bytes of this process in memory, as the system says."""
    gc.collect()
    return psutil.Process().memory_info().rss


def fill(store: Store, games: envs.Games, policy: str, transitions: int) -> None:
    """Plays until the store holds that many complete transitions."""
    player = RandomPlay(games.num_actions) if policy == "random" else load_agent(policy, epsilon=EPSILON)
    obs, ended = games.reset(np.arange(games.num_envs)), np.zeros(games.num_envs, bool)
    while store.transitions < transitions:
        if store.oldest > 0:  # full, with too many ends of episodes in it
            sys.exit(f"replay: episodes of this game are too short for {transitions} transitions in {store.rows} rows")
        action, _ = player.predict(obs)
        games.send(action)
        step = games.recv()
        store.add(Row(obs, action, step.reward, step.terminated, ~ended, step.lost_life))
        obs, ended = step.obs.copy(), step.terminated | step.truncated


def median_ms(action: Callable[[], object], times: int = 300) -> float:
    found = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        found.append(time.perf_counter() - start)
    return float(np.median(found)) * 1e3


def fastest_update() -> tuple[str, float]:
    """The framework whose update is the fastest, and its milliseconds; each in a process of its own."""
    times = {}
    for framework in FRAMEWORKS:
        done = subprocess.run([sys.executable, "-c", UPDATE, framework], capture_output=True, text=True)
        if done.returncode == 0:
            times[framework] = float(done.stdout.splitlines()[-1])
    if not times:
        sys.exit(f"replay: no framework could make an update:\n{done.stderr[-2000:]}")
    return min(times.items(), key=lambda pair: pair[1])


def measure(game: str, transitions: int, policy: str, compress: bool) -> tuple[dict[str, Any], Replay]:
    config = dataclasses.replace(load_recipe("space-invaders").env, id=environment(game))
    games = envs.make(config, NUM_ENVS, machine.cores())
    shape = games.observation.shape
    check(shape == (4, 84, 84), "game", game, "one that shows a screen: the update beside it is Space Invaders'")
    if policy != "random":
        load_agent(policy)  # its framework's own memory is not the replay's
    warm = Store(4_000, NUM_ENVS, games.observation, compress=compress)
    fill(warm, games, policy, 3_000)  # so that everything is loaded
    del warm
    baseline = resident()
    # As many rows more as episodes end: their last observations take room too.
    store = Store(int(transitions * 1.05) + 64 * NUM_ENVS, NUM_ENVS, games.observation, compress=compress)
    start = time.perf_counter()
    fill(store, games, policy, transitions)
    seconds, held = time.perf_counter() - start, resident() - baseline
    games.close()
    replay = Replay(store, UniformSampler(), Transitions(Outcomes(0.99, "sign"), "float32"))
    rng = np.random.default_rng(0)
    sample = median_ms(lambda: replay.sample(rng, BATCH))
    found = {
        "game": game, "transitions": store.transitions, "policy": policy, "compressed": compress, "baseline_bytes": baseline,
        "resident_bytes": held, "sample_ms": sample, "fill_seconds": seconds, "bytes_per_frame": held / (store.count * NUM_ENVS),
    }  # fmt: skip
    return found, replay


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--game", default="space-invaders", help="an Atari game's name, or a Gymnasium id")
    parser.add_argument("--transitions", type=int, default=1_000_000)
    parser.add_argument("--policy", default="random", help="random, or a weights file or run folder")
    parser.add_argument("--raw", action="store_true", help="the uncompressed form, for comparison")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--hold", action="store_true", help="then wait for a line on the input")
    asked = parser.parse_args()
    if asked.transitions < BATCH:
        parser.error(f"--transitions is {asked.transitions}; allowed: {BATCH} or more")
    if asked.policy != "random" and not Path(asked.policy).exists():
        parser.error(f"--policy is {asked.policy!r}; allowed: random, or a weights file or run folder that exists")
    found, replay = measure(asked.game, asked.transitions, asked.policy, not asked.raw)
    found["fastest"], found["update_ms"] = fastest_update()
    found |= {"processor": machine.processor(), "versions": versions()}
    print(
        f"{found['game']}, {found['policy']} play: {found['transitions']:,} transitions in "
        f"{found['resident_bytes'] / 1e6:,.0f} MB more ({found['bytes_per_frame']:.0f} bytes a frame, all told); "
        f"32 sampled in {found['sample_ms']:.2f} ms, an update takes {found['update_ms']:.1f} ms ({found['fastest']})"
    )
    if asked.json:
        print(json.dumps(found), flush=True)
    if asked.hold:
        sys.stdin.readline()
    del replay


if __name__ == "__main__":
    guarded(main)
