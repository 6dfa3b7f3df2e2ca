"""The rungs: each takes frameworks and raises AssertionError naming framework, tensor and step.

`test_ladder` runs them on what is shipped; `test_mutations` patches what is shipped and expects them
to fail. float64 is the proof. NumPy is the oracle as far as it reaches; gradients are checked in
PyTorch against finite differences, and in the others against PyTorch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from triptych import frameworks
from triptych.algorithms import dqn
from triptych.spec import (
    Adam,
    Conv,
    Dense,
    Flatten,
    FrameAndDifference,
    FrameDifference,
    Layer,
    Network,
    Observation,
    Optimiser,
    Part,
    RMSprop,
    each,
    parts_of,
    whole_of,
)
from triptych.spec.batches import Transition
from triptych.spec.weights import initial_weights

NAMES = tuple(frameworks.FRAMEWORKS)
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "linear": lambda x: x,
}
BATCH = 8
PICTURE = Observation((3, 20, 20), "uint8")
COLOUR = Observation((2, 9, 8, 3), "uint8")
VECTOR = Observation((5,), "float32")
BOTH = Observation.of(
    {"picture": Part((3, 20, 20), "uint8"), "speed": Part((2,), "float32"), "hand": Part((3,), "uint8")}
)  # the two vectors join in the order hand, speed
PICTURE_BODY: tuple[Layer, ...] = (Conv(4, 6, 2), Conv(3, 3, 1), Flatten(), Dense(7))
VECTOR_BODY: tuple[Layer, ...] = (Dense(16), Dense(16))
ACTIONS = 3
CONFIG = dqn.Config(batch_size=BATCH, delta=0.1)  # a delta that float32 cannot hold, and that errors pass


def close(framework: str, name: str, ours: Any, theirs: Any, tolerance: float = 1e-9, step: int = 0) -> None:
    """Asserts that two arrays agree, relative to the larger one's largest entry."""
    a, b = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    assert a.shape == b.shape, f"{framework}: {name} has shape {a.shape}, expected {b.shape}"
    assert np.isfinite(a).all(), f"{framework}: {name} is not finite at step {step}"
    size = max(np.abs(a).max(initial=0), np.abs(b).max(initial=0), 1e-3)
    gap = np.abs(a - b).max(initial=0) / size
    assert gap <= tolerance, f"{framework}: {name} differs by {gap:.1e} at step {step}"


def make_net(observation: Observation) -> Network:
    body = PICTURE_BODY if observation.is_picture else VECTOR_BODY
    return dqn.network(CONFIG, observation, body, ACTIONS)


def make_weights(network: Network, seed: int = 0) -> dict[str, np.ndarray]:
    """Seeded weights whose biases are not 0, so that a lost bias shows."""
    rng = np.random.default_rng(seed)
    weights = initial_weights(network, rng)
    return {name: array + 0.05 * rng.standard_normal(array.shape) for name, array in weights.items()}


def make_batch(observation: Observation, rng: np.random.Generator, precision: str = "float64") -> Transition:

    def array(part: Part) -> np.ndarray:
        if part.dtype == "uint8":
            return rng.integers(0, 256, (BATCH, *part.shape), dtype=np.uint8)
        return rng.standard_normal((BATCH, *part.shape)).astype(precision)

    def obs() -> Any:
        return each(array, whole_of(observation.parts))

    return Transition(
        obs=obs(),
        action=rng.integers(ACTIONS, size=BATCH, dtype=np.int32),
        reward=rng.standard_normal(BATCH).astype(precision),
        discount=(0.99 * (rng.random(BATCH) < 0.8)).astype(precision),
        next_obs=obs(),
        weight=(0.5 + rng.random(BATCH) / 2).astype(precision),
    )


@cache
def is_green(rung: Callable[..., None], *given: Any) -> None:
    """That a rung holds on what is shipped, before mutations of it turn it red: asked once in a process for all of them."""
    rung(*given)


def make_learner(
    framework: str,
    observation: Observation,
    optimiser: Optimiser | None = None,
    precision: str = "float64",
    config: dqn.Config = CONFIG,
) -> Any:
    network = make_net(observation)
    loss = dqn.make_loss(config)
    return frameworks.load(framework).Learner(network, loss, optimiser or Adam(), make_weights(network), precision)


