"""A recording into another library's replay; runs in its environment, not in ours.

peers/replay.py stable-baselines3|sb3-extra-buffers|cpprb FOLDER
"""

import ctypes
import gc
import json
import sys
import time
from importlib import metadata
from pathlib import Path

import numpy as np
import psutil


def resident():
    gc.collect()
    return psutil.Process().memory_info().rss


def trimmed_size():
    """Resident size after the allocator gave back what it can."""
    ctypes.CDLL(None).malloc_trim(0)
    return resident()


def stable_baselines3(rows, num_envs, extra):
    from gymnasium import spaces

    observation, action = spaces.Box(0, 255, (4, 84, 84), np.uint8), spaces.Discrete(6)
    if extra:
        from sb3_extra_buffers.compressed import CompressedReplayBuffer

        buffer = CompressedReplayBuffer(
            rows * num_envs, observation, action, "cpu", num_envs, optimize_memory_usage=True,
            handle_timeout_termination=False, compression_method="zstd", compression_kwargs={"compresslevel": 3},
        )  # fmt: skip
    else:  # what it does unless told otherwise: both observations, so that time limits are right
        from stable_baselines3.common.buffers import ReplayBuffer

        buffer = ReplayBuffer(rows * num_envs, observation, action, "cpu", num_envs)
    nothing, infos = np.zeros(num_envs), [{} for _ in range(num_envs)]

    def add(obs, action, next_obs, ended):
        buffer.add(obs, next_obs, action, nothing, ended, infos)

    return add, lambda: buffer.sample(32)


def cpprb(rows, num_envs):
    from cpprb import ReplayBuffer

    shape = {"shape": (84, 84, 4), "dtype": np.uint8}
    keys = {"obs": shape, "act": {"dtype": np.int64}, "rew": {}, "done": {}}
    # One game a buffer: its stack compression needs one stream.
    buffers = [ReplayBuffer(rows, keys, next_of="obs", stack_compress="obs") for _ in range(num_envs)]
    rng = np.random.default_rng(0)

    def add(obs, action, next_obs, ended):
        for game, buffer in enumerate(buffers):
            buffer.add(
                obs=obs[game].transpose(1, 2, 0), act=action[game], rew=0.0, done=float(ended[game]),
                next_obs=next_obs[game].transpose(1, 2, 0),
            )  # fmt: skip
            if ended[game]:
                buffer.on_episode_end()

    return add, lambda: [buffers[game].sample(4) for game in rng.permutation(num_envs)]


def main(kind, folder):
    rest = np.load(folder / "rest.npz")
    actions, ended = rest["actions"], rest["ended"]
    rows, num_envs = actions.shape
    make = {
        "stable-baselines3": lambda rows: stable_baselines3(rows, num_envs, False),
        "sb3-extra-buffers": lambda rows: stable_baselines3(rows, num_envs, True),
        "cpprb": lambda rows: cpprb(rows, num_envs),
    }[kind]
    with open(folder / "frames.npy", "rb") as file:
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
        next_obs, new = np.zeros((num_envs, 4, 84, 84), np.uint8), np.ones(num_envs, bool)
        before, count = None, 0
        for row in range(rows):
            frames = np.fromfile(file, np.uint8, num_envs * 84 * 84).reshape(num_envs, 84, 84)
            obs, next_obs = next_obs, np.roll(next_obs, -1, axis=1)
            next_obs[new] = 0
            next_obs[:, -1] = frames
            if row == 0:
                make(8)  # so that everything is imported
                before = resident()
                add, sample = make(rows)
                continue
            # The last observation of an episode and the first of the next one make no transition; here all are
            # stored, as the count of bytes is what matters.
            add(obs, actions[row - 1], next_obs, ended[row - 1])
            count += num_envs
            new = ended[row - 1]
    held, trimmed, times = resident() - before, trimmed_size() - before, []
    for _ in range(200):
        start = time.perf_counter()
        sample()
        times.append(time.perf_counter() - start)
    print(
        json.dumps(
            {
                "bytes_per_transition": held / count,
                "trimmed_per_transition": trimmed / count,
                "sample_ms": float(np.median(times)) * 1e3,
                "version": metadata.version(kind),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
