"""The same network, optimiser and update as `net.py` and `learner.py`, as plain Keras text for `triptych show`.

Imports no framework. A test runs the text beside the learner.
"""

from __future__ import annotations

from typing import Any

from triptych.report.show.text import constructor, frame_beside
from triptych.spec import Network, Optimiser, Placed, dtypes

TITLE = "Keras (TensorFlow)"
IMPORTS = """import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import tensorflow as tf
from keras import layers, ops"""
OPERATIONS = "keras.ops", (
    "abs", "argmax", "concatenate", "cumsum", "exp", "max", "mean", "reshape", "sign", "sqrt", "square", "std",
    "stop_gradient", "sum",
)  # fmt: skip
COPIED = {  # functions and classes of learner.py that are shown as they are, by the optimiser's kind
    "adam": ("clip_by_global_norm", "ExactAdam"),
    "rmsprop": ("clip_by_global_norm", "ExactRMSprop"),
}

LAYERS_IMPORTS = """from typing import Any"""

NAMES = {
    "dense layer": "layers.Dense(out)",
    "convolution": "layers.Conv2D(out, kernel, stride)",
    "no padding (VALID)": 'padding="valid", the default',
    "no activation (linear)": 'activation="linear", the default',
    "ReLU": 'activation="relu"',
    "who infers input sizes": "Keras, from keras.Input",
    "picture": "[B, H, W, C]",
    "flatten": "layers.Flatten()",
    "Huber loss": "keras.losses.Huber, which averages the last axis",
    "squared error": "keras.losses.MeanSquaredError",
    "Adam": "keras.optimizers.Adam(epsilon=), which adds epsilon elsewhere",
    "RMSprop": "keras.optimizers.RMSprop(rho=, epsilon=)",
    "gradient": "tape.gradient(loss, variables)",
    "clipping by global norm": "global_clipnorm= of the optimiser",
    "no gradient here": "keras.ops.stop_gradient(x)",
    "one compiled step": "tf.function",
    "weights": "model.weights; kernels (in, out), HWIO",
    "copy to the target": "target.set_weights(online.get_weights())",
}


def layer(placed: Placed, precision: str) -> tuple[str, list[str]]:
    """A layer's constructor ('' for none) and, where there is none, the lines that stand for it."""
    kind, name, settings = placed.layer.kind, placed.name, placed.layer
    stored, compute = dtypes(precision)
    policy = stored if compute == stored or placed.is_precise else f"mixed_{compute}"
    rest = ("" if policy == "float32" else f'dtype="{policy}", ') + f'name="{name}"'  # float32 is the default
    if kind == "conv":
        sides = f"{settings.filters}, {settings.kernel}, {settings.stride}"
        return f'layers.Conv2D({sides}, padding="valid", activation="{settings.activation}", {rest})', []
    if kind == "dense":
        return f'layers.Dense({settings.units}, activation="{settings.activation}", {rest})', []
    if kind == "flatten":
        return f"layers.Flatten({rest})", []
    if kind == "difference":
        return "", ["older, newer = ops.split(x, 2, axis=-1)", "x = newer - older"]
    if kind == "frame_and_difference":
        joined = f"x = ops.concatenate([{frame_beside(placed.layer)}], axis=-1)"
        return "", ["older, newer = ops.split(x, 2, axis=-1)", joined]
    return constructor("keras", placed, (f'"{policy}"', f'"{name}"'), (f'"{policy}"',)), []


def entrance(network: Network, precision: str) -> list[str]:
    """From the observations to what the first layer takes."""
    observation, compute = network.observation.main, dtypes(precision)[1]
    lines = []
    if observation.is_picture:
        axes = (0, 2, 3, 1) if len(observation.shape) == 3 else (0, 2, 3, 1, 4)
        lines.append(f"x = ops.transpose(x, {axes})")
    if len(observation.shape) == 4:
        lines.append(f"x = ops.reshape(x, (-1, *{observation.picture_shape}))")
    if observation.dtype == "uint8":
        lines.append(f'x = ops.cast(x, "{compute}")')
    return lines


PARTS_NET = """
class PartsNet(keras.Model):
    def __call__(self, obs):  # a dict
        return super().__call__([obs[name] for name in OBSERVATION])
"""


def network(network: Network, precision: str) -> str:
    """The model, with each layer's output shape."""
    if network.unrolls:
        return memory_network(network, precision)
    observation, (stored, _) = network.observation, dtypes(precision)
    inputs = [f'{name!r}: keras.Input({p.shape}, dtype="{p.taken(stored)}")' for name, p in observation.named]
    if observation.is_several:
        lines = [f"obs = {{{', '.join(inputs)}}}", f"x = obs[{observation.main_name!r}]"]
    else:
        lines = [f'obs = x = keras.Input({observation.shape}, dtype="{observation.main.taken(stored)}")']
    lines += entrance(network, precision)
    for index, placed in enumerate(network.placed()):
        made_by, written = layer(placed, precision)
        lines += ["x = x / 255"] if index == network.scale_at else []
        lines += joined(network, placed, precision)
        lines += [f"x = {made_by}(x)"] if made_by else written
        lines[-1] += f"  # {('B', *placed.output_shape)}".replace("'", "")
    several = network.observation.is_several
    made = "PartsNet(list(obs.values()), x)" if several else "keras.Model(obs, x)"
    text = "\n".join(["def make_net():", *(f"    {line}" for line in [*lines, f"return {made}"])])
    return f"{PARTS_NET.strip()}\n\n\n{text}" if several else text


