"""The rungs of the actor-critics in each framework, and the mutations that must turn them red."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.parity import policy_ladder as ladder
from tests.parity.ladder import NAMES, close
from tests.parity.test_mutations import part
from triptych.algorithms import a2c, ppo

CASES = [
    ("none", "a2c"),
    ("lstm", "a2c-normalised"),
    ("none", "ppo"),
    ("gru", "ppo-burn-in"),
    ("attention", "ppo"),
    ("pictures", "ppo"),
    ("tanh", "a2c-own-layers"),
    ("none", "ppo-own-layers"),
]


@pytest.mark.parametrize(("body", "name"), CASES)
def test_loss(framework: str, body: str, name: str) -> None:
    ladder.check_loss(framework, body, name)


@pytest.mark.parametrize(("body", "name"), CASES)
def test_gradient(framework: str, body: str, name: str) -> None:
    ladder.check_gradient(framework, body, name)


@pytest.mark.parametrize(("body", "name"), [("lstm", "ppo"), ("none", "a2c")])
def test_a_stream_in_all_frameworks(body: str, name: str) -> None:
    """60 updates on one stream of rollouts: losses and all tensors agree."""
    config = ladder.CONFIGS[name]
    network = ladder.make_net(body, config)
    learners = {framework: ladder.make_learner(framework, network, config) for framework in NAMES}
    rng = np.random.default_rng(5)
    for update in range(1, 61):
        batch = ladder.make_batch(network, config, rng)
        losses = {framework: float(learner.update(batch, 1e-3)["loss"]) for framework, learner in learners.items()}
        for framework in NAMES[1:]:
            close(framework, f"{body}: loss", losses[framework], losses[NAMES[0]], step=update)
    states = {framework: learner.get_state() for framework, learner in learners.items()}
    for framework in NAMES[1:]:
        for tensor, value in states[NAMES[0]].items():
            close(framework, tensor, states[framework][tensor], value)


def entropy_has_no_gradient(framework: str) -> tuple[Any, str, Any]:
    keep = a2c.entropy
    return a2c, "entropy", lambda xp, log_probs: keep(xp, xp.stop_gradient(log_probs))


def deviation_divides_by_n_minus_1(framework: str) -> tuple[Any, str, Any]:
    def normalised(xp: Any, x: Any, mask: Any) -> Any:
        centred = x - a2c.masked_mean(xp, x, mask)
        return centred / (xp.sqrt(xp.sum(xp.square(centred) * mask) / (xp.sum(mask) - 1)) + 1e-8)

    return a2c, "normalised", normalised


def steps_without_action_count(framework: str) -> tuple[Any, str, Any]:
    return ppo, "masked_mean", lambda xp, x, mask: xp.mean(x)


def clip_is_forgotten(framework: str) -> tuple[Any, str, Any]:
    return ppo, "clipped_surrogate", lambda xp, log_ratio, advantage, clip: xp.exp(log_ratio) * advantage


def reset_comes_a_step_late(framework: str) -> tuple[Any, str, Any]:
    keep = ppo.make_loss

    def make_loss(config: Any) -> Any:
        def late(xp: Any, online: Any, target: Any, batch: Any) -> Any:
            shifted = xp.concatenate([batch.reset[:1], batch.reset[:-1]], axis=0)
            return loss(xp, online, target, batch._replace(reset=shifted))

        loss = keep(config)
        return late

    return ppo, "make_loss", make_loss


def own_layers_have_no_activation(framework: str) -> tuple[Any, str, Any]:
    def stream(self: Any, name: str, x: Any) -> Any:
        for index in range(1, len(getattr(self.spec, f"{name}_units")) + 1):
            x = self.dense(f"{name}_hidden_{index}", x)
        return self.dense(name, x)

    return part(framework, "layers").ActorCriticHead, "stream", stream


def changed_part(name: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[str], Any]:
    """A mutation of what PPO reports: `change(parts)` in place of some of it."""

    def mutation(framework: str) -> tuple[Any, str, Any]:
        keep = ppo.make_loss

        def make_loss(config: Any) -> Any:
            def loss(xp: Any, *given: Any) -> Any:
                total, (error, parts) = keep(config)(xp, *given)
                return total, (error, parts | change(parts))

            return loss

        return ppo, "make_loss", make_loss

    mutation.__name__ = name
    return mutation


turned = changed_part("divergence_with_its_sign_turned", lambda parts: {"approx_kl": -parts["approx_kl"]})
within = changed_part("share_within_the_clip", lambda parts: {"clip_fraction": 1 - parts["clip_fraction"]})
MUTATIONS: list[tuple[Callable[..., None], str, str, Callable[[str], Any]]] = [
    (ladder.check_gradient, "none", "a2c", entropy_has_no_gradient),
    (ladder.check_loss, "lstm", "a2c-normalised", deviation_divides_by_n_minus_1),
    (ladder.check_loss, "none", "ppo", steps_without_action_count),
    (ladder.check_loss, "none", "ppo", clip_is_forgotten),
    (ladder.check_loss, "pictures", "ppo", reset_comes_a_step_late),
    (ladder.check_loss, "tanh", "a2c-own-layers", own_layers_have_no_activation),
    (ladder.check_loss, "none", "ppo", turned),
    (ladder.check_loss, "none", "ppo", within),
]


@pytest.mark.parametrize(("rung", "body", "name", "mutation"), MUTATIONS, ids=[m.__name__ for *_, m in MUTATIONS])
def test_mutation_turns_its_rung_red(
    rung: Callable[..., None],
    body: str,
    name: str,
    mutation: Callable[[str], Any],
    framework: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rung(framework, body, name)
    monkeypatch.setattr(*mutation(framework))
    with pytest.raises(AssertionError, match=framework):
        rung(framework, body, name)
