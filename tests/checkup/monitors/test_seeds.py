"""Runs with neighbouring seeds draw other numbers."""

from __future__ import annotations

import pytest

from triptych.checkup.monitors import seeds
from triptych.training import playing


def test_generators_of_neighbouring_runs_differ() -> None:
    assert list(seeds.drawn_alike(0, "explore")) == []


def test_a_generator_that_ignores_the_runs_seed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    own = playing.generator
    monkeypatch.setattr(playing, "generator", lambda seed, name: own(0, name))
    [found] = seeds.drawn_alike(5, "explore")
    assert found.signal.name == "seeds-shared"
