"""Memory in NumPy, one game and one step at a time, from the definitions: an episode's inputs are a list that grows."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from tests.own_memory import Average
from tests.parity.ladder import ACTIVATIONS, numpy_forward
from tests.parity.map_oracle import neural_map
from triptych.spec import (
    GRU,
    LSTM,
    RNN,
    ActorCritic,
    Attention,
    Memory,
    Network,
    NeuralMap,
    Observation,
    Stack,
    VisualAttention,
    each,
    parts_of,
)

Weights = dict[str, np.ndarray]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def softmax(x: np.ndarray) -> np.ndarray:
    return np.exp(x - x.max()) / np.exp(x - x.max()).sum()


class History:
    """What a memory knows of an episode: its inputs so far, and the vector that a recurrent one carries."""

    def __init__(self, state: np.ndarray):
        self.inputs: list[np.ndarray] = []
        self.state = state.copy()
        self.position = np.zeros(2)  # where the agent is, for those that ask


def rnn(layer: RNN, w: Weights, x: np.ndarray, history: History) -> np.ndarray:
    history.state = np.tanh(x @ w["kernel"] + w["bias"] + history.state @ w["recurrent_kernel"])
    return history.state


def gru(layer: GRU, w: Weights, x: np.ndarray, history: History) -> np.ndarray:
    h, units = history.state, layer.units
    parts = [slice(index * units, (index + 1) * units) for index in range(3)]
    inner = [x @ w["kernel"][:, part] + w["bias"][part] for part in parts]
    outer = [h @ w["recurrent_kernel"][:, part] for part in parts]
    r, z = sigmoid(inner[0] + outer[0]), sigmoid(inner[1] + outer[1])
    n = np.tanh(inner[2] + r * (outer[2] + w["recurrent_bias"]))
    history.state = (1 - z) * n + z * h
    return history.state


def lstm(layer: Any, w: Weights, x: np.ndarray, history: History) -> np.ndarray:
    units = layer.units
    h, c = history.state[:units], history.state[units:]
    gates = x @ w["kernel"] + w["bias"] + h @ w["recurrent_kernel"]
    i, f, g, o = (gates[index * units : (index + 1) * units] for index in range(4))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    history.state = np.concatenate([h, c])
    return h


def stack(layer: Stack, w: Weights, x: np.ndarray, history: History) -> np.ndarray:
    history.inputs.append(x)
    seen = history.inputs[-layer.length :]
    return np.concatenate([np.zeros(len(x))] * (layer.length - len(seen)) + seen)


def normal(w: Weights, index: int, x: np.ndarray) -> np.ndarray:
    return (x - x.mean()) / np.sqrt(x.var() + 1e-5) * w[f"norm_{index}_scale"] + w[f"norm_{index}_bias"]


def gate(w: Weights, index: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Parisotto et al. 2020, section 3.2."""
    y, d = np.maximum(y, 0), len(x)
    of_y = [w[f"gate_{index}_kernel"][:, part * d : (part + 1) * d] for part in range(3)]
    of_x = [w[f"gate_{index}_recurrent_kernel"][:, part * d : (part + 1) * d] for part in range(3)]
    r = sigmoid(y @ of_y[0] + x @ of_x[0])
    z = sigmoid(y @ of_y[1] + x @ of_x[1] - w[f"gate_{index}_bias"])
    new = np.tanh(y @ of_y[2] + (r * x) @ of_x[2])
    return (1 - z) * x + z * new


def attention(layer: Attention, w: Weights, x: np.ndarray, history: History) -> np.ndarray:
    def dense(name: str, v: np.ndarray) -> np.ndarray:
        return v @ w[f"{name}_kernel"] + w.get(f"{name}_bias", 0)

    x = dense("embed", x)
    history.inputs.append(x)
    seen = [normal(w, 1, v) for v in history.inputs[-layer.length :]]
    size, mixed = layer.units // layer.heads, []
    query, keys, values = dense("query", seen[-1]), [dense("key", v) for v in seen], [dense("value", v) for v in seen]
    for head in range(layer.heads):
        part = slice(head * size, (head + 1) * size)
        scores = [query[part] @ key[part] / np.sqrt(size) for key in keys]
        biases = w["distance_bias"][head, layer.length - len(seen) :]  # the last one is of the step itself
        chances = softmax(np.array(scores) + biases)
        mixed.append(sum(chance * value[part] for chance, value in zip(chances, values, strict=True)))
    out = dense("out", np.concatenate(mixed))
    y = gate(w, 1, x, out) if layer.gated else x + out
    down = dense("down", np.maximum(dense("hidden", normal(w, 2, y)), 0))
    return gate(w, 2, y, down) if layer.gated else y + down


