"""A recurrent Q-learner in PyTorch, with stored states and a burn-in (as R2D2 has them), and what `triptych check` asks of it."""

import random
from collections import deque

import numpy as np
import torch
from torch import nn, optim

LENGTH, BURN_IN, GAMMA = 8, 3, 0.99


class QNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(4, 24)
        self.lstm = nn.LSTM(24, 16, batch_first=True)
        self.head = nn.Linear(16, 2)

    def forward(self, obs, state):  # obs [B, T, 4]
        x, state = self.lstm(torch.relu(self.embed(obs)), state)
        return self.head(x), state


class Agent:
    observation_shape, num_actions = (4,), 2

    def __init__(self):
        self.settings = {"gamma": GAMMA, "loss": "huber", "double": True, "learning_rate": 1e-3, "max_norm": 10.0}
        self.settings |= {"sequence_length": LENGTH, "burn_in": BURN_IN, "stored_state": True}
        self.net, self.target_net = QNetwork(), QNetwork()
        self.target_net.load_state_dict(self.net.state_dict())
        self.optimizer = optim.Adam(self.net.parameters(), lr=1e-3)
        self.pieces, self.recent = deque(maxlen=5_000), []

    def learn(self, batch):
        obs, action, reward, terminated, mask = (torch.as_tensor(part) for part in batch[:-1])
        h, c = batch[-1]
        with torch.no_grad():
            _, state = self.net(obs[:, :BURN_IN], (h, c))
            _, target_state = self.target_net(obs[:, :BURN_IN], (h, c))
            next_q = self.target_net(obs[:, BURN_IN:], target_state)[0][:, 1:]
        q = self.net(obs[:, BURN_IN:], state)[0]
        action, reward, terminated, mask = (part[:, BURN_IN:] for part in (action, reward, terminated, mask))
        best = q[:, 1:].argmax(2, keepdim=True)
        target = reward + GAMMA * (1 - terminated) * next_q.gather(2, best).squeeze(2)
        taken = q[:, :-1].gather(2, action.unsqueeze(2)).squeeze(2)
        loss = (nn.functional.smooth_l1_loss(taken, target, reduction="none") * mask).sum() / mask.sum()
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 10.0)
        self.optimizer.step()
        return loss.item()

    # What `triptych check` asks.

    def initial_state(self, count):
        return torch.zeros(1, count, 16), torch.zeros(1, count, 16)

    def advance(self, net, obs, state, reset):
        keep = 1 - torch.as_tensor(reset, dtype=torch.float32).reshape(1, -1, 1)
        with torch.no_grad():
            q, state = net(torch.as_tensor(obs).unsqueeze(1), (keep * state[0], keep * state[1]))
        return q.squeeze(1), state

    def step(self, obs, state, reset):
        return self.advance(self.net, obs, state, reset)

    def target_step(self, obs, state, reset):
        return self.advance(self.target_net, obs, state, reset)

    def sync_target(self):
        self.target_net.load_state_dict(self.net.state_dict())

    def weights(self):
        return dict(self.net.state_dict())

    def observe(self, obs, action, reward, terminated, truncated, next_obs, state):
        self.recent.append((obs, action, reward, float(terminated), state))
        if terminated or truncated:
            for start in range(0, len(self.recent), LENGTH // 2):
                self.keep(self.recent[start : start + LENGTH + 1], next_obs)
            self.recent = []

    def keep(self, steps, last):
        count = min(len(steps), LENGTH)
        obs = np.zeros((LENGTH + 1, 4), np.float32)
        seen = [step[0] for step in steps] + [last]
        obs[: count + 1] = seen[: count + 1]
        action, reward, terminated, mask = np.zeros(LENGTH, np.int64), *np.zeros((3, LENGTH), np.float32)
        action[:count] = [step[1] for step in steps[:count]]
        reward[:count] = [step[2] for step in steps[:count]]
        terminated[:count] = [step[3] for step in steps[:count]]
        mask[:count] = 1
        self.pieces.append((obs, action, reward, terminated, mask, *steps[0][4]))

    def sample(self):
        *parts, h, c = zip(*random.choices(self.pieces, k=32), strict=True)
        return *(np.stack(part) for part in parts), (torch.cat(h, dim=1), torch.cat(c, dim=1))
