"""Agents in plain PyTorch, as `triptych show --loop` writes them into files. No run imports this: it is copied as text.

A test trains what is written beside Triptych's own run, in float64: actions and losses are the same. The marks
(`# only:`) say which recipes' files have a line; see `report/show/loops/choose.py`.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from triptych.frameworks.torch.learner import ExactRMSprop

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Tensors(nn.Module):
    """A layer with weights of these names and shapes; kernels lie transposed, as PyTorch has them."""

    def __init__(self, shapes):
        super().__init__()
        for name, shape in shapes.items():
            self.register_parameter(name, nn.Parameter(torch.zeros(*reversed(shape))))


class ActorCriticHead(Tensors):
    def forward(self, x):
        """The policy's logits and, last, the value."""
        policy = F.linear(x, self.policy_kernel, self.policy_bias)
        return torch.cat([policy, F.linear(x, self.value_kernel, self.value_bias)], dim=-1)


class Memory(Tensors):
    def forward(self, x, state, reset):
        """An LSTM, step by step; its state (h, then c) is cleared where an episode begins."""  # only: lstm
        """A GRU, step by step; its state is cleared where an episode begins."""  # only: gru
        """A plain recurrent layer, step by step; its state is cleared where an episode begins."""  # only: rnn
        outputs = []
        for products, begins in zip(F.linear(x, self.kernel, self.bias), reset, strict=True):
            state = state.masked_fill(begins[:, None], 0)
            h, c = state.chunk(2, dim=1)  # only: lstm
            i, f, g, o = (products + F.linear(h, self.recurrent_kernel)).chunk(4, dim=1)  # only: lstm
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()  # only: lstm
            h = o.sigmoid() * c.tanh()  # only: lstm
            state = torch.cat([h, c], dim=1)  # only: lstm
            r, z, n = products.chunk(3, dim=1)  # only: gru
            more_r, more_z, more_n = F.linear(state, self.recurrent_kernel).chunk(3, dim=1)  # only: gru
            r, z = (r + more_r).sigmoid(), (z + more_z).sigmoid()  # only: gru
            n = (n + r * (more_n + self.recurrent_bias)).tanh()  # only: gru
            h = state = (1 - z) * n + z * state  # only: gru
            h = state = (products + F.linear(state, self.recurrent_kernel)).tanh()  # only: rnn
            outputs.append(h)
        return torch.stack(outputs), state  # only: not skip
        return torch.cat([torch.stack(outputs), x], dim=-1), state  # only: skip


class Agent:
    """A network and its optimiser. What goes in and out are NumPy's arrays."""

    def __init__(self, args, make_net, weights, state_size=0):
        self.args, self.online, self.state_size = args, make_net().to(DEVICE), state_size
        self.floats = next(iter(weights.values())).dtype
        self.parameters = dict(self.online.named_parameters())
        for name, array in weights.items():
            layer, key = name.split("/")
            native = f"{layer}.{key}" if f"{layer}.{key}" in self.parameters else f"{layer}.weight"
            array = array.transpose((3, 2, 0, 1)) if array.ndim == 4 else array.T  # PyTorch's are (out, in)
            self.parameters[native].data.copy_(torch.from_numpy(np.ascontiguousarray(array)))
        given, betas = self.parameters.values(), (args.beta_1, args.beta_2)  # only: adam
        self.optimiser = torch.optim.Adam(given, betas=betas, eps=args.adam_epsilon, fused=True)  # only: adam
        given = self.parameters.values(), args.learning_rate, args.rms_decay, args.rms_epsilon  # only: rmsprop
        self.optimiser = ExactRMSprop(*given)  # only: rmsprop

    def to_device(self, array):
        return torch.from_numpy(np.ascontiguousarray(array)).to(DEVICE)

    def initial_state(self, games):  # only: not off_policy
        return np.zeros((games, self.state_size), self.floats)

    def act(self, obs, state, started):  # only: not dqn
        """What the network gives for observations [N, ...], and the state of its memory after them."""
        obs = obs.astype(self.floats)  # only: not pictures
        with torch.inference_mode():
            outputs, state = self.online(*map(self.to_device, (obs[None], state, started[None])))
        return outputs[0].cpu().numpy(), state.cpu().numpy()

    def update(self, batch, learning_rate, *weights):
        """One step of the optimiser; returns what is logged."""
        loss, logged = self.loss(type(batch)(*map(self.to_device, batch)), *weights)
        self.optimiser.zero_grad()
        loss.backward()
        gradients = [parameter.grad for parameter in self.parameters.values()]  # only: max_norm
        norm = torch.nn.utils.get_total_norm(gradients)  # only: max_norm
        torch._foreach_mul_(gradients, torch.clamp(self.args.max_norm / norm, max=1.0))  # only: max_norm
        self.optimiser.param_groups[0]["lr"] = learning_rate
        self.optimiser.step()
        return {"loss": loss.detach(), **logged}

    def sync_target(self):  # only: off_policy
        self.target = copy.deepcopy(self.online).requires_grad_(False)

    def unrolled(self, net, batch):  # only: not dqn
        """What it gives for the steps that are learned from; a burn-in before them only fills the memory."""
        start = self.args.burn_in  # only: burn_in
        with torch.no_grad():  # the burn-in only brings the memory up to date  # only: burn_in
            state = net(batch.obs[:start], batch.state, batch.reset[:start])[1]
        return net(batch.obs[start:], state, batch.reset[start:])[0]  # only: burn_in
        return net(batch.obs, batch.state, batch.reset)[0]  # only: not burn_in