def numpy_forward(network: Network, weights: dict[str, np.ndarray], obs: Any) -> np.ndarray:
    """The oracle's network: sliding windows and products, nothing else; numbers stand behind the first vector, by name."""
    parts = {
        name: part.astype(np.float64) / (255 if part.dtype == np.uint8 else 1) for name, part in parts_of(obs).items()
    }
    x = parts.pop(next((name for name, part in parts.items() if part.ndim > 2), min(parts)))
    if x.ndim > 2:
        # Frames one after the other, the three colours of each side by side.
        x = np.concatenate([frame[..., None] if frame.ndim == 3 else frame for frame in np.moveaxis(x, 1, 0)], axis=-1)
    for placed in network.placed():
        layer = placed.layer
        if x.ndim == 2 and parts:
            x = np.concatenate([x, *(parts.pop(name) for name in sorted(parts))], axis=1)
        if isinstance(layer, Conv):
            windows = np.lib.stride_tricks.sliding_window_view(x, (layer.kernel, layer.kernel), axis=(1, 2))
            windows = windows[:, :: layer.stride, :: layer.stride]  # [B, H, W, C, k, k]
            x = np.einsum("bhwckl,klcf->bhwf", windows, weights[f"{placed.name}/kernel"])
            x = x + weights[f"{placed.name}/bias"]
        elif isinstance(layer, Flatten):
            x = x.reshape(len(x), -1)
        elif isinstance(layer, FrameAndDifference):
            half = x.shape[-1] // 2
            # After the scale: pixels of 0 to 1, so what is white in the newer picture is 0.
            newer, gains = x[..., half:], (layer.picture_gain, layer.difference_gain)
            x = np.concatenate([gains[0] * (1 - newer), gains[1] * (newer - x[..., :half])], -1)
        elif isinstance(layer, FrameDifference):
            half = x.shape[-1] // 2
            x = x[..., half:] - x[..., :half]
        else:
            x = x @ weights[f"{placed.name}/kernel"] + weights[f"{placed.name}/bias"]
        x = ACTIVATIONS[layer.activation](x)
    return x


def check_layer(framework: str) -> None:
    """Each layer alone, against the oracle."""
    rng = np.random.default_rng(2)
    cases: list[tuple[Observation, tuple[Layer, ...]]] = [
        (PICTURE, (Flatten(), Dense(4, "linear"))),
        (PICTURE, (Conv(4, 5, 3), Flatten())),
        (PICTURE, (Conv(4, 3, 1, "linear"), Flatten())),
        (COLOUR, (Conv(4, 3, 2, "linear"), Flatten())),
        (COLOUR, (FrameDifference(), Flatten(), Dense(4, "linear"))),
        (Observation((2, 7, 6), "uint8"), (FrameDifference(), Flatten(), Dense(4, "linear"))),
        (COLOUR, (FrameAndDifference(), Flatten(), Dense(4, "linear"))),
        (Observation((2, 7, 6), "uint8"), (FrameAndDifference(4.0, 16.0), Conv(3, 2), Flatten(), Dense(4, "linear"))),
        (VECTOR, (Dense(6),)),
        (VECTOR, (Dense(6, "linear"),)),
    ]
    for observation, layers in cases:
        network = Network(observation, layers)
        weights = make_weights(network)
        learner = frameworks.load(framework).Learner(network, dqn.make_loss(CONFIG), Adam(), weights, "float64")
        obs = make_batch(observation, rng).obs
        close(framework, f"layer {layers[0]}", learner.act(obs)[0], numpy_forward(network, weights, obs))


def check_network(framework: str) -> None:
    """The whole network, pictures and vectors and both, acting."""
    for observation in (PICTURE, VECTOR, BOTH):
        network = make_net(observation)
        obs = make_batch(observation, np.random.default_rng(3)).obs
        learner = make_learner(framework, observation)
        outputs = numpy_forward(network, make_weights(network), obs)
        close(framework, "network outputs", learner.act(obs)[0], outputs)
        assert (outputs < 0).any(), "the oracle's Q values show no negative one: the test would miss a ReLU head"


def numpy_loss(
    observation: Observation, online: dict, target: dict, batch: Transition, config: dqn.Config = CONFIG
) -> tuple[Any, Any]:
    """DQN's loss as its paper has it, written out once more: the shipped one is what is tested."""
    network, index = make_net(observation), np.arange(BATCH)
    q = numpy_forward(network, online, batch.obs)
    value = numpy_forward(network, target, batch.next_obs)
    selector = numpy_forward(network, online, batch.next_obs) if config.double else value
    bootstrap = value[index, selector.argmax(axis=1)]
    error = batch.reward + batch.discount * bootstrap - q[index, batch.action]
    size, delta = np.abs(error), config.delta
    each = np.where(size <= delta, 0.5 * error**2, delta * (size - 0.5 * delta))
    if config.loss == "squared":
        each = error**2
    loss = (batch.weight * each).mean()
    return loss, (error, {"q_mean": q.max(axis=1).mean(), "td_error_mean": size.mean()})


