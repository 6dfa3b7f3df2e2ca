"""Tianshou's DQN on Space Invaders; runs in its environment, not in ours.

peers/dqn_tianshou.py NUM_ENVS THREADS WARM_UP STEPS FRAMEWORK (which it leaves aside: it is PyTorch)

Its collector, buffer, network and update, in the plain loop that its trainer runs: collect, then update.
"""

import json
import sys
import time
from importlib.metadata import version

import ale_py
import gymnasium
import torch
from tianshou.algorithm.modelfree.dqn import DQN, DiscreteQLearningPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import Collector, VectorReplayBuffer
from tianshou.env import DummyVectorEnv
from tianshou.env.atari.atari_network import DQNet, ScaledObsInputActionReprNet
from tianshou.env.atari.atari_wrapper import wrap_deepmind
from tianshou.utils.torch_utils import policy_within_training_step

gymnasium.register_envs(ale_py)


def make_env() -> gymnasium.Env:
    return wrap_deepmind(gymnasium.make("SpaceInvadersNoFrameskip-v4"))


def main(num_envs: int, threads: int, warm_up: int, steps: int) -> None:
    torch.set_num_threads(threads)
    envs = DummyVectorEnv([make_env for _ in range(num_envs)])
    space = make_env().action_space
    net = ScaledObsInputActionReprNet(DQNet(4, 84, 84, space.n))
    policy = DiscreteQLearningPolicy(model=net, action_space=space, eps_training=1.0)
    algorithm = DQN(
        policy=policy, optim=AdamOptimizerFactory(lr=1e-4), gamma=0.99, target_update_freq=250, is_double=False, huber_loss_delta=1.0,
    )  # fmt: skip
    # Frames once, stacked when sampled: its own way of saving memory.
    buffer = VectorReplayBuffer(20_000, buffer_num=num_envs, ignore_obs_next=True, save_only_last_obs=True, stack_num=4)
    collector = Collector(policy, envs, buffer, exploration_noise=True)
    collector.reset()
    at_once = max(4, num_envs)  # steps between updates
    with policy_within_training_step(policy):
        collector.collect(n_step=-(-warm_up // at_once) * at_once)
        policy.set_eps_training(0.05)

        def learn(wanted: int) -> int:
            done = updates = 0
            while done < wanted:
                collector.collect(n_step=at_once)
                done += at_once
                for _ in range(at_once // 4):
                    algorithm.update(buffer=buffer, sample_size=32)
                    updates += 1
            return updates

        learn(400)
        start = time.perf_counter()
        updates = learn(steps)
    rate = updates * 4 / (time.perf_counter() - start)
    versions = {"tianshou": version("tianshou"), "its torch": torch.__version__}
    print(json.dumps({"rate": rate, "updates": updates, "versions": versions}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:5]))
