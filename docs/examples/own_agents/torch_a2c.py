"""An actor-critic for CartPole in PyTorch, with the methods by which `triptych check` asks it."""

import numpy as np
import torch
from torch import nn, optim


class Agent:
    observation_shape, num_actions = (4,), 2

    def __init__(self):
        self.settings = {"gamma": 0.99, "gae_lambda": 0.95, "loss": "squared"}
        self.settings |= {"value_weight": 0.5, "entropy_weight": 0.01}
        self.body = nn.Sequential(nn.Linear(4, 32), nn.Tanh())
        self.actor, self.critic = nn.Linear(32, 2), nn.Linear(32, 1)
        self.network = nn.ModuleList([self.body, self.actor, self.critic])
        self.optimizer = optim.Adam(self.network.parameters(), lr=1e-3)

    def policy(self, obs):
        return self.actor(self.body(torch.as_tensor(obs)))

    def values(self, obs):
        return self.critic(self.body(torch.as_tensor(obs))).squeeze(1)

    def learn(self, batch):
        obs, action, advantage, returns, _ = (torch.as_tensor(part) for part in batch)
        policy = torch.distributions.Categorical(logits=self.policy(obs))
        gain = (policy.log_prob(action) * advantage).mean()
        error = ((returns - self.values(obs)) ** 2).mean()
        loss = -gain + 0.5 * error - 0.01 * policy.entropy().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def weights(self):
        return dict(self.network.state_dict())

    def advantages(self, reward, value, next_value, terminated, truncated):
        found, later = np.zeros_like(reward), 0.0
        for step in reversed(range(len(reward))):
            error = reward[step] + 0.99 * (1 - terminated[step]) * next_value[step] - value[step]
            over = terminated[step] or truncated[step]
            found[step] = later = error + 0.99 * 0.95 * (0.0 if over else later)
        return found
