"""The PyTorch learner: a module, its target, an optimiser, an eager step."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch

from triptych import frameworks
from triptych.frameworks.torch import net, ops
from triptych.frameworks.torch.frames import Frames, find_device
from triptych.frameworks.torch.frames import count_gpus as count_gpus
from triptych.spec import Adam, Network, Optimiser, RMSprop, dtypes, each, parts_of, whole_of
from triptych.spec.batches import moved
from triptych.spec.moments import frozen_in, since_in, told_since
from triptych.spec.weights import check_weights

torch.use_deterministic_algorithms(True, warn_only=True)  # the same seeds give the same bits
torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a debugging aid that takes a tenth of the time


def clip_by_global_norm(gradients: list[torch.Tensor], max_norm: float | None) -> torch.Tensor:
    """Scales the gradients in place so that their norm over all tensors is at most `max_norm`; returns that norm."""
    norm = torch.nn.utils.get_total_norm(gradients)  # clip_grad_norm_ would add 1e-6 to it
    if max_norm is not None:
        torch._foreach_mul_(gradients, torch.clamp(max_norm / norm, max=1.0))
    return norm


class ExactRMSprop(torch.optim.Optimizer):
    """RMSprop with epsilon inside the root; PyTorch's own adds it outside."""

    def __init__(self, parameters, lr: float, decay: float, epsilon: float):
        super().__init__(parameters, {"lr": lr, "decay": decay, "epsilon": epsilon})

    @torch.no_grad()
    def step(self):
        group = self.param_groups[0]
        gradients = [parameter.grad for parameter in group["params"]]
        for parameter in group["params"]:
            if not self.state[parameter]:
                step = torch.zeros((), device=parameter.device)
                self.state[parameter] = {"step": step, "square_avg": torch.zeros_like(parameter)}
        states = [self.state[parameter] for parameter in group["params"]]
        squares = [state["square_avg"] for state in states]
        torch._foreach_add_([state["step"] for state in states], 1)
        torch._foreach_mul_(squares, group["decay"])
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - group["decay"])
        roots = torch._foreach_add(squares, group["epsilon"])
        torch._foreach_sqrt_(roots)
        torch._foreach_addcdiv_(group["params"], gradients, roots, -group["lr"])


def make_adam(parameters, spec: Adam) -> torch.optim.Optimizer:
    betas = (spec.beta_1, spec.beta_2)
    return torch.optim.Adam(parameters, lr=spec.learning_rate, betas=betas, eps=spec.epsilon, fused=True)


def make_rmsprop(parameters, spec: RMSprop) -> torch.optim.Optimizer:
    return ExactRMSprop(parameters, spec.learning_rate, spec.decay, spec.epsilon)


OPTIMISERS: dict[str, Any] = {"adam": make_adam, "rmsprop": make_rmsprop}
MOMENTS = {"adam": {"m": "exp_avg", "v": "exp_avg_sq"}, "rmsprop": {"v": "square_avg"}}  # neutral name: PyTorch's


