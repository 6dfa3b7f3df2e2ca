"""The ranges that are searched where no `--over` is given: around the recipe's own values, for each algorithm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from triptych.algorithms import ALGORITHMS
from triptych.recipes import Recipe
from triptych.recipes.values import written


def default_over(recipe: Recipe) -> tuple[str, ...]:
    """As `--over` would have them; an algorithm of one's own has those of the one that it inherits from."""
    kinds = [
        found.kind for base in type(recipe.algorithm).__mro__ for found in ALGORITHMS.values() if found.config is base
    ]
    kind = next((kind for kind in kinds if kind in OF_ALGORITHM), None)
    own = OF_ALGORITHM[kind] if kind else FAMILY[recipe.algorithm.family]
    return tuple(f"{path}={values}" for path, values in (*common(recipe), *own(recipe.algorithm)))


def common(recipe: Recipe) -> Iterator[tuple[str, str]]:
    rate, gamma = recipe.optimiser.learning_rate, float(getattr(recipe.algorithm, "gamma", 0.99))
    yield "optimiser.learning_rate", f"{rate / 10:.3g}..{rate * 10:.3g}:log"
    yield "algorithm.gamma", f"{min(0.95, gamma):g}..{max(0.999, gamma):g}"


def of_q_learning(config: Any) -> Iterator[tuple[str, str]]:
    number, unit = config.target_every
    yield "algorithm.n_step", f"1..{max(5, 2 * config.n_step)}"
    yield "algorithm.batch_size", spread(config.batch_size, 2)
    yield "algorithm.target_every", ",".join(written((one, unit)) for one in around(number, 4))


def of_actor_critic(config: Any) -> Iterator[tuple[str, str]]:
    yield "algorithm.rollout_steps", spread(config.rollout_steps, 2)  # doubled and halved it still fits minibatches
    yield "algorithm.gae_lambda", f"{min(0.9, config.gae_lambda):g}..1"
    weights = sorted({0.0, 0.001, 0.003, 0.01, 0.03, config.entropy_weight})
    yield "algorithm.entropy_weight", ",".join(f"{weight:g}" for weight in weights)


def of_ppo(config: Any) -> Iterator[tuple[str, str]]:
    yield from of_actor_critic(config)
    yield "algorithm.clip", f"{min(0.05, config.clip):g}..{max(0.3, config.clip):g}"
    yield "algorithm.epochs", f"1..{max(10, config.epochs)}"


def around(value: int, times: int) -> list[int]:
    """A whole number, what it is divided and what it is multiplied by."""
    return sorted({max(1, value // times), value, value * times})


def spread(value: int, times: int) -> str:
    return ",".join(map(str, around(value, times)))


OF_ALGORITHM = {"dqn": of_q_learning, "drqn": of_q_learning, "a2c": of_actor_critic, "ppo": of_ppo}
FAMILY = {"off-policy": of_q_learning, "on-policy": of_actor_critic}
