"""The same network, optimiser and update as `net.py` and `learner.py`, as plain JAX text for `triptych show`.

Imports no framework. A test runs the text beside the learner.
"""

from __future__ import annotations

from typing import Any

from triptych.report.show.text import asked, beside, class_of, constructor, frame_beside
from triptych.spec import Network, Optimiser, Placed, dtypes

TITLE = "JAX (Flax, optax)"
IMPORTS = """import jax
import optax
from flax import linen as nn
from jax import numpy as jnp
from jax.lax import stop_gradient

jax.config.update("jax_enable_x64", True)  # float64 exists in JAX only with this on"""
OPERATIONS = (
    "jax.numpy",
    ("concatenate", "cumsum", "exp", "max", "mean", "reshape", "sign", "sqrt", "square", "std", "sum", "where"),
)
COPIED = {  # functions and classes of learner.py that are shown as they are, by the optimiser's kind
    "adam": ("clip_by_global_norm",),
    "rmsprop": ("clip_by_global_norm",),
}

LAYERS_IMPORTS = """from typing import Any"""

NAMES = {
    "dense layer": "nn.Dense(out)",
    "convolution": "nn.Conv(out, (kernel, kernel), (stride, stride))",
    "no padding (VALID)": 'padding="VALID"; the default is SAME',
    "no activation (linear)": "nothing after the layer",
    "ReLU": "jax.nn.relu(x)",
    "who infers input sizes": "Flax, at the first call",
    "picture": "[B, H, W, C]",
    "flatten": "x.reshape((len(x), -1))",
    "Huber loss": "optax.huber_loss",
    "squared error": "optax.squared_error",
    "Adam": "optax.adam(eps=)",
    "RMSprop": "optax.rmsprop(decay=, eps=)",
    "gradient": "jax.value_and_grad(loss)(parameters)",
    "clipping by global norm": "optax.clip_by_global_norm",
    "no gradient here": "jax.lax.stop_gradient(x)",
    "one compiled step": "jax.jit, buffers donated",
    "weights": "a tree of arrays; kernels (in, out), HWIO",
    "copy to the target": "jax.tree.map(jnp.copy, online)",
}


def layer(placed: Placed, precision: str) -> list[str]:
    """The lines that apply a layer to x."""
    kind, name, settings = placed.layer.kind, placed.name, placed.layer
    stored, compute = dtypes(precision)
    computed = "" if (stored == "float32" and name == "head") or compute == "float32" else f'dtype="{compute}", '
    kept = "" if stored == "float32" else f'param_dtype="{stored}", '  # float32 is the default of both
    rest = f'{computed}{kept}name="{name}"'
    if kind == "conv":
        sides = f"({settings.kernel}, {settings.kernel}), ({settings.stride}, {settings.stride})"
        call = f'nn.Conv({settings.filters}, {sides}, padding="VALID", {rest})(x)'
    elif kind == "dense":
        call = f"nn.Dense({settings.units}, {rest})(x)"
    elif kind == "flatten":
        call = "x.reshape((len(x), -1))"
    elif kind == "difference":
        return ["older, newer = jnp.split(x, 2, axis=-1)", "x = newer - older"]
    elif kind == "frame_and_difference":
        joined = f"x = jnp.concatenate([{frame_beside(placed.layer)}], axis=-1)"
        return ["older, newer = jnp.split(x, 2, axis=-1)", joined]
    elif placed.state_size is None:
        precision = stored if placed.is_precise else compute
        own = (f'"{stored}"', f'"{precision}"')
        call = constructor("jax", placed, (f'"{stored}"', f'name="{name}"'), own) + "(x)"
    else:
        return []
    return [f"x = {call}" if settings.activation == "linear" else f"x = jax.nn.{settings.activation}({call})"]


def memory(network: Network, placed: Placed, number: int, stored: str) -> list[str]:
    """The lines that apply a memory to x."""
    part = asked(network, placed, "astype(x.dtype)", ".reshape((*reset.shape, -1))")
    given = (f'"{stored}"', f'name="{placed.name}"')
    module = constructor("jax", placed, given, (f'"{stored}"', f'"{stored}"'))
    lines = [f'x = x.astype("{stored}").reshape((*reset.shape, *x.shape[1:]))']
    lines.append(f"x, after_{number} = {module}({', '.join(['x', f'states[{number}]', 'reset', *part])})")
    return [*lines, "x = x.reshape((-1, *x.shape[2:]))"]


