"""A recording into our replay.  ours/replay.py FOLDER"""

from __future__ import annotations

import ctypes
import gc
import json
import sys
import time
from pathlib import Path

import numpy as np
import psutil

from triptych import __version__
from triptych.buffers.outcomes import Outcomes
from triptych.buffers.replay import Replay, Transitions, UniformSampler
from triptych.buffers.store import Row, Store
from triptych.spec import Observation


def resident() -> int:
    gc.collect()
    return psutil.Process().memory_info().rss


def trimmed_size() -> int:
    """Resident size after the allocator gave back what it can."""
    ctypes.CDLL(None).malloc_trim(0)
    return resident()


def main(folder: Path) -> None:
    rest = np.load(folder / "rest.npz")
    actions, ended = rest["actions"], rest["ended"]
    rows, num_envs = actions.shape
    Store(64, num_envs, Observation((4, 84, 84), "uint8"), compress=True)  # so that everything is imported
    before = resident()
    store = Store(rows * num_envs, num_envs, Observation((4, 84, 84), "uint8"), compress=True)
    mask, nothing = np.ones(num_envs, bool), np.zeros(num_envs)
    with open(folder / "frames.npy", "rb") as file:
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
        for row in range(rows):
            frames = np.fromfile(file, np.uint8, num_envs * 84 * 84).reshape(num_envs, 1, 84, 84)
            store.add(Row(frames, actions[row], nothing, ended[row], mask))
            mask = ~ended[row]
    held, trimmed = resident() - before, trimmed_size() - before
    replay = Replay(store, UniformSampler(), Transitions(Outcomes(0.99, "sign"), "float32"))
    rng, times = np.random.default_rng(0), []
    for _ in range(200):
        start = time.perf_counter()
        replay.sample(rng, 32)
        times.append(time.perf_counter() - start)
    print(
        json.dumps(
            {
                "bytes_per_transition": held / store.transitions,
                "trimmed_per_transition": trimmed / store.transitions,
                "sample_ms": float(np.median(times)) * 1e3,
                "version": __version__,
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