def visual(layer: VisualAttention, w: Weights, x: np.ndarray, history: History) -> np.ndarray:
    places, h = x.reshape(-1, x.shape[-1]), history.state[: layer.units]
    weighed = np.tanh(places @ w["place_kernel"] + w["place_bias"] + h @ w["state_kernel"]) @ w["weight_kernel"]
    return lstm(layer, w, softmax(weighed[:, 0]) @ places, history)


def average(layer: Average, w: Weights, x: np.ndarray, history: History) -> np.ndarray:
    a = sigmoid(w["decay"])
    history.state = a * history.state + (1 - a) * x
    return history.state


STEPS: dict[type[Memory], Any] = {
    RNN: rnn,
    GRU: gru,
    LSTM: lstm,
    Stack: stack,
    Attention: attention,
    VisualAttention: visual,
    NeuralMap: neural_map,
    Average: average,
}


def unroll(
    network: Network, weights: Weights, obs: Any, start: np.ndarray | list[History], reset: np.ndarray
) -> tuple[np.ndarray, list[History]]:
    """Outputs [T, B, A] of a network with one memory or none, and what its games then know.

    `start`: state vectors [B, S], or what an unroll before gave.
    """
    histories = copy.deepcopy(start) if isinstance(start, list) else [History(row) for row in start]
    placed = list(network.placed())
    index = next((i for i, p in enumerate(placed) if isinstance(p.layer, Memory)), None)
    if index is None:
        body = Network(network.observation, network.layers[:-1])
        return np.stack(
            [above(network, placed[-1:], weights, forward_body(body, weights, step)) for step in obs]
        ), histories
    memory = placed[index]
    asked, main = memory.part, network.observation.main
    below = Network(Observation(main.shape, main.dtype) if asked else network.observation, network.layers[:index])
    own = {name.split("/")[1]: array for name, array in weights.items() if name.startswith(f"{memory.name}/")}
    outputs = []
    for t, starts in enumerate(reset):
        whole = each(lambda part, t=t: part[t], obs)
        step = parts_of(whole)[network.observation.main_name] if asked else whole
        x = forward_body(below, weights, step) if index else step.astype(np.float64)
        row = []
        for game, vector in enumerate(x):
            if starts[game]:
                histories[game] = History(np.zeros_like(histories[game].state))
            histories[game].position = whole[asked][game] if asked else np.zeros(2)
            y = STEPS[type(memory.layer)](memory.layer, own, vector, histories[game])
            row.append(np.concatenate([y, vector]) if getattr(memory.layer, "skip", False) else y)
        outputs.append(above(network, placed[index + 1 :], weights, np.stack(row)))
    return np.stack(outputs), histories


def forward_body(network: Network, weights: Weights, obs: np.ndarray) -> np.ndarray:
    """The layers below a memory; their last one is no head, so its name is the one it has in the whole network."""
    last = list(network.placed())[-1]
    kind = last.layer.kind
    name = f"{kind}_{sum(layer.kind == kind for layer in network.layers)}"
    keys = last.layer.tensors(last.input_shape)
    return numpy_forward(network, weights | {f"head/{key}": weights[f"{name}/{key}"] for key in keys}, obs)


def above(network: Network, layers: list[Any], weights: Weights, x: np.ndarray) -> np.ndarray:
    """Dense layers and heads of two streams."""
    for placed in layers:
        w = {name.split("/")[1]: array for name, array in weights.items() if name.startswith(f"{placed.name}/")}
        x = ACTIVATIONS[placed.layer.activation](HEADS.get(placed.layer.kind, dense)(placed.layer, w, x))
    return x


def dense(layer: Any, w: Weights, x: np.ndarray) -> np.ndarray:
    return x @ w["kernel"] + w["bias"]


def actor_critic(layer: ActorCritic, w: Weights, x: np.ndarray) -> np.ndarray:
    both = []
    for part, units in (("policy", layer.policy_units), ("value", layer.value_units)):
        y = x
        for index in range(1, len(units) + 1):
            own = f"{part}_hidden_{index}"
            y = ACTIVATIONS[layer.hidden_activation](y @ w[f"{own}_kernel"] + w[f"{own}_bias"])
        both.append(y @ w[f"{part}_kernel"] + w[f"{part}_bias"])
    return np.concatenate(both, axis=1)


def dueling(layer: Any, w: Weights, x: np.ndarray) -> np.ndarray:
    value = np.maximum(x @ w["value_hidden_kernel"] + w["value_hidden_bias"], 0) @ w["value_kernel"] + w["value_bias"]
    hidden = np.maximum(x @ w["advantage_hidden_kernel"] + w["advantage_hidden_bias"], 0)
    advantage = hidden @ w["advantage_kernel"] + w["advantage_bias"]
    return value + advantage - advantage.mean(axis=1, keepdims=True)


HEADS = {"dueling": dueling, "actor_critic": actor_critic}