def check_loss(framework: str) -> None:
    """Loss, TD errors and scalars of one batch, with a target that differs from the online network."""
    double, squared = dataclasses.replace(CONFIG, double=True), dataclasses.replace(CONFIG, loss="squared")
    cases = ((PICTURE, CONFIG), (VECTOR, CONFIG), (BOTH, CONFIG), (VECTOR, double), (VECTOR, squared))
    for observation, config in cases:
        batch = make_batch(observation, np.random.default_rng(4))
        online, target = make_weights(make_net(observation), 7), make_weights(make_net(observation), 8)
        learner = make_learner(framework, observation, config=config)
        learner.set_weights(target)
        learner.sync_target()
        learner.set_weights(online)
        aux = learner.update(batch, 0.0)
        loss, (td_error, scalars) = numpy_loss(observation, online, target, batch, config)
        close(framework, "loss", aux["loss"], loss)
        close(framework, "td_error", aux["td_error"], td_error)
        for name, value in scalars.items():
            close(framework, name, aux[name], value)


def gradients(framework: str, observation: Observation, max_norm: float | None = None) -> tuple[dict[str, Any], float]:
    """Gradients by neutral name after one update, and the norm it reported."""
    adam = Adam(max_norm=max_norm)
    learner = make_learner(framework, observation, adam)
    aux = learner.update(make_batch(observation, np.random.default_rng(5)), 0.0)
    return gradients_of(learner, adam), float(aux["gradient_norm"])


def against_differences(
    framework: str, label: str, found: dict[str, Any], weights: dict[str, Any], loss: Callable[[dict[str, Any]], float]
) -> None:
    """One entry of each tensor's gradient against the finite difference of a loss of the weights."""
    rng = np.random.default_rng(6)
    for name, gradient in found.items():
        index = tuple(rng.integers(side) for side in gradient.shape)
        ups = []
        for sign in (1, -1):
            moved = {k: v.copy() for k, v in weights.items()}
            moved[name][index] += sign * 1e-6
            ups.append(loss(moved))
        close(framework, f"{label}gradient of {name}{index}", gradient[index], (ups[0] - ups[1]) / 2e-6, 2e-6)


def loss_of(observation: Observation, target: dict[str, Any], batch: Transition, online: dict[str, Any]) -> float:
    return numpy_loss(observation, online, target, batch)[0]


def gradients_of(learner: Any, adam: Adam) -> dict[str, Any]:
    """Gradients by neutral name, read from Adam's first moment after one update."""
    moments = {k: v for k, v in learner.get_state().items() if k.startswith("adam/m/")}
    return {name.removeprefix("adam/m/"): m / (1 - adam.beta_1) for name, m in moments.items()}


def check_gradient(framework: str) -> None:
    """Gradients against finite differences of the oracle's loss at some weights, and the clipped norm."""
    for observation in (PICTURE, VECTOR, BOTH):
        batch = make_batch(observation, np.random.default_rng(5))
        network = make_net(observation)
        weights = make_weights(network)
        found, norm = gradients(framework, observation)
        total = np.sqrt(sum(np.square(g).sum() for g in found.values()))
        close(framework, "gradient norm", norm, total)
        loss = partial(loss_of, observation, weights, batch)
        against_differences(framework, "", found, weights, loss)
        clipped, reported = gradients(framework, observation, max_norm=total / 3)
        close(framework, "norm before clipping", reported, total)
        for name, gradient in clipped.items():
            close(framework, f"clipped gradient of {name}", gradient, found[name] / 3)