class DQN(Agent):
    def act(self, obs):
        """Q values [N, A] of observations [N, ...]."""
        obs = obs.astype(self.floats)  # only: not pictures
        with torch.inference_mode():
            return self.online(self.to_device(obs)).cpu().numpy()

    def loss(self, batch):
        q = self.online(batch.obs)  # [B, A]
        taken = q.gather(1, batch.action.long()[:, None])[:, 0]
        with torch.no_grad():
            next_q = chooser = self.target(batch.next_obs)
            chooser = self.online(batch.next_obs)  # what the one network chooses, the other one values  # only: double
            best = next_q.gather(1, chooser.argmax(dim=1, keepdim=True))[:, 0]
        error = batch.reward + batch.discount * best - taken
        # Huber's loss (1964): half the square of an error up to delta, linear beyond.  # only: huber
        near = error.abs().clamp(max=self.args.delta)  # only: huber
        each = 0.5 * near.square() + self.args.delta * (error.abs() - near)  # only: huber
        each = error.square()  # only: squared
        each = error.abs()  # only: absolute
        return each.mean(), {"q_mean": q.detach().amax(dim=1).mean()}


class DRQN(Agent):
    def loss(self, batch):
        q, steps = self.unrolled(self.online, batch), len(batch.action)  # [L + n, B, A]
        taken = q[:steps].gather(2, batch.action.long()[..., None])[..., 0]  # [L, B]
        with torch.no_grad():
            next_q = self.unrolled(self.target, batch)  # [L + n, B, A]
            best = next_q.gather(2, q.argmax(dim=2, keepdim=True))[..., 0]  # chosen by q  # only: double
            best = next_q.gather(2, next_q.argmax(dim=2, keepdim=True))[..., 0]  # only: not double
            best = best.gather(0, torch.arange(steps, device=DEVICE)[:, None] + batch.ahead)  # only: n_step
            best = best[1:]  # one step on  # only: not n_step
        error = batch.reward + batch.discount * best - taken
        # Huber's loss (1964): half the square of an error up to delta, linear beyond.  # only: huber
        near = error.abs().clamp(max=self.args.delta)  # only: huber
        each = 0.5 * near.square() + self.args.delta * (error.abs() - near)  # only: huber
        each = error.square()  # only: squared
        each = error.abs()  # only: absolute
        living = batch.mask.sum()
        q_mean = (batch.mask * q.detach()[:steps].amax(dim=2)).sum() / living
        return (batch.mask * each).sum() / living, {"q_mean": q_mean}


class ActorCritic(Agent):
    def loss(self, batch, entropy_weight, clip=None):
        mask, advantage = batch.mask[self.args.burn_in :], batch.advantage[self.args.burn_in :]

        def mean(x):
            return (x * mask).sum() / mask.sum()  # over the steps in which an action was taken

        outputs = self.unrolled(self.online, batch)  # logits and, last, the value
        log_probs = torch.log_softmax(outputs[..., :-1], dim=-1)
        taken = log_probs.gather(-1, batch.action[self.args.burn_in :].long()[..., None])[..., 0]
        advantage = advantage - mean(advantage)  # only: normalise
        advantage = advantage / (mean(advantage.square()).sqrt() + 1e-8)  # only: normalise
        gain = advantage * taken  # only: not ppo
        ratio = (taken - batch.log_prob[self.args.burn_in :]).exp()  # only: ppo
        gain = torch.minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)  # only: ppo
        policy_loss, entropy = -mean(gain), mean(-(log_probs.exp() * log_probs).sum(dim=-1))
        error = batch.returns[self.args.burn_in :] - outputs[..., -1]
        # Huber's loss (1964): half the square of an error up to delta, linear beyond.  # only: huber
        near = error.abs().clamp(max=self.args.delta)  # only: huber
        each = 0.5 * near.square() + self.args.delta * (error.abs() - near)  # only: huber
        each = error.square()  # only: squared
        each = error.abs()  # only: absolute
        value_loss = mean(each)
        loss = policy_loss + self.args.value_weight * value_loss - entropy_weight * entropy
        logged = {"policy_loss": policy_loss, "value_loss": value_loss, "entropy": entropy}
        return loss, {name: value.detach() for name, value in logged.items()}
