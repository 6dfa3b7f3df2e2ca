"""The same network, optimiser and update as `net.py` and `learner.py`, as plain PyTorch text for `triptych show`.

Imports no framework. A test runs the text beside the learner.
"""

from __future__ import annotations

from triptych.spec import Adam, Network, Placed, dtypes

TITLE = "PyTorch"
IMPORTS = """import torch
from torch import nn"""
OPERATIONS = "torch", ("abs", "cumsum", "exp", "reshape", "sign", "sqrt", "square", "where")
COPIED = ("clip_by_global_norm",)  # functions and classes of learner.py that are shown as they are

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
    call = f"x = torch.relu(self.{name}(x))" if settings.activation == "relu" else f"x = self.{name}(x)"
    if kind == "conv":
        made = f"nn.Conv2d({placed.input_shape[-1]}, {settings.filters}, {settings.kernel}, {settings.stride})"
        return made, [call]
    if kind == "dense":
        return f"nn.Linear({placed.input_shape[0]}, {settings.units})", [call]
    if kind == "flatten":
        return "", ["x = x.permute(0, 2, 3, 1).flatten(1)" if len(placed.input_shape) == 3 else "x = x.flatten(1)"]
    if kind == "difference":
        return "", ["older, newer = x.chunk(2, dim=1)", "x = newer - older"]
    raise ValueError(f"no source for a {kind} layer")


def network(network: Network, precision: str) -> str:
    """The module, with each layer's output shape."""
    observation = network.observation
    stored, compute = dtypes(precision)
    made: list[str] = []
    applied: list[str] = []
    for index, placed in enumerate(network.placed()):
        if placed.name == "head" and compute != stored:
            applied = [f'        with torch.autocast("cpu", torch.{compute}):', *(f"    {text}" for text in applied)]
            applied.append(f"        x = x.to(torch.{stored})")
        constructor, lines = layer(placed)
        lines = ["x = x / 255", *lines] if index == network.scale_at else lines
        if constructor:
            made.append(f"        self.{placed.name} = {constructor}")
        applied += [f"        {text}" for text in lines]
        applied[-1] += f"  # {('B', *placed.output_shape)}".replace("'", "")
    first = []
    if len(observation.shape) == 4:
        first.append(
            "        obs = obs.permute(0, 1, 4, 2, 3).flatten(1, 2)  # [B, stack, H, W, 3] to [B, 3 * stack, H, W]"
        )
    if observation.is_picture:
        first.append("        obs = obs.contiguous(memory_format=torch.channels_last)")
    first.append(f"        x = obs.to(torch.{compute})")
    return "\n".join(
        [
            "class Net(nn.Module):",
            "    def __init__(self):",
            "        super().__init__()",
            *made,
            f"        self.to(torch.{stored}).to(memory_format=torch.channels_last)",
            "",
            "    def forward(self, obs):",
            *first,
            *applied,
            "        return x",
        ]
    )


def update(adam: Adam, precision: str) -> str:
    """Optimiser, target and one update; `weights` and `loss` stand above it."""
    return f"""# Neutral kernels are HWIO and (in, out); PyTorch's are OIHW and (out, in).
TO_NATIVE = {{4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}}


def set_weights(net, weights):
    parameters = dict(net.named_parameters())
    for name, array in weights.items():
        native = name.replace("/kernel", ".weight").replace("/bias", ".bias")
        with torch.no_grad():
            parameters[native].copy_(torch.from_numpy(np.ascontiguousarray(array.transpose(TO_NATIVE[array.ndim]))))


online, target = Net(), Net().requires_grad_(False)
set_weights(online, weights)
target.load_state_dict(online.state_dict())
optimiser = torch.optim.Adam(
    online.parameters(), lr={adam.learning_rate}, betas=({adam.beta_1}, {adam.beta_2}), eps={adam.epsilon}, fused=True
)


def q_values(obs):
    with torch.inference_mode():
        return online(torch.from_numpy(obs)).numpy()


def update(batch, learning_rate={adam.learning_rate}):
    batch = type(batch)(*map(torch.from_numpy, batch))
    value, (td_error, scalars) = loss(xp, online, target, batch)
    optimiser.zero_grad()
    value.backward()
    clip_by_global_norm([parameter.grad for parameter in online.parameters()], {adam.max_norm})
    optimiser.param_groups[0]["lr"] = learning_rate
    optimiser.step()
    return value.detach().numpy()"""
