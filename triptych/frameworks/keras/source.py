"""The same network, optimiser and update as `net.py` and `learner.py`, as plain Keras text for `triptych show`.

Imports no framework. A test runs the text beside the learner.
"""

from __future__ import annotations

from triptych.spec import Adam, Network, Placed, dtypes

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
COPIED = ("clip_by_global_norm", "ExactAdam")  # functions and classes of learner.py that are shown as they are

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
    "gradient": "tape.gradient(loss, variables)",
    "clipping by global norm": "global_clipnorm= of the optimiser",
    "no gradient here": "keras.ops.stop_gradient(x)",
    "one compiled step": "tf.function",
    "weights": "model.weights; kernels (in, out), HWIO",
    "copy to the target": "target.set_weights(online.get_weights())",
}


def layer(placed: Placed, precision: str) -> list[str]:
    """The lines that apply a layer to x."""
    kind, name, settings = placed.layer.kind, placed.name, placed.layer
    stored, compute = dtypes(precision)
    policy = stored if compute == stored or name == "head" else f"mixed_{compute}"
    rest = ("" if policy == "float32" else f'dtype="{policy}", ') + f'name="{name}"'  # float32 is the default
    if kind == "conv":
        sides = f"{settings.filters}, {settings.kernel}, {settings.stride}"
        return [f'x = layers.Conv2D({sides}, padding="valid", activation="{settings.activation}", {rest})(x)']
    if kind == "dense":
        return [f'x = layers.Dense({settings.units}, activation="{settings.activation}", {rest})(x)']
    if kind == "flatten":
        return [f"x = layers.Flatten({rest})(x)"]
    if kind == "difference":
        return ["older, newer = ops.split(x, 2, axis=-1)", "x = newer - older"]
    raise ValueError(f"no source for a {kind} layer")


def network(network: Network, precision: str) -> str:
    """The model, with each layer's output shape."""
    observation = network.observation
    stored, compute = dtypes(precision)
    pixels = observation.dtype == "uint8"
    applied: list[str] = []
    for index, placed in enumerate(network.placed()):
        lines = ["x = x / 255"] if index == network.scale_at else []
        applied += [f"    {text}" for text in lines + layer(placed, precision)]
        applied[-1] += f"  # {('B', *placed.output_shape)}".replace("'", "")
    first = [f'    obs = x = keras.Input({observation.shape}, dtype="{"uint8" if pixels else stored}")']
    if observation.is_picture:
        axes = (0, 2, 3, 1) if len(observation.shape) == 3 else (0, 2, 3, 1, 4)
        first.append(f"    x = ops.transpose(x, {axes})")
    if len(observation.shape) == 4:
        first.append(f"    x = ops.reshape(x, (-1, *{observation.picture_shape}))")
    if pixels:
        first.append(f'    x = ops.cast(x, "{compute}")')
    return "\n".join(["def make_net():", *first, *applied, "    return keras.Model(obs, x)"])


def update(adam: Adam, precision: str) -> str:
    """Optimiser, target and one update; `weights` and `loss` stand above it."""
    return f'''def set_weights(net, weights):
    for layer in net.layers:
        for variable in layer.weights:
            variable.assign(weights[f"{{layer.name}}/{{variable.name}}"])


online, target = make_net(), make_net()
set_weights(online, weights)
target.set_weights(online.get_weights())
optimiser = ExactAdam({adam.learning_rate}, {adam.beta_1}, {adam.beta_2}, {adam.epsilon})
optimiser.build(online.trainable_variables)
forward = tf.function(online)


def q_values(obs):
    return forward(tf.constant(obs)).numpy()


@tf.function
def step(batch, learning_rate):
    with tf.GradientTape() as tape:
        value, (td_error, scalars) = loss(xp, online, target, batch)
    variables = online.trainable_variables
    gradients, norm = clip_by_global_norm(tape.gradient(value, variables), {adam.max_norm})
    optimiser.rate = learning_rate
    optimiser.apply(gradients, variables)
    return value


def update(batch, learning_rate={adam.learning_rate}):
    batch = type(batch)(*map(tf.constant, batch))
    return step(batch, tf.constant(learning_rate, "{dtypes(precision)[0]}")).numpy()'''