def joined(network: Network, placed: Placed, precision: str) -> list[str]:
    """The line that concatenates the parts which join before a layer."""
    stored, compute = dtypes(precision)
    dtype = stored if placed.is_precise else compute
    parts = network.observation.parts
    others = [
        f'ops.cast(obs[{name!r}], "{dtype}")' + " / 255" * (parts[name].dtype == "uint8") for name in placed.joined
    ]
    return [f'x = ops.concatenate([ops.cast(x, "{dtype}"), {", ".join(others)}], axis=1)'] if others else []


def asked(network: Network, placed: Placed, dtype: str) -> list[str]:
    """The part of the observation that a memory is given beside x, if it asks for one."""
    if placed.part is None:
        return []
    scaled = " / 255" * (network.observation.parts[placed.part].dtype == "uint8")
    return [f'ops.reshape(ops.cast(obs[{placed.part!r}], "{dtype}"){scaled}, (steps, batch, -1))']


def memory_network(network: Network, precision: str) -> str:
    """The model of a network that takes sequences and a state."""
    observation, (stored, _) = network.observation, dtypes(precision)
    made = [f'super().__init__(dtype="{stored}", autocast=False)']
    applied = ["steps, batch = reset.shape"]
    if observation.is_several:
        applied.append("obs = {name: ops.reshape(part, (-1, *part.shape[2:])) for name, part in obs.items()}")
        applied.append(f"x = obs[{observation.main_name!r}]")
    else:
        applied.append("x = ops.reshape(obs, (-1, *obs.shape[2:]))  # [T, B, ...] to [T * B, ...]")
    applied += [f"states = tf.split(state, {network.state_sizes}, axis=1)"] if network.state_sizes else []
    applied += entrance(network, precision)
    after: list[str] = []
    for index, placed in enumerate(network.placed()):
        made_by, written = layer(placed, precision)
        made += [f"self.{placed.name} = {made_by}"] if made_by else []
        applied += ["x = x / 255"] if index == network.scale_at else []
        applied += joined(network, placed, precision)
        if placed.state_size is not None:
            number = len(after)
            after.append(f"after_{number}")
            applied.append(f"x = ops.reshape(x, (steps, batch, *{placed.input_shape}))")
            given = ["x", f"states[{number}]", "reset", *asked(network, placed, stored)]
            applied.append(f"x, after_{number} = self.{placed.name}({', '.join(given)})")
            applied.append(f"x = ops.reshape(x, (-1, *{placed.output_shape}))")
        else:
            applied += [f"x = self.{placed.name}(x)"] if made_by else written
        applied[-1] += f"  # {('T * B', *placed.output_shape)}".replace("'", "")
    seen = {name: f'np.zeros({(1, 1, *p.shape)}, "{p.taken(stored)}")' for name, p in observation.named}
    several = "{" + ", ".join(f"{name!r}: {zeros}" for name, zeros in seen.items()) + "}"
    obs = several if observation.is_several else seen[observation.main_name]
    state_zeros = f'np.zeros({(1, sum(network.state_sizes))}, "{stored}")'
    made.append(f"self({obs}, {state_zeros}, np.ones((1, 1), bool))  # makes the weights")
    state = f"tf.concat([{', '.join(after)}], axis=1)" if after else "state"
    applied.append(f"return ops.reshape(x, (steps, batch, {list(network.placed())[-1].output_shape[0]})), {state}")
    return "\n".join(
        [
            "class Net(keras.Model):",
            "    def __init__(self):",
            *(f"        {text}" for text in made),
            "",
            "    def call(self, obs, state, reset):",
            *(f"        {text}" for text in applied),
        ]
    )


def make_optimiser(spec: Any) -> str:
    """The optimiser's constructor."""
    if spec.kind == "rmsprop":
        return f"ExactRMSprop({spec.learning_rate}, {spec.decay}, epsilon={spec.epsilon})"
    return f"ExactAdam({spec.learning_rate}, {spec.beta_1}, {spec.beta_2}, {spec.epsilon})"


def update(optimiser: Optimiser, precision: str, unrolls: bool) -> str:
    """Optimiser, target and one update; `weights` and `loss` stand above it."""
    given, taken = ("obs, state, reset", "[0]") if unrolls else ("obs", "")
    make = "Net" if unrolls else "make_net"
    return f'''def to_device(array):
    if isinstance(array, dict):  # observations of several parts
        return {{name: tf.constant(part) for name, part in array.items()}}
    return tf.constant(array)


def set_weights(net, weights):
    for layer in net.layers:
        for variable in layer.weights:
            variable.assign(weights[f"{{layer.name}}/{{variable.name}}"])


online, target = {make}(), {make}()
set_weights(online, weights)
target.set_weights(online.get_weights())
optimiser = {make_optimiser(optimiser)}
optimiser.build(online.trainable_variables)
optimiser.since = [0] * len(online.trainable_variables)  # nothing was ever frozen
forward = tf.function(online)


def outputs({given}):
    return forward(*map(to_device, ({given},))){taken}.numpy()


@tf.function
def step(batch, learning_rate):
    with tf.GradientTape() as tape:
        value, _ = loss(xp, online, target, batch)
    variables = online.trainable_variables
    gradients, _ = clip_by_global_norm(tape.gradient(value, variables), {optimiser.max_norm})
    optimiser.rate = learning_rate
    optimiser.apply(gradients, variables)
    return value


def update(batch, learning_rate={optimiser.learning_rate}):
    batch = type(batch)(*map(to_device, batch))
    return step(batch, tf.constant(learning_rate, "{dtypes(precision)[0]}")).numpy()'''
