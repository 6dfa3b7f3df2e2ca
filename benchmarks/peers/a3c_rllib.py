"""RLlib's IMPALA or APPO on CartPole with as many games, the same network and rollouts of the same length, for some seconds.

peers/a3c_rllib.py impala|appo SECONDS
"""

import json
import logging
import os
import sys
import time

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray
import torch
from ray.rllib.algorithms.appo import APPOConfig
from ray.rllib.algorithms.impala import IMPALAConfig
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig

RUNNERS, GAMES, ROLLOUT = 2, 8, 16  # games of each runner, steps of each game
SAMPLED = "num_env_steps_sampled_lifetime"
CALM = 10.0  # seconds before the clock starts


def sampled(result: dict) -> int:
    return int(result["env_runners"].get(SAMPLED, 0))


def main(name: str, seconds: float) -> None:
    ray.init(address="local", include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    config = {"impala": IMPALAConfig, "appo": APPOConfig}[name]()
    algorithm = (
        config.environment("CartPole-v1")
        .framework("torch")
        .env_runners(num_env_runners=RUNNERS, num_envs_per_env_runner=GAMES, rollout_fragment_length=ROLLOUT)
        .learners(num_learners=0, num_gpus_per_learner=0)
        .training(train_batch_size_per_learner=GAMES * ROLLOUT, lr=1e-3, gamma=0.99)
        .rl_module(
            model_config=DefaultModelConfig(fcnet_hiddens=[64, 64], fcnet_activation="tanh", vf_share_layers=True)
        )
        .reporting(min_time_s_per_iteration=1, metrics_num_episodes_for_smoothing=20)
        .build_algo()
    )
    begun = time.perf_counter()
    first: tuple[float, int] | None = None
    while True:
        result = algorithm.train()
        now = time.perf_counter()
        if first is None and now - begun >= CALM:
            first = now, sampled(result)
        elif first is not None and now - first[0] >= seconds:
            break
    rate = (sampled(result) - first[1]) / (now - first[0])
    reward = result["env_runners"].get("episode_return_mean")
    algorithm.stop()
    ray.shutdown()
    print(
        json.dumps({"rate": rate, "reward": reward, "versions": {"ray": ray.__version__, "torch": torch.__version__}})
    )


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
