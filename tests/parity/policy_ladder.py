"""The rungs of the actor-critics: each takes a framework and raises AssertionError naming it, tensor and step."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.parity.ladder import against_differences, close, gradients_of, make_weights
from tests.parity.memory_oracle import unroll
from triptych import frameworks
from triptych.algorithms import ALGORITHMS, a2c, ppo
from triptych.spec import GRU, LSTM, Adam, Attention, Conv, Dense, Flatten, Layer, Network, Observation
from triptych.spec.batches import Rollout

VECTOR, PICTURE = Observation((5,), "float32"), Observation((2, 14, 13), "uint8")
ACTIONS, STEPS, GAMES = 3, 6, 4
BODIES: dict[str, tuple[Observation, tuple[Layer, ...]]] = {
    "none": (VECTOR, (Dense(7), Dense(6, initialiser="orthogonal"))),
    "tanh": (VECTOR, (Dense(7, "tanh"),)),
    "lstm": (VECTOR, (Dense(6), LSTM(5, skip=True), Dense(7))),
    "gru": (VECTOR, (Dense(6), GRU(5))),
    "attention": (VECTOR, (Dense(6), Attention(6, length=3, heads=2))),
    "pictures": (PICTURE, (Conv(3, 5, 3), Flatten(), LSTM(5))),
}
CONFIGS: dict[str, Any] = {
    "a2c": a2c.Config(rollout_steps=STEPS),
    "a2c-normalised": a2c.Config(rollout_steps=STEPS, normalise_advantages=True, loss="absolute"),
    "a2c-own-layers": a2c.Config(rollout_steps=STEPS, policy_units=(6, 4), value_units=(5,)),
    "ppo": ppo.Config(rollout_steps=STEPS, loss="huber", delta=0.4),
    "ppo-own-layers": ppo.Config(rollout_steps=STEPS, value_units=(5, 4), hidden_activation="relu"),
    "ppo-burn-in": ppo.Config(rollout_steps=STEPS, burn_in=2, normalise_advantages=False),
}


def make_net(body: str, config: Any) -> Network:
    observation, layers = BODIES[body]
    return ALGORITHMS[config.kind].network(config, observation, layers, ACTIONS)


def make_learner(framework: str, network: Network, config: Any, adam: Adam | None = None) -> Any:
    loss = {"a2c": a2c, "ppo": ppo}[config.kind].make_loss(config)  # as the module has it now: a mutation replaces it
    return frameworks.load(framework).Learner(network, loss, adam or Adam(), lively(network), "float64")


def lively(network: Network) -> dict[str, np.ndarray]:
    """Weights whose policy is far from uniform, as a hundredth of unit size would leave the entropy flat."""
    weights = make_weights(network, 7)
    return weights | {"head/policy_kernel": 50 * weights["head/policy_kernel"]}


def make_batch(network: Network, config: Any, rng: np.random.Generator) -> Rollout:
    """Episodes that begin and end within, so with steps without an action, and ratios on both sides of the clip."""
    shape, observation = (STEPS, GAMES), network.observation
    obs = (
        rng.integers(0, 256, (*shape, *observation.shape), dtype=np.uint8)
        if observation.is_picture
        else rng.standard_normal((*shape, *observation.shape))
    )
    reset = np.zeros(shape, bool)
    reset[3, 1] = reset[1, 2] = True
    mask = np.ones(shape)
    mask[2, 1] = mask[0, 2] = 0
    vector = any(isinstance(layer, LSTM | GRU) for layer in network.layers)
    state = rng.standard_normal((GAMES, sum(network.state_sizes))) * 0.5 * vector
    outputs, _ = unroll(network, lively(network), obs, state, reset)
    action = rng.integers(ACTIONS, size=shape, dtype=np.int32)
    log_probs = outputs[..., :-1] - np.log(np.exp(outputs[..., :-1]).sum(axis=2, keepdims=True))
    taken = np.take_along_axis(log_probs, action[..., None], axis=2)[..., 0]
    return Rollout(
        obs=obs,
        reset=reset,
        state=state,
        action=action,
        log_prob=taken + 0.2 * rng.standard_normal(shape),
        advantage=rng.standard_normal(shape) + 0.5,
        returns=rng.standard_normal(shape),
        mask=mask,
        entropy_weight=np.array(0.03),
        clip=np.array(0.15),
    )


def numpy_loss(
    network: Network, weights: dict, batch: Rollout, config: Any, burnt_in: dict | None = None
) -> tuple[float, dict]:
    """The loss step by step and game by game, and its parts. The burn-in runs with the weights `burnt_in`."""
    start, state = config.burn_in, batch.state
    if start:
        state = unroll(network, burnt_in or weights, batch.obs[:start], batch.state, batch.reset[:start])[1]
    outputs, _ = unroll(network, weights, batch.obs[start:], state, batch.reset[start:])
    living = [(t, game) for t in range(start, STEPS) for game in range(GAMES) if batch.mask[t, game]]
    advantages = np.array([batch.advantage[place] for place in living])
    if config.normalise_advantages:
        spread = np.sqrt(np.mean((advantages - advantages.mean()) ** 2))
        advantages = (advantages - advantages.mean()) / (spread + 1e-8)
    policy = value = entropy = kl = clipped = 0.0
    for (t, game), advantage in zip(living, advantages, strict=True):
        *logits, v = outputs[t - start, game]
        probabilities = np.exp(logits) / np.exp(logits).sum()
        now = probabilities[batch.action[t, game]]
        if config.kind == "ppo":
            ratio = now / np.exp(batch.log_prob[t, game])
            limited = min(max(ratio, 1 - float(batch.clip)), 1 + float(batch.clip))
            policy -= min(ratio * advantage, limited * advantage)
            kl += ratio - 1 - np.log(ratio)
            clipped += abs(ratio - 1) > batch.clip
        else:
            policy -= np.log(now) * advantage
        error = abs(batch.returns[t, game] - v)
        huber = 0.5 * error**2 if error <= config.delta else config.delta * (error - 0.5 * config.delta)
        value += {"squared": error**2, "absolute": error, "huber": huber}[config.loss]
        entropy -= sum(p * np.log(p) for p in probabilities)
    parts = {"policy_loss": policy, "value_loss": value, "entropy": entropy}
    parts |= {"approx_kl": kl, "clip_fraction": clipped} if config.kind == "ppo" else {}
    parts = {name: part / len(living) for name, part in parts.items()}
    total = parts["policy_loss"] + config.value_weight * parts["value_loss"]
    return total - float(batch.entropy_weight) * parts["entropy"], parts


def check_loss(framework: str, body: str, name: str) -> None:
    config = CONFIGS[name]
    network = make_net(body, config)
    batch = make_batch(network, config, np.random.default_rng(1))
    loss, parts = numpy_loss(network, lively(network), batch, config)
    aux = make_learner(framework, network, config).update(batch, 0.0)
    close(framework, f"{body} {name}: loss", aux["loss"], loss)
    for part, wanted in parts.items():
        close(framework, f"{body} {name}: {part}", aux[part], wanted)


def check_gradient(framework: str, body: str, name: str) -> None:
    """Gradients against finite differences of the oracle's loss."""
    config, adam = CONFIGS[name], Adam(max_norm=None)
    network = make_net(body, config)
    batch, weights = make_batch(network, config, np.random.default_rng(2)), lively(network)
    learner = make_learner(framework, network, config, adam)
    learner.update(batch, 0.0)
    against_differences(
        framework,
        f"{body} {name}: ",
        gradients_of(learner, adam),
        weights,
        lambda moved: numpy_loss(network, moved, batch, config, weights)[0],
    )
