"""What chance and rounding explain is no alarm: seeds that are drawn alike, RMSprop's steps in the order of each framework."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from triptych.checkup.monitors.seeds import NEIGHBOURS, compared
from triptych.checkup.monitors.steps import judged
from triptych.spec.optimiser import RMSprop
from triptych.utils.seeds import game_seeds

SINGLE = np.float32


def of_runs(games: int, shared: int) -> list[list[int]]:
    """The seeds of a run and of its neighbours, of which some games of the third have one of the run's."""
    seeds = [list(range(run * games, (run + 1) * games)) for run in range(NEIGHBOURS + 1)]
    seeds[3][:shared] = seeds[0][:shared]
    return seeds


@pytest.mark.parametrize(
    ("games", "shared", "told"),
    [
        (1, 1, True),
        (2, 1, True),
        (8, 1, True),
        (64, 1, False),
        (64, 2, True),
        (1_024, 2, False),
        (1_024, 3, True),
        (8, 0, False),
    ],
)
def test_seeds_that_are_shared_are_told_where_chance_does_not_explain_them(games: int, shared: int, told: bool) -> None:
    """In 2**31 seeds, 64 games and their ten neighbours share one in one run of 52,000, 1,024 games in one of 200."""
    assert [one.signal.name for one in compared(of_runs(games, shared))] == ["seeds-shared"] * told


def test_two_of_a_thousand_games_may_have_the_same_seed_by_chance() -> None:
    seeds = of_runs(1_024, 0)
    seeds[0][1] = seeds[0][0]
    assert list(compared(seeds)) == []
    assert [one.signal.name for one in compared([[7, 7, 8, 9]])] == ["games-share-a-seed"]


def test_a_seed_and_the_games_number_is_found_however_many_games_there_are() -> None:
    for games in (2, 16, 1_024):
        seeds = [[seed + game for game in range(games)] for seed in range(NEIGHBOURS + 1)]
        assert [one.signal.name for one in compared(seeds)] == ["seeds-shared"]


def test_the_seeds_that_runs_have_share_nothing() -> None:
    for seed in range(300):
        seeds = [game_seeds(seed + ahead, "games", 0, 64).tolist() for ahead in range(NEIGHBOURS + 1)]
        assert list(compared(seeds)) == []


def stepped(order: str, spec: RMSprop, rate: float, w: Any, v: Any, gradient: Any) -> tuple[Any, Any]:
    """An update in float32, in the order in which a framework multiplies and adds."""
    decay, small, rate = (SINGLE(number) for number in (spec.decay, spec.epsilon, rate))
    rest = SINGLE(1) - decay
    if order == "torch":
        v = v * decay + rest * gradient * gradient
        return w - rate * (gradient / np.sqrt(v + small)), v
    if order == "jax":
        v = rest * (gradient * gradient) + decay * v
        return w + -rate * (gradient * (SINGLE(1) / np.sqrt(v + small))), v
    v = decay * v + rest * np.square(gradient)
    return w - (rate * gradient) / np.sqrt(v + small), v


@pytest.mark.parametrize("order", ["torch", "jax", "keras"])
@pytest.mark.parametrize("decay", [0.9, 0.99, 0.999])
def test_no_look_at_a_healthy_rmsprop_is_wrong(order: str, decay: float) -> None:
    """Whatever the gradients: tiny or large, sparse, of changing size. A run alarms at any two looks, so none may be wrong."""
    rng, looks = np.random.default_rng(3), 0
    for epsilon, scale, sparse in [(1e-5, 1e-6, 0.9), (1e-5, 1e-3, 0.5), (1e-8, 1.0, 0.0), (0.1, 1e-3, 0.97)]:
        spec = RMSprop(learning_rate=7e-4, decay=decay, epsilon=epsilon, max_norm=None)
        w, v = (0.1 * rng.normal(size=(64, 32))).astype(SINGLE), np.zeros((64, 32), SINGLE)
        for _ in range(25):
            size = scale * np.exp(1.5 * rng.normal())
            gradient = (size * rng.normal(size=w.shape) * (rng.random(w.shape) >= sparse)).astype(SINGLE)
            before = {"online/a": w, "rmsprop/v/a": v}
            w, v = stepped(order, spec, 7e-4, w, v, gradient)
            found = judged(spec, before, {"online/a": w, "rmsprop/v/a": v}, 7e-4, float(np.linalg.norm(gradient)))
            assert found.wrong is None
            looks += 1
    assert looks == 100
