"""Stable-Baselines3's DQN on Space Invaders, or SBX's: the same loop, replay and games, network and update in JAX; not in our environment.

peers/dqn_sb3.py NUM_ENVS THREADS WARM_UP STEPS FRAMEWORK sb3|sbx (FRAMEWORK is left aside: each has its own)
"""

import json
import os
import sys
import time
from importlib.metadata import version
from typing import Any

import ale_py
import gymnasium
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_atari_env
from stable_baselines3.common.vec_env import VecFrameStack

gymnasium.register_envs(ale_py)


class Clock(BaseCallback):
    """Starts when the warm-up is over and a few updates have been made."""

    def __init__(self, start: int):
        super().__init__()
        self.start_at, self.started, self.steps = start, None, 0

    def _on_step(self) -> bool:
        if self.started is None and self.num_timesteps >= self.start_at:
            self.started, self.steps = time.perf_counter(), self.num_timesteps
        return True


def library(name: str, threads: int) -> tuple[Any, dict[str, Any], dict[str, str]]:
    """Its DQN, the settings that give it the same network as the other's, and versions."""
    torch.set_num_threads(threads)
    if name == "sbx":
        os.environ["NPROC"] = str(threads)  # XLA reads it as it loads
        from sbx import DQN

        settings = {"policy_kwargs": {"net_arch": [512]}}  # units behind the convolutions; 256 unless told
        return DQN, settings, {"sbx": version("sbx-rl"), "its jax": version("jax")}
    from stable_baselines3 import DQN

    return DQN, {}, {}


def main(name: str, num_envs: int, threads: int, warm_up: int, steps: int) -> None:
    algorithm, settings, versions = library(name, threads)
    env = VecFrameStack(make_atari_env("SpaceInvadersNoFrameskip-v4", n_envs=num_envs, seed=0), 4)
    # An update every 4 steps: with 8 games two updates after each step of all of them.
    model = algorithm(
        "CnnPolicy", env, learning_rate=1e-4, batch_size=32, buffer_size=20_000, learning_starts=warm_up,
        train_freq=(4, "step") if num_envs == 1 else (1, "step"), gradient_steps=1 if num_envs == 1 else num_envs // 4,
        target_update_interval=1_000, exploration_fraction=0.1, exploration_final_eps=0.01, optimize_memory_usage=False, **settings,
    )  # fmt: skip
    clock = Clock(warm_up + 400)
    model.learn(warm_up + 400 + steps, callback=clock)
    seconds = time.perf_counter() - clock.started
    versions |= {"stable-baselines3": version("stable-baselines3"), "its torch": torch.__version__}
    print(
        json.dumps(
            {"rate": (model.num_timesteps - clock.steps) / seconds, "updates": model._n_updates, "versions": versions}
        )
    )


if __name__ == "__main__":
    main(sys.argv[6], *map(int, sys.argv[1:5]))
