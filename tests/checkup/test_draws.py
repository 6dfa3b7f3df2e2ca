"""Samples from all that is kept, and rollouts that are learned from whole."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from triptych.checkup.audit.coverage import Coverage
from triptych.checkup.audit.draws import Draws
from triptych.checkup.audit.verdict import Unknown
from triptych.checkup.budget import UNLIMITED
from triptych.checkup.stream import fingerprints

KEPT, GAMES, STEPS = 5_000, 4, 16
Draw = Callable[[np.random.Generator, int, int], tuple[int, int]]


def evenly(rng: np.random.Generator, oldest: int, newest: int) -> tuple[int, int]:
    return int(rng.integers(oldest, newest)), int(rng.integers(GAMES))


def drawn(draw: Draw, even: bool = True, batches: int = 60, samples: int = 8, kept: int = KEPT) -> list[str]:
    """What is told of batches whose samples come from rows and games so drawn."""
    draws, rng, found = Draws(kept, GAMES, even), np.random.default_rng(0), list[str]()
    for number in range(batches):
        stream: Any = SimpleNamespace(count=400 + 200 * number)
        newest = stream.count - 1
        draws.see(stream, [draw(rng, max(0, newest - kept), newest) for _ in range(samples)])
        found += [differs.measured for differs in draws.judge()]
    return found


def test_samples_that_are_drawn_from_all_that_is_kept_raise_no_alarm() -> None:
    assert drawn(evenly, batches=2_000) == []
    assert drawn(evenly, kept=100) == []


@pytest.mark.parametrize(
    ("draw", "told"),
    [
        (lambda rng, old, new: (int(rng.integers((old + new) // 2, new)), int(rng.integers(GAMES))), "oldest quarter"),
        (lambda rng, old, new: (int(rng.integers(old, (old + new) // 2)), int(rng.integers(GAMES))), "newest quarter"),
        (lambda rng, old, new: (int(rng.integers(old, new)), int(rng.integers(1, GAMES))), "game 0"),
    ],
    ids=["the newer half", "the older half", "three games of four"],
)
def test_a_part_that_is_never_drawn_from_is_told(draw: Draw, told: str) -> None:
    assert any(told in one for one in drawn(draw))


def test_a_generator_that_begins_anew_for_each_batch_is_told() -> None:
    def draw(rng: np.random.Generator, old: int, new: int) -> tuple[int, int]:
        again = np.random.default_rng(rng.integers(8))
        return int(old + again.random() * (new - old)), int(again.integers(GAMES))

    assert any("equal parts" in one for one in drawn(draw))


@pytest.mark.parametrize(("even", "told"), [(True, True), (False, False)])
def test_a_batch_of_one_sample_now_and_then_is_told(even: bool, told: bool) -> None:
    draws, rng = Draws(KEPT, GAMES, even), np.random.default_rng(0)
    for number in range(30):
        stream: Any = SimpleNamespace(count=2_000 + 100 * number)
        some = [evenly(rng, 0, stream.count - 1) for _ in range(8)]
        draws.see(stream, some if number % 3 else 8 * some[:1])
    assert any("in their batch already" in one.measured for one in draws.judge()) == told


def test_by_priority_old_samples_may_be_rare_and_new_ones_may_not() -> None:
    assert (
        drawn(
            lambda rng, old, new: (int(rng.integers((old + 3 * new) // 4, new)), int(rng.integers(GAMES))), even=False
        )
        == []
    )
    told = drawn(lambda rng, old, new: (int(rng.integers(old, (old + new) // 2)), int(rng.integers(GAMES))), even=False)
    assert any("newest quarter" in one for one in told)


def test_where_places_are_not_known_they_may_be_those_that_are_missed() -> None:
    def seen(*unknown: Any) -> bool:
        draws, rng = Draws(KEPT, GAMES, True), np.random.default_rng(0)
        for _ in range(60):
            some = [(int(rng.integers(300)), int(rng.integers(GAMES))) for _ in range(6)]
            draws.see(SimpleNamespace(count=401), [*some, *unknown])  # type: ignore[arg-type]
        return any(draws.judge())

    assert seen()
    assert not seen(Unknown(), (-1, -1))


def covered(deal: Callable[[np.random.Generator, int], np.ndarray], epochs: int = 3, minibatches: int = 4) -> list[str]:
    """What is told of a rollout whose minibatches hold the steps that `deal` gives for each pass."""
    rng = np.random.default_rng(0)
    obs = rng.standard_normal((STEPS, GAMES, 3)).astype(np.float32)
    mask = rng.random((STEPS, GAMES)) < 0.9
    table: Any = SimpleNamespace(prints=fingerprints(obs, 2), mask=mask)
    coverage = Coverage(epochs, minibatches, False)
    for _ in range(epochs):
        for part in np.split(deal(rng, STEPS * GAMES), minibatches):
            batch = SimpleNamespace(obs=obs.reshape(-1, 3)[part][None], mask=mask.reshape(-1)[part][None])
            coverage.fed(batch, lambda: table, False, UNLIMITED)
    return [differs.measured for differs in coverage.end()]


def test_each_step_of_a_rollout_once_a_pass_raises_no_alarm() -> None:
    assert covered(lambda rng, count: rng.permutation(count)) == []
    assert covered(lambda rng, count: np.arange(count), epochs=1, minibatches=1) == []


@pytest.mark.parametrize(
    "deal",
    [lambda rng, count: rng.integers(count, size=count), lambda rng, count: np.maximum(4, rng.permutation(count))],
    ids=["with replacement", "without some steps"],
)
def test_steps_that_are_left_out_are_told(deal: Any) -> None:
    [told] = covered(deal)
    assert "not learned from once a pass" in told


def test_the_same_minibatches_in_each_pass_are_told() -> None:
    [told] = covered(lambda rng, count: np.random.default_rng(1).permutation(count))
    assert "the same 4 minibatches" in told


def test_few_games_may_be_dealt_out_alike_by_chance() -> None:
    assert Coverage(3, 2, True).ways(2) == 0


@pytest.mark.parametrize(("alike", "told"), [(0, True), (12, False)])
def test_games_that_show_the_same_are_not_known_apart(alike: int, told: bool) -> None:
    """Of a memory's whole games, of which nothing is known but what they show."""
    rng, games = np.random.default_rng(0), 16
    obs = rng.standard_normal((STEPS, games, 3)).astype(np.float32)
    obs[:, :alike] = obs[:, :1]
    table: Any = SimpleNamespace(prints=fingerprints(obs, 2), mask=np.ones((STEPS, games)))
    coverage = Coverage(3, 4, True)
    for _ in range(3):
        for part in np.split(np.arange(games), 4):
            batch = SimpleNamespace(obs=obs[:, part], mask=table.mask[:, part])
            coverage.fed(batch, lambda: table, False, UNLIMITED)
    assert bool(list(coverage.end())) == told