def check_halves(framework: str) -> None:
    """`gradients` and then `apply` is `update`: to the bit where nothing is compiled, else within 1e-12."""
    tolerance = 0 if framework == "torch" else 1e-12
    cases = [(PICTURE, Adam(max_norm=0.05)), (VECTOR, Adam(max_norm=0.05)), (VECTOR, RMSprop(max_norm=0.05))]
    for observation, optimiser in cases:
        whole, halves = (make_learner(framework, observation, optimiser) for _ in range(2))
        rng = np.random.default_rng(21)
        for step in range(1, 4):
            batch, rate, before = make_batch(observation, rng), 1e-2 / step, halves.get_state()
            found, aux = halves.gradients(batch)
            for name, value in halves.get_state().items():
                close(framework, f"{name} after gradients alone", value, before[name], 0, step)
            for gradient in found.values():
                gradient.flags.writeable = False  # as they come out of another process
            norm, wanted = halves.apply(found, rate), whole.update(batch, rate)
            close(framework, "gradient norm", norm, wanted["gradient_norm"], tolerance, step)
            assert float(norm) > 0.05, f"{framework}: nothing is clipped"
            assert aux.keys() == wanted.keys() - {"gradient_norm"}, f"{framework}: {sorted(aux)}"
            for name, value in aux.items():
                close(framework, name, value, wanted[name], tolerance, step)
            for name, value in whole.get_state().items():
                close(framework, name, halves.get_state()[name], value, tolerance, step)


def check_gradients(names: tuple[str, ...]) -> None:
    """Each framework's own gradients are those that its update takes in, and those of the first framework."""
    for observation in (PICTURE, VECTOR):
        batch, adam = make_batch(observation, np.random.default_rng(22)), Adam(max_norm=None)
        reference: dict[str, Any] = {}
        for name in names:
            learner = make_learner(name, observation, adam)
            found, _ = learner.gradients(batch)
            learner.update(batch, 0.0)
            for tensor, taken in gradients_of(learner, adam).items():
                close(name, f"gradient of {tensor}", found[tensor], taken, 1e-12)
                close(name, f"gradient of {tensor}", found[tensor], reference.setdefault(tensor, found[tensor]))


def check_update(framework: str, updates: int = 3) -> None:
    """Adam as published, in NumPy, over some updates with moving learning rate, from the learner's own gradients."""
    adam = Adam(learning_rate=1e-2, epsilon=1e-3, max_norm=None)
    learner = make_learner(framework, VECTOR, adam)
    rng = np.random.default_rng(9)
    before = learner.get_state()
    for t in range(1, updates + 1):
        rate = 1e-2 / t
        learner.update(make_batch(VECTOR, rng), rate)
        after = learner.get_state()
        assert int(after["adam/step"]) == t, f"{framework}: step is {after['adam/step']}, expected {t}"
        for name in make_net(VECTOR).tensors():
            m, v = after[f"adam/m/{name}"], after[f"adam/v/{name}"]
            g = (m - adam.beta_1 * before[f"adam/m/{name}"]) / (1 - adam.beta_1)
            second = adam.beta_2 * before[f"adam/v/{name}"] + (1 - adam.beta_2) * g**2
            close(framework, f"adam/v/{name}", v, second, step=t)
            m_hat, v_hat = m / (1 - adam.beta_1**t), v / (1 - adam.beta_2**t)
            expected = before[f"online/{name}"] - rate * m_hat / (np.sqrt(v_hat) + adam.epsilon)
            close(framework, f"online/{name}", after[f"online/{name}"], expected, step=t)
            close(framework, f"target/{name}", after[f"target/{name}"], before[f"target/{name}"], 0, step=t)
        before = after


def check_rmsprop(framework: str, updates: int = 3) -> None:
    """RMSprop as published, in NumPy, over some updates with moving learning rate and a norm that is cut."""
    spec = RMSprop(learning_rate=1e-2, decay=0.9, epsilon=1e-3, max_norm=0.05)
    learner = make_learner(framework, VECTOR, spec)
    rng = np.random.default_rng(9)
    for t in range(1, updates + 1):
        batch, rate, before = make_batch(VECTOR, rng), 1e-2 / t, learner.get_state()
        gradients, _ = learner.gradients(batch)
        norm = np.sqrt(sum(np.square(g).sum() for g in gradients.values()))
        assert norm > spec.max_norm, f"{framework}: nothing is clipped"
        close(framework, "gradient norm", learner.update(batch, rate)["gradient_norm"], norm, step=t)
        after = learner.get_state()
        assert {name.split("/")[1] for name in after if name.startswith("rmsprop/")} == {"step", "v"}
        assert int(after["rmsprop/step"]) == t, f"{framework}: step is {after['rmsprop/step']}, expected {t}"
        for name, gradient in gradients.items():
            g = gradient * (spec.max_norm / norm)
            v = spec.decay * before[f"rmsprop/v/{name}"] + (1 - spec.decay) * g**2
            close(framework, f"rmsprop/v/{name}", after[f"rmsprop/v/{name}"], v, step=t)
            expected = before[f"online/{name}"] - rate * g / np.sqrt(v + spec.epsilon)
            close(framework, f"online/{name}", after[f"online/{name}"], expected, step=t)


