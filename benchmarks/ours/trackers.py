"""CartPole with or without trackers, in a process of its own.

ours/trackers.py FRAMEWORK STEPS [TRACKER...]
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from triptych import train
from triptych.frameworks import versions
from triptych.utils import machine


def main(framework: str, steps: int, trackers: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # MLflow's database and W&B's files lie in the current folder
        os.environ.update(WANDB_MODE="offline", TRACKIO_DIR=str(Path(folder) / "trackio"))
        begun, used = time.monotonic(), time.process_time()
        run = train(
            "cartpole", framework, steps=steps, run_name="run", runs_dir=folder, threads=1, video=False, quiet=True,
            evaluate_every=steps // 4, evaluate_games=3, video_fps=10, track=trackers,
        )  # fmt: skip
        found = {
            "process": time.process_time() - used,  # of the run's own process
            "seconds": time.monotonic() - begun,  # all of it, and what trackers have left to send at its end
            "rate": run.steps_per_second,  # tests and checkpoints left out
        }
    print(json.dumps(found | {"versions": versions(), "processor": machine.processor()}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
