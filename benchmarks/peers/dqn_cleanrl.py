"""CleanRL's DQN for Atari, its single file as its wheel has it (squared error, no clipping); runs in its environment.

peers/dqn_cleanrl.py NUM_ENVS THREADS WARM_UP STEPS torch|jax
"""

import json
import os
import sys
from importlib.metadata import version

from cleanrl_file import run

FILES = {"torch": "dqn_atari.py", "jax": "dqn_atari_jax.py"}
EVERY = 100  # steps between the lines "SPS: ..." that it prints once it learns


def main(num_envs: int, threads: int, warm_up: int, steps: int, framework: str) -> None:
    if num_envs != 1:
        sys.exit("CleanRL's DQN takes one game; allowed: --num-envs 1")
    # Both before the frameworks load: PyTorch reads the first, XLA the second.
    os.environ["OMP_NUM_THREADS"] = os.environ["NPROC"] = str(threads)
    import ale_py  # noqa: F401  # registers the games

    total = warm_up + 400 + steps
    settings = {
        "env-id": "SpaceInvadersNoFrameskip-v4", "total-timesteps": total, "buffer-size": 20_000, "learning-starts": warm_up,
        "train-frequency": 4, "batch-size": 32, "target-network-frequency": 1_000, "learning-rate": 1e-4,
        "exploration-fraction": 0.1, "end-e": 0.01,
    }  # fmt: skip
    times = run(FILES[framework], *(f"--{name}={value}" for name, value in settings.items()))[400 // EVERY :]
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
