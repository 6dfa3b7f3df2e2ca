"""CleanRL's DQN for Atari, its single file as its wheel has it (squared error, no clipping); runs in its environment.

peers/dqn_cleanrl.py NUM_ENVS THREADS WARM_UP STEPS torch|jax
"""

import io
import json
import os
import runpy
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

FILES = {"torch": "dqn_atari.py", "jax": "dqn_atari_jax.py"}
EVERY = 100  # steps between the lines "SPS: ..." that it prints once it learns


class Clock(io.TextIOBase):
    """Stands in for standard output and notes when each line about speed came."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def write(self, text: str) -> int:
        if text.startswith("SPS:"):
            self.times.append(time.perf_counter())
        return len(text)


def main(num_envs: int, threads: int, warm_up: int, steps: int, framework: str) -> None:
    if num_envs != 1:
        sys.exit("CleanRL's DQN takes one game; allowed: --num-envs 1")
    # Both before the frameworks load: PyTorch reads the first, XLA the second.
    os.environ["OMP_NUM_THREADS"] = os.environ["NPROC"] = str(threads)
    import ale_py  # noqa: F401  # registers the games
    import cleanrl_utils

    total = warm_up + 400 + steps
    # The package named cleanrl is a folder of scripts beside this one.
    script = Path(cleanrl_utils.__file__).parents[1] / "cleanrl" / FILES[framework]
    sys.argv = [
        str(script), "--env-id", "SpaceInvadersNoFrameskip-v4", "--total-timesteps", str(total), "--buffer-size", "20000",
        "--learning-starts", str(warm_up), "--train-frequency", "4", "--batch-size", "32", "--target-network-frequency", "1000",
        "--learning-rate", "1e-4", "--exploration-fraction", "0.1", "--end-e", "0.01",
    ]  # fmt: skip
    clock, stdout = Clock(), sys.stdout
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # it writes its log where it stands
        sys.stdout = clock
        try:
            runpy.run_path(str(script), run_name="__main__")
        finally:
            sys.stdout = stdout
            os.chdir("/")
    times = clock.times[400 // EVERY :]
    versions = {
        "cleanrl": version("cleanrl"),
        "its ale-py": version("ale-py"),
        "its torch": version("torch"),
        "its gymnasium": version("gymnasium"),
    }
    if framework == "jax":
        versions["its jax"] = version("jax")
    rate = EVERY * (len(times) - 1) / (times[-1] - times[0])
    print(json.dumps({"rate": rate, "updates": (total - warm_up) // 4, "versions": versions}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:5]), sys.argv[5])
