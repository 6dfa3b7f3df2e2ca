"""Stable-Baselines3's A2C and PPO, sb3-contrib's recurrent PPO, and SBX's PPO (network and updates in JAX), on KungFuMaster; not in our environment.

peers/actor_critics_sb3.py a2c|ppo|recurrent-ppo THREADS ROLLOUTS sb3|sbx
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
PPO_SETTINGS = {
    "n_steps": 128,
    "batch_size": 256,
    "n_epochs": 4,
    "learning_rate": 2.5e-4,
    "clip_range": 0.1,
    "ent_coef": 0.01,
}


class Clock(BaseCallback):
    """Starts when the first rollout has been learned from."""

    def __init__(self) -> None:
        super().__init__()
        self.rollouts, self.started, self.steps = 0, 0.0, 0

    def _on_rollout_start(self) -> None:
        self.rollouts += 1
        if self.rollouts == 2:
            self.started, self.steps = time.perf_counter(), self.num_timesteps

    def _on_step(self) -> bool:
        return True


def make(library: str, name: str, env: Any) -> tuple[Any, dict[str, str]]:
    """The algorithm with its network, and versions."""
    if library == "sbx":
        from sbx import PPO

        # The same layers. Policy and value have a copy each of all but the last, made equal again after each one's step.
        return PPO("CnnPolicy", env, **PPO_SETTINGS), {"sbx": version("sbx-rl"), "its jax": version("jax")}
    from sb3_contrib import RecurrentPPO
    from stable_baselines3 import A2C, PPO

    versions = {"sb3-contrib": version("sb3-contrib")}
    if name == "a2c":
        return A2C("CnnPolicy", env, n_steps=5, ent_coef=0.01), versions
    if name == "ppo":
        return PPO("CnnPolicy", env, **PPO_SETTINGS), versions
    # One LSTM for policy and value, as ours has.
    lstm = {"shared_lstm": True, "enable_critic_lstm": False, "lstm_hidden_size": 256}
    return RecurrentPPO("CnnLstmPolicy", env, policy_kwargs=lstm, **PPO_SETTINGS), versions


def main(library: str, name: str, threads: int, rollouts: int) -> None:
    torch.set_num_threads(threads)
    os.environ["NPROC"] = str(threads)  # XLA reads it as it loads
    games, length = (16, 5) if name == "a2c" else (8, 128)
    env = VecFrameStack(make_atari_env("KungFuMasterNoFrameskip-v4", n_envs=games, seed=0), 4)
    model, versions = make(library, name, env)
    clock = Clock()
    model.learn((1 + rollouts) * games * length, callback=clock)
    seconds = time.perf_counter() - clock.started
    versions |= {"stable-baselines3": version("stable-baselines3"), "its torch": torch.__version__}
    print(json.dumps({"rate": (model.num_timesteps - clock.steps) / seconds, "versions": versions}))


if __name__ == "__main__":
    main(sys.argv[4], sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
