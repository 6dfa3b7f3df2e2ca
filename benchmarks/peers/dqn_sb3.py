"""Stable-Baselines3's DQN on Space Invaders; runs in its environment, not in ours.

peers/dqn_sb3.py NUM_ENVS THREADS WARM_UP STEPS FRAMEWORK (which it leaves aside: it is PyTorch)
"""

import json
import sys
import time

import ale_py
import gymnasium
import stable_baselines3
import torch
from stable_baselines3 import DQN
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


def main(num_envs: int, threads: int, warm_up: int, steps: int) -> None:
    torch.set_num_threads(threads)
    env = VecFrameStack(make_atari_env("SpaceInvadersNoFrameskip-v4", n_envs=num_envs, seed=0), 4)
    # An update every 4 steps: with 8 games two updates after each step of all of them.
    model = DQN(
        "CnnPolicy", env, learning_rate=1e-4, batch_size=32, buffer_size=20_000, learning_starts=warm_up,
        train_freq=(4, "step") if num_envs == 1 else (1, "step"), gradient_steps=1 if num_envs == 1 else num_envs // 4,
        target_update_interval=1_000, exploration_fraction=0.1, exploration_final_eps=0.01, optimize_memory_usage=False,
    )  # fmt: skip
    clock = Clock(warm_up + 400)
    model.learn(warm_up + 400 + steps, callback=clock)
    seconds = time.perf_counter() - clock.started
    versions = {"stable-baselines3": stable_baselines3.__version__, "its torch": torch.__version__}
    print(
        json.dumps(
            {"rate": (model.num_timesteps - clock.steps) / seconds, "updates": model._n_updates, "versions": versions}
        )
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:5]))
