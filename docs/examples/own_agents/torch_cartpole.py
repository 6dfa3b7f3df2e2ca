"""A DQN for CartPole as its author wrote it in PyTorch, with the methods by which `triptych check` asks it."""

import random
from collections import deque, namedtuple

import gymnasium as gym
import numpy as np
import torch
from torch import nn, optim
from torch.nn import functional

Transition = namedtuple("Transition", ("state", "action", "reward", "done", "next_state"))


class DQN(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 24)
        self.fc2 = nn.Linear(24, 32)
        self.head = nn.Linear(32, 2)

    def forward(self, x):
        x = functional.relu(self.fc1(x))
        x = functional.relu(self.fc2(x))
        return self.head(x)


class Agent:
    def __init__(self):
        self.settings = {"gamma": 0.99, "loss": "squared", "learning_rate": 1e-3, "batch_size": 64, "warm_up": 64}
        self.policy_net, self.target_net = DQN(), DQN()
        self.target_net.load_state_dict(self.policy_net.state_dict())
        self.optimizer = optim.Adam(self.policy_net.parameters(), lr=1e-3)
        self.memory = deque(maxlen=10_000)
        self.steps = 0

    def learn(self, batch):
        state, action, reward, done, next_state = (torch.as_tensor(part) for part in batch)
        state_action_values = self.policy_net(state).gather(1, action.unsqueeze(1))
        with torch.no_grad():
            next_state_values = self.target_net(next_state).max(1)[0]
        expected = reward + 0.99 * next_state_values * (1 - done)
        loss = functional.mse_loss(state_action_values, expected.unsqueeze(1))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def train(self, env, steps):
        state, _ = env.reset(seed=0)
        for step in range(steps):
            epsilon = 0.01 + 0.99 * np.exp(-0.001 * step)
            action = env.action_space.sample() if random.random() < epsilon else int(self.values(state[None]).argmax())
            next_state, reward, terminated, truncated, _ = env.step(action)
            self.observe(state, action, reward, terminated, truncated, next_state)
            state = env.reset()[0] if terminated or truncated else next_state
            if len(self.memory) >= 64:
                self.learn(self.sample())
            if step % 500 == 0:
                self.sync_target()

    # What `triptych check` asks.

    def make_env(self):
        return gym.make("CartPole-v1")

    def values(self, obs):
        return self.policy_net(torch.as_tensor(obs))

    def target_values(self, obs):
        return self.target_net(torch.as_tensor(obs))

    def sync_target(self):
        self.target_net.load_state_dict(self.policy_net.state_dict())

    def weights(self):
        return dict(self.policy_net.state_dict())

    def observe(self, obs, action, reward, terminated, truncated, next_obs):
        self.memory.append(Transition(obs, action, reward, terminated, next_obs))

    def sample(self):
        batch = Transition(*zip(*random.sample(self.memory, 64), strict=True))
        reward, done = (np.array(part, np.float32) for part in (batch.reward, batch.done))
        return np.array(batch.state), np.array(batch.action), reward, done, np.array(batch.next_state)