def network(network: Network, precision: str) -> str:
    """The module, with each layer's output shape."""
    observation, (stored, compute) = network.observation, dtypes(precision)
    applied: list[str] = []
    after: list[str] = []
    for index, placed in enumerate(network.placed()):
        lines = ["x = x / 255"] if index == network.scale_at else []
        others = [beside(network, name, "astype(x.dtype)") for name in placed.joined]
        lines += [f"x = jnp.concatenate([{', '.join(['x', *others])}], axis=1)"] if others else []
        if placed.state_size is not None:
            lines += memory(network, placed, len(after), stored)
            after.append(f"after_{len(after)}")
        elif class_of("jax", placed.layer):
            lines += [f'x = x.astype("{stored}")', *layer(placed, precision)]
        else:
            lines += layer(placed, precision)
        batch = "T * B" if network.unrolls else "B"
        lines[-1] += f"  # {(batch, *placed.output_shape)}".replace("'", "")
        applied += lines
    first = []
    if network.unrolls and observation.is_several:
        first.append(
            "obs = {name: part.reshape((-1, *part.shape[2:])) for name, part in obs.items()}  # to [T * B, ...]"
        )
    elif network.unrolls:
        first.append("obs = obs.reshape((-1, *obs.shape[2:]))  # [T, B, ...] to [T * B, ...]")
    if after:
        ends = [sum(network.state_sizes[: index + 1]) for index in range(len(after) - 1)]
        first.append(f"states = jnp.split(state, {ends}, axis=1)")
    name, main = ("x", observation.main) if observation.is_several else ("obs", observation.main)
    first += [f'x = obs["{observation.main_name}"]'] if observation.is_several else []
    if main.is_picture:
        first.append(f"{name} = jnp.moveaxis({name}, 1, 3).reshape((len({name}), *{main.picture_shape}))")
    first.append(f'x = {name}.astype("{compute}")')
    state = f"jnp.concatenate([{', '.join(after)}], axis=1)" if after else "state"
    last = f"return x.reshape((*reset.shape, *x.shape[1:])), {state}" if network.unrolls else "return x"
    return "\n".join(
        [
            "class Net(nn.Module):",
            "    @nn.compact",
            f"    def __call__(self, obs{', state, reset' if network.unrolls else ''}):",
            *(f"        {text}" for text in [*first, *applied, last]),
        ]
    )


def make_optimiser(spec: Any) -> str:
    """The optimiser's constructor."""
    if spec.kind == "rmsprop":
        return f"optax.scale_by_rms({spec.decay}, {spec.epsilon}, eps_in_sqrt=True)"
    return f"optax.scale_by_adam({spec.beta_1}, {spec.beta_2}, {spec.epsilon})"


def update(optimiser: Optimiser, precision: str, unrolls: bool) -> str:
    """Optimiser, target and one update; `weights` and `loss` stand above it."""
    given, taken = ("obs, state, reset", "[0]") if unrolls else ("obs", "")
    return f'''def tree_of(weights):
    tree = {{}}
    for name, array in weights.items():
        layer, key = name.split("/")
        tree.setdefault(layer, {{}})[key] = jnp.array(array)
    return tree


net = Net()
online = tree_of(weights)
target = jax.tree.map(jnp.copy, online)
optimiser = {make_optimiser(optimiser)}
moments = optimiser.init(online)


@jax.jit
def forward(parameters, {given}):
    return net.apply({{"params": parameters}}, {given})


def outputs({given}):
    return np.asarray(forward(online, {given}){taken})


@partial(jax.jit, donate_argnums=(0, 1))
def step(online, moments, target, batch, learning_rate):
    def loss_of(parameters):
        return loss(xp, partial(forward, parameters), partial(forward, target), batch)

    (value, _), gradients = jax.value_and_grad(loss_of, has_aux=True)(online)
    gradients, _ = clip_by_global_norm(gradients, {optimiser.max_norm})
    steps, moments = optimiser.update(gradients, moments)
    online = jax.tree.map(lambda parameter, step: parameter - learning_rate * step, online, steps)
    return online, moments, value


def update(batch, learning_rate={optimiser.learning_rate}):
    global online, moments
    online, moments, value = step(online, moments, target, batch, np.asarray(learning_rate, "{dtypes(precision)[0]}"))
    return np.asarray(value)'''
