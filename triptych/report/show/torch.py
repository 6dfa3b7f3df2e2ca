"""The same network, optimiser and update as `net.py` and `learner.py`, as plain PyTorch text for `triptych show`.

Imports no framework. A test runs the text beside the learner.
"""

from __future__ import annotations

from typing import Any

from triptych.report.show.text import asked, beside, constructor, frame_beside
from triptych.spec import Network, Optimiser, Placed, dtypes

TITLE = "PyTorch"
IMPORTS = """import torch
from torch import nn"""
OPERATIONS = "torch", ("abs", "cumsum", "exp", "reshape", "sign", "sqrt", "square", "where")
COPIED = {  # functions and classes of learner.py that are shown as they are, by the optimiser's kind
    "adam": ("clip_by_global_norm",),
    "rmsprop": ("clip_by_global_norm", "ExactRMSprop"),
}

LAYERS_IMPORTS = """from abc import ABC, abstractmethod
from itertools import pairwise
from typing import Any

from torch import Tensor
from torch.nn import functional as F"""

NAMES = {
    "dense layer": "nn.Linear(in, out)",
    "convolution": "nn.Conv2d(in, out, kernel, stride)",
    "no padding (VALID)": "padding=0, the default",
    "no activation (linear)": "nothing after the layer",
    "ReLU": "torch.relu(x)",
    "who infers input sizes": "nobody: written out (or nn.LazyLinear)",
    "picture": "[B, C, H, W], in channels-last memory",
    "flatten": "permute to [B, H, W, C] first, so that weights fit the others",
    "Huber loss": "nn.HuberLoss",
    "squared error": "nn.MSELoss",
    "Adam": "torch.optim.Adam(eps=)",
    "RMSprop": "torch.optim.RMSprop(alpha=, eps=), which adds epsilon outside the root",
    "gradient": "loss.backward(), then parameter.grad",
    "clipping by global norm": "torch.nn.utils.clip_grad_norm_",
    "no gradient here": "x.detach()",
    "one compiled step": "none: runs as written (or torch.compile)",
    "weights": "module.state_dict(); kernels (out, in), OIHW",
    "copy to the target": "target.load_state_dict(online.state_dict())",
}


def layer(placed: Placed) -> tuple[str, list[str]]:
    """A layer's constructor ('' for none) and the lines that apply it to x."""
    kind, name, settings = placed.layer.kind, placed.name, placed.layer
    call = (
        f"x = self.{name}(x)" if settings.activation == "linear" else f"x = torch.{settings.activation}(self.{name}(x))"
    )
    if kind == "conv":
        made = f"nn.Conv2d({placed.input_shape[-1]}, {settings.filters}, {settings.kernel}, {settings.stride})"
        return made, [call]
    if kind == "dense":
        return f"nn.Linear({placed.input_shape[0]}, {settings.units})", [call]
    if kind == "flatten":
        return "", ["x = x.permute(0, 2, 3, 1).flatten(1)" if len(placed.input_shape) == 3 else "x = x.flatten(1)"]
    if kind == "difference":
        return "", ["older, newer = x.chunk(2, dim=1)", "x = newer - older"]
    if kind == "frame_and_difference":
        return "", ["older, newer = x.chunk(2, dim=1)", f"x = torch.cat([{frame_beside(placed.layer)}], dim=1)"]
    return constructor("torch", placed), [call]


def network(network: Network, precision: str) -> str:
    """The module, with each layer's output shape."""
    stored, compute = dtypes(precision)
    made: list[str] = []
    applied: list[str] = []
    rounded: list[str] = []  # lines of the layers that are computed in another precision
    memories = 0
    for index, placed in enumerate(network.placed()):
        made_by, lines = layer(placed)
        if placed.state_size is not None:
            lines = ["x = x.permute(0, 2, 3, 1)"] if len(placed.input_shape) == 3 else []
            part = asked(network, placed, "to(x.dtype)", ".unflatten(0, reset.shape)")
            given = ["x.unflatten(0, reset.shape)", f"states[{memories}]", "reset", *part]
            lines.append(f"x, after_{memories} = self.{placed.name}({', '.join(given)})")
            lines.append("x = x.flatten(0, 1)")
            memories += 1
        lines = [*joined(network, placed), *lines]
        lines = ["x = x / 255", *lines] if index == network.scale_at else lines
        if made_by:
            made.append(f"        self.{placed.name} = {made_by}")
        batch = "T * B" if network.unrolls else "B"
        lines[-1] += f"  # {(batch, *placed.output_shape)}".replace("'", "")
        if compute != stored and not placed.is_precise:
            rounded += lines
        else:
            applied += autocast(rounded, stored, compute) + lines
            rounded = []
    return "\n".join(
        [
            "class Net(nn.Module):",
            "    def __init__(self):",
            "        super().__init__()",
            *made,
            f"        self.to(torch.{stored}).to(memory_format=torch.channels_last)",
            "",
            f"    def forward(self, obs{', state, reset' if network.unrolls else ''}):",
            *(f"        {text}" for text in [*entrance(network, compute), *applied, *result(network, memories)]),
        ]
    )