def check_stream(
    names: tuple[str, ...],
    updates: int,
    observation: Observation = VECTOR,
    target_every: int = 50,
    optimiser: Optimiser | None = None,
) -> None:
    """Every framework on one stream of batches: losses and all tensors agree at each target copy."""
    optimiser = optimiser or Adam(learning_rate=1e-3)
    learners = {name: make_learner(name, observation, optimiser) for name in names}
    streams = {name: np.random.default_rng(10) for name in names}
    reference = names[0]
    for update in range(1, updates + 1):
        losses = {n: float(learners[n].update(make_batch(observation, streams[n]), 1e-3)["loss"]) for n in names}
        for name in names[1:]:
            close(name, "loss", losses[name], losses[reference], step=update)
        if update % target_every == 0:
            for learner in learners.values():
                learner.sync_target()
            states = {name: learner.get_state() for name, learner in learners.items()}
            for name in names[1:]:
                for tensor, value in states[reference].items():
                    close(name, tensor, states[name][tensor], value, step=update)


def check_target(framework: str) -> None:
    """The target is a copy at step 0, stands still while the network learns, and is a copy again after a sync."""
    learner = make_learner(framework, VECTOR)
    rng = np.random.default_rng(11)

    def distance() -> float:
        state = learner.get_state()
        return max(np.abs(state[f"online/{n}"] - state[f"target/{n}"]).max() for n in make_net(VECTOR).tensors())

    assert distance() == 0, f"{framework}: the target is not the online network at step 0"
    for _ in range(2):
        learner.update(make_batch(VECTOR, rng), 1e-2)
    assert distance() > 0, f"{framework}: the target moves with the online network"
    learner.sync_target()
    assert distance() == 0, f"{framework}: the target is not the online network after a copy"
    learner.update(make_batch(VECTOR, rng), 1e-2)
    assert distance() > 0, f"{framework}: the target shares the online network's storage"


def check_bfloat16(framework: str) -> None:
    """Values as near as 8 bits allow and no nearer; weights, moments, head and loss stay float32."""
    for observation in (VECTOR, PICTURE):
        batch = make_batch(observation, np.random.default_rng(1), "float32")
        found = {}
        for precision in ("float32", "bfloat16"):
            learner = make_learner(framework, observation, Adam(), precision)
            values = learner.act(batch.obs)[0]
            assert values.dtype == np.float32
            aux = learner.update(batch, 1e-3)
            assert np.asarray(aux["loss"]).dtype == np.float32
            state = learner.get_state()
            assert {array.dtype.name for array in state.values()} == {"float32", "int64"}
            found[precision] = (values, float(aux["loss"]), state["adam/m/head/kernel"])
        for exact, rounded in zip(found["float32"], found["bfloat16"], strict=True):
            distance, scale = float(np.abs(np.asarray(exact) - rounded).max()), float(np.abs(exact).max())
            assert 1e-6 * scale < distance < 0.05 * scale, (framework, observation.shape, distance / scale)


def check_parts(framework: str) -> None:
    """A picture and vectors: forward and loss against the oracle, gradients against its differences, and sequences."""
    rng = np.random.default_rng(21)
    network, weights = make_net(BOTH), make_weights(make_net(BOTH))
    learner, batch = make_learner(framework, BOTH), make_batch(BOTH, rng)
    close(framework, "outputs of parts", learner.act(batch.obs)[0], numpy_forward(network, weights, batch.obs))
    found, aux = learner.gradients(batch)
    close(framework, "loss of parts", aux["loss"], numpy_loss(BOTH, weights, weights, batch)[0])
    against_differences(framework, "", found, weights, partial(loss_of, BOTH, weights, batch))
    unrolled = dataclasses.replace(network, unrolls=True)
    learner = frameworks.load(framework).Learner(unrolled, dqn.make_loss(CONFIG), Adam(), weights, "float64")
    given = learner.act(batch.obs, np.zeros((BATCH, 0)), np.ones(BATCH, bool))[0]
    close(framework, "outputs of sequences of parts", given, numpy_forward(network, weights, batch.obs))
    vectors = Observation.of({"b": Part((3,), "float32"), "a": Part((2,), "float32")})
    obs = make_batch(vectors, rng).obs
    weights = make_weights(make_net(vectors))
    outputs = make_learner(framework, vectors).act(obs)[0]
    close(framework, "outputs of vectors", outputs, numpy_forward(make_net(vectors), weights, obs))