class Learner:
    """See `triptych.frameworks.Learner`."""

    frames = Frames

    def __init__(self, network: Network, loss, optimiser: Optimiser, weights: dict[str, np.ndarray], precision: str):
        self.place = find_device()
        self.device = torch.cuda.get_device_name(self.place) if self.place.type == "cuda" else "cpu"
        self.network = network
        self.loss = loss
        self.settings = optimiser
        self.precision, _ = dtypes(precision)
        self.online = net.Net(network, self.precision, self.precision).to(self.place)
        self.target = net.Net(network, self.precision, self.precision).to(self.place).requires_grad_(False)
        self.parameters = self.online.named()
        self.frozen: tuple[str, ...] = ()
        self.trained = dict(self.parameters)  # those that are not frozen
        self.since: dict[str, int] = {}  # updates before a tensor's moments began, where it was frozen
        spread = network.observation.is_picture and self.place.type == "cpu"  # small networks only wait for threads
        shards = frameworks.THREADS if spread else 1
        # Whoever imported PyTorch before us left it all cores, and an earlier run its own number.
        torch.set_num_threads(1 if shards > 1 else frameworks.THREADS)
        self.online_values = net.Sharded(self.online, network, precision, shards)
        self.target_values = net.Sharded(self.target, network, precision, shards)
        self.optimiser = OPTIMISERS[optimiser.kind](self.parameters.values(), optimiser)
        self.moments = MOMENTS[optimiser.kind]
        self.set_weights(weights)
        self.sync_target()

    def act(self, obs, state=None, reset=None):
        with torch.inference_mode():
            if state is None:
                return self.online_values(self.to_device(obs)).cpu().numpy(), None
            given = (self.to_device(array) for array in (each(lambda part: part[None], obs), state, reset[None]))
            outputs, state = self.online_values(*given)
            return outputs[0].cpu().numpy(), state.cpu().numpy()

    def sensitivity(self, score, obs, actions, state=None, reset=None):
        main, parts = self.network.observation.main_name, self.to_device(dict(parts_of(obs)))
        parts[main] = parts[main].to(getattr(torch, self.precision), copy=True).requires_grad_()
        given = whole_of(parts)
        with torch.enable_grad():
            if state is None:
                outputs = self.online_values.module(given)
            else:
                states = (self.to_device(array) for array in (state, reset[None]))
                outputs = self.online_values.module(each(lambda part: part[None], given), *states)[0][0]
            total = score(ops, outputs, self.to_device(actions)).sum()
        return torch.autograd.grad(total, parts[main])[0].cpu().numpy()

    def update(self, batch, learning_rate):
        aux = self.differentiate(batch)
        return {**aux, "gradient_norm": self.descend(learning_rate)}

    def gradients(self, batch):
        aux = self.differentiate(batch)
        return {name: net.to_neutral(parameter.grad) for name, parameter in self.trained.items()}, aux

    def apply(self, gradients, learning_rate):
        check_weights(gradients, self.network, "gradients", without=self.frozen)
        for name, parameter in self.trained.items():
            parameter.grad = torch.empty_like(parameter, requires_grad=False)  # in the parameter's order in memory
            net.assign(parameter.grad, gradients[name])
        return self.descend(learning_rate)

    def differentiate(self, batch):
        """Leaves each parameter's gradient in its `grad`; returns the loss and what it reports."""
        batch = moved(batch, self.to_device)
        loss, (td_error, scalars) = self.loss(ops, self.online_values, self.target_values, batch)
        self.optimiser.zero_grad()
        loss.backward()
        scalars = {name: value.detach() for name, value in scalars.items()}
        return {"loss": loss.detach(), "td_error": td_error.detach(), **scalars}

    def descend(self, learning_rate):
        """The optimiser's step along each parameter's `grad`; returns the norm of all of them before it was cut."""
        gradients = [parameter.grad for parameter in self.trained.values()]
        norm = clip_by_global_norm(gradients, self.settings.max_norm)
        self.optimiser.param_groups[0]["lr"] = learning_rate
        self.optimiser.step()
        self.online_values.refresh()
        return norm

    def steps(self):
        """Updates so far."""
        found = ((name, self.optimiser.state[parameter]) for name, parameter in self.trained.items())
        return next((int(own["step"]) + self.since.get(name, 0) for name, own in found if own), 0)

    def freeze(self, names):
        if set(names) == set(self.frozen):
            return
        steps, before, kept = self.steps(), self.frozen, self.optimiser.state
        self.frozen = tuple(names)
        self.trained = {name: parameter for name, parameter in self.parameters.items() if name not in names}
        for name, parameter in self.parameters.items():
            parameter.requires_grad_(name not in names).grad = None
        self.online_values.follow()
        self.optimiser = OPTIMISERS[self.settings.kind](self.trained.values(), self.settings)
        for parameter in self.trained.values():
            if kept[parameter]:
                self.optimiser.state[parameter] = kept[parameter]
        later = {name: steps for name in before if steps}
        self.since = {name: count for name, count in (self.since | later).items() if name not in names}

    def to_device(self, array):
        if isinstance(array, dict):  # observations of several parts
            return each(self.to_device, array)
        if isinstance(array, np.ndarray) and not array.flags.writeable:
            array = array.copy()  # a tensor that shares its memory could be written to
        return torch.as_tensor(array, device=self.place)

    def to_numpy(self, array):
        return array.cpu().numpy()

    def sync_target(self):
        self.target.load_state_dict(self.online.state_dict())
        self.target_values.refresh()

    def get_weights(self):
        return net.get_weights(self.online)

    def set_weights(self, weights):
        net.set_weights(self.online, weights)
        self.online_values.refresh()

    def get_state(self):
        state = {f"online/{name}": array for name, array in net.get_weights(self.online).items()}
        state |= {f"target/{name}": array for name, array in net.get_weights(self.target).items()}
        kind = self.settings.kind
        state[f"{kind}/step"] = np.array(self.steps(), np.int64)
        for name, parameter in self.trained.items():
            moments = self.optimiser.state[parameter] or self.no_moments(parameter)
            state |= {f"{kind}/{moment}/{name}": net.to_neutral(moments[own]) for moment, own in self.moments.items()}
        return state | told_since(self.since, kind)

    def set_state(self, state):
        kind = self.settings.kind
        self.freeze(frozen_in(state, kind, self.parameters))
        self.since = since_in(state, kind, self.trained)
        for name, parameter in self.parameters.items():
            net.assign(parameter, state[f"online/{name}"])
            net.assign(self.target.named()[name], state[f"target/{name}"])
        for name, parameter in self.trained.items():
            moments = self.no_moments(parameter)
            moments["step"].fill_(int(state[f"{kind}/step"]) - self.since.get(name, 0))
            for moment, own in self.moments.items():
                net.assign(moments[own], state[f"{kind}/{moment}/{name}"])
            self.optimiser.state[parameter] = moments
        self.online_values.refresh()
        self.target_values.refresh()

    def no_moments(self, parameter):
        """The optimiser's state before the first update, in the form that torch.optim keeps it."""
        zeros = partial(torch.zeros_like, parameter, memory_format=torch.preserve_format)
        step = torch.zeros((), dtype=torch.float32, device=parameter.device)
        return {"step": step, **{own: zeros() for own in self.moments.values()}}
