"""First weights against what their layers say: those that are drawn so, and others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from triptych import envs
from triptych.checkup.probes.initial import differs, first_weights
from triptych.recipes import BUILT_IN, load_recipe
from triptych.spec.weights import initial_weights

KINDS = ("glorot_uniform", "fan_in_uniform", "orthogonal", "blocks")


def drawn(kind: str, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """As the papers have it."""
    fan_in, receptive = int(np.prod(shape[:-1])), int(np.prod(shape[:-2]))
    if kind == "glorot_uniform":
        limit = (6 / (receptive * (shape[-2] + shape[-1]))) ** 0.5
        return rng.uniform(-limit, limit, shape)
    if kind == "fan_in_uniform":
        return rng.uniform(-1, 1, shape) / fan_in**0.5
    if kind == "blocks":
        return np.concatenate([np.linalg.qr(rng.normal(size=(shape[0], shape[0])))[0] for _ in range(3)], axis=1)
    u, _, v = np.linalg.svd(rng.normal(size=(fan_in, shape[-1])), full_matrices=False)
    return (2**0.5 * u @ v).reshape(shape)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(4, 12), (64, 64), (3, 3, 8, 16)])
def test_kernels_as_their_initialiser_draws_them_are_right_and_others_are_not(kind: str, shape: Any) -> None:
    if kind == "blocks":
        shape = (shape[-2], 3 * shape[-2])
    for seed in range(20):
        kernel = drawn(kind, np.random.default_rng(seed), shape)
        assert differs(kernel, kind) is None
        for other in (3 * kernel, np.broadcast_to(kernel[..., :1], shape), 0.2 * kernel):
            assert differs(other, kind) is not None
        for another in set(KINDS[:3]) - {kind}:
            if kernel.size > 1_000 and kind != "blocks":
                assert differs(kernel, another) is not None, another


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_the_first_weights_of_every_recipe_raise_no_alarm(name: str) -> None:
    recipe = load_recipe(name)
    games = envs.make(recipe.env, 1)
    network = recipe.make_network(games.observation, games.num_actions)
    games.close()
    for seed in range(3):
        weights = {
            key: one.astype(np.float32) for key, one in initial_weights(network, np.random.default_rng(seed)).items()
        }
        learner = SimpleNamespace(get_weights=lambda weights=weights: weights)
        subject: Any = SimpleNamespace(network=network, learner=learner)
        assert list(first_weights(subject)) == []
        some = next(key for key in weights if key.endswith("kernel"))
        learner.get_weights = lambda weights=weights | {some: 2 * weights[some]}: weights  # type: ignore[misc]
        assert [one.signal.name for one in first_weights(subject)] == ["first-weights"]
