"""EnvPool's Space Invaders under random play; runs in its environment, not in ours.

peers/games_envpool.py NUM_ENVS THREADS SECONDS
"""

import json
import sys
import time

import envpool
import numpy as np


def main(num_envs: int, threads: int, seconds: int) -> None:
    # The same work as ours: grey 84 x 84, stack of 4, frame skip 4, whole games.
    env = envpool.make_gymnasium(
        "SpaceInvaders-v5", num_envs=num_envs, num_threads=threads, stack_num=4, frame_skip=4, episodic_life=False,
        reward_clip=False, repeat_action_probability=0.0,
    )  # fmt: skip
    env.reset()
    rng, actions = np.random.default_rng(0), env.action_space.n
    for _ in range(50):
        env.step(rng.integers(actions, size=num_envs))
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        env.step(rng.integers(actions, size=num_envs))
        count += num_envs
    rate = count / (time.perf_counter() - start)
    print(json.dumps({"rate": rate, "versions": {"envpool": envpool.__version__}}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
