"""A recurrent actor-critic in PyTorch, whose episodes may begin anew within a rollout, and what `triptych check` asks of it."""

import torch
from torch import nn, optim


class Agent:
    observation_shape, num_actions = (4,), 2

    def __init__(self):
        self.settings = {"loss": "squared", "value_weight": 0.5, "entropy_weight": 0.01, "sequence_length": 8}
        self.body, self.memory = nn.Linear(4, 32), nn.LSTMCell(32, 16)
        self.actor, self.critic = nn.Linear(16, 2), nn.Linear(16, 1)
        self.network = nn.ModuleList([self.body, self.memory, self.actor, self.critic])
        self.optimizer = optim.Adam(self.network.parameters(), lr=1e-3)

    def initial_state(self, count):
        return torch.zeros(count, 16), torch.zeros(count, 16)

    def step(self, obs, state, reset):
        keep = 1 - torch.as_tensor(reset, dtype=torch.float32).unsqueeze(1)
        state = self.memory(torch.tanh(self.body(torch.as_tensor(obs))), (keep * state[0], keep * state[1]))
        return self.actor(state[0]), self.critic(state[0]).squeeze(1), state

    def learn(self, batch):
        obs, action, advantage, returns, _, reset = (torch.as_tensor(part) for part in batch[:-1])
        state = tuple(part.detach() for part in batch[-1])
        said = []
        for at in range(obs.shape[1]):
            logits, value, state = self.step(obs[:, at], state, reset[:, at])
            said.append((logits, value))
        policy = torch.distributions.Categorical(logits=torch.stack([logits for logits, _ in said], dim=1))
        value = torch.stack([value for _, value in said], dim=1)
        gain = (policy.log_prob(action) * advantage).mean()
        error = ((returns - value) ** 2).mean()
        loss = -gain + 0.5 * error - 0.01 * policy.entropy().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def weights(self):
        return dict(self.network.state_dict())
