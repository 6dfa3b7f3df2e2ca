"""A replay of three-step returns in NumPy, with the methods by which `triptych check` asks it."""

import random
from collections import deque

import numpy as np


class Agent:
    observation_shape, num_actions = (4,), 2

    def __init__(self):
        self.settings = {"gamma": 0.99, "n_step": 3}
        self.memory, self.recent = deque(maxlen=10_000), deque()

    def observe(self, obs, action, reward, terminated, truncated, next_obs):
        self.recent.append((obs, action, reward))
        if terminated or truncated:
            while self.recent:
                self.keep(terminated, next_obs)
        elif len(self.recent) == 3:
            self.keep(False, next_obs)

    def keep(self, terminated, next_obs):
        total = sum(0.99**step * reward for step, (_, _, reward) in enumerate(self.recent))
        obs, action, _ = self.recent[0]
        self.memory.append((obs, action, total, terminated, next_obs, len(self.recent)))
        self.recent.popleft()

    def sample(self):
        obs, action, reward, terminated, next_obs, steps = zip(*random.sample(self.memory, 64), strict=True)
        numbers = (np.array(part, np.float32) for part in (reward, terminated))
        return np.array(obs), np.array(action), *numbers, np.array(next_obs), np.array(steps)