def autocast(lines: list[str], stored: str, compute: str) -> list[str]:
    """Lines that are computed in a lower precision."""
    if not lines:
        return []
    inside = [f"    {text}" for text in lines]
    return [f'with torch.autocast("cpu", torch.{compute}):', *inside, f"x = x.to(torch.{stored})"]


def joined(network: Network, placed: Placed) -> list[str]:
    """The line that concatenates the parts which join before a layer."""
    given = [beside(network, name, "to(x.dtype)") for name in placed.joined]
    return [f"x = torch.cat([{', '.join(['x', *given])}], dim=1)"] if given else []


def entrance(network: Network, compute: str) -> list[str]:
    """From the observations to what the first layer takes."""
    observation, main = network.observation, network.observation.main
    lines = []
    if network.unrolls and observation.is_several:
        lines.append("obs = {name: part.flatten(0, 1) for name, part in obs.items()}  # [T, B, ...] to [T * B, ...]")
    elif network.unrolls:
        lines.append("obs = obs.flatten(0, 1)  # [T, B, ...] to [T * B, ...]")
    if network.state_sizes:
        lines.append(f"states = state.split({network.state_sizes}, dim=1)")
    name = "x" if observation.is_several else "obs"
    lines += [f'x = obs["{observation.main_name}"]'] if observation.is_several else []
    if len(main.shape) == 4:
        lines.append(
            f"{name} = {name}.permute(0, 1, 4, 2, 3).flatten(1, 2)  # [B, stack, H, W, 3] to [B, 3 * stack, H, W]"
        )
    if main.is_picture:
        lines.append(f"{name} = {name}.contiguous(memory_format=torch.channels_last)")
    return [*lines, f"x = {name}.to(torch.{compute})"]


def result(network: Network, memories: int) -> list[str]:
    if not network.unrolls:
        return ["return x"]
    after = ", ".join(f"after_{index}" for index in range(memories))
    return [f"return x.unflatten(0, reset.shape), {f'torch.cat([{after}], dim=1)' if memories else 'state'}"]


def make_optimiser(spec: Any) -> str:
    """The constructor of the optimiser of `online`."""
    if spec.kind == "rmsprop":
        return f"ExactRMSprop(online.parameters(), {spec.learning_rate}, {spec.decay}, {spec.epsilon})"
    return f"""torch.optim.Adam(
    online.parameters(), lr={spec.learning_rate}, betas=({spec.beta_1}, {spec.beta_2}), eps={spec.epsilon}, fused=True
)"""


def update(optimiser: Optimiser, precision: str, unrolls: bool) -> str:
    """Optimiser, target and one update; `weights` and `loss` stand above it."""
    given, taken = ("obs, state, reset", "[0]") if unrolls else ("obs", "")
    return f"""def to_device(array):
    if isinstance(array, dict):  # observations of several parts
        return {{name: torch.from_numpy(part) for name, part in array.items()}}
    return torch.from_numpy(array)


# Neutral kernels are HWIO and (in, out); PyTorch's are OIHW and (out, in).
TO_NATIVE = {{4: (3, 2, 0, 1), 3: (0, 1, 2), 2: (1, 0), 1: (0,), 0: ()}}


def set_weights(net, weights):
    parameters = dict(net.named_parameters())
    for name, array in weights.items():
        layer, key = name.split("/")
        native = f"{{layer}}.{{key}}"
        if native not in parameters:
            native = native.replace(".kernel", ".weight")
        with torch.no_grad():
            parameters[native].copy_(torch.from_numpy(np.ascontiguousarray(array.transpose(TO_NATIVE[array.ndim]))))


online, target = Net(), Net().requires_grad_(False)
set_weights(online, weights)
target.load_state_dict(online.state_dict())
optimiser = {make_optimiser(optimiser)}


def outputs({given}):
    with torch.inference_mode():
        return online(*map(to_device, ({given},))){taken}.numpy()


def update(batch, learning_rate={optimiser.learning_rate}):
    batch = type(batch)(*map(to_device, batch))
    value, _ = loss(xp, online, target, batch)
    optimiser.zero_grad()
    value.backward()
    clip_by_global_norm([parameter.grad for parameter in online.parameters()], {optimiser.max_norm})
    optimiser.param_groups[0]["lr"] = learning_rate
    optimiser.step()
    return value.detach().numpy()"""
