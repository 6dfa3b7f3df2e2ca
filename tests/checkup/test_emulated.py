"""Atari games beside the emulator itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from triptych import envs
from triptych.checkup.emulated import judge_emulator
from triptych.envs import Step
from triptych.recipes import load_recipe


@pytest.mark.parametrize("recipe", ["breakout", "space-invaders-tuned", "kung-fu-master"])
def test_games_as_they_are_made_are_those_of_the_emulator(recipe: str) -> None:
    assert list(judge_emulator(load_recipe(recipe).env)) == []


def test_other_environments_are_not_looked_at() -> None:
    assert list(judge_emulator(load_recipe("cartpole").env)) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda step: step._replace(reward=step.reward / 2),
        lambda step: step._replace(lost_life=None),
    ],
    ids=["half of the rewards", "lives not told"],
)
def test_games_that_pay_or_tell_otherwise_are_told(change: Callable[[Step], Step], monkeypatch: Any) -> None:
    make = envs.make

    def made(*given: Any, **named: Any) -> Any:
        games = make(*given, **named)
        recv = games.recv
        games.recv = lambda: change(recv())
        return games

    monkeypatch.setattr(envs, "make", made)
    [found] = judge_emulator(load_recipe("breakout").env)
    assert found.signal.name == "emulator-differs"


def test_actions_that_stick_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    make, rng = envs.make, np.random.default_rng(0)

    def made(*given: Any, **named: Any) -> Any:
        games = make(*given, **named)
        send, last = games.send, {"actions": np.zeros(1, np.int64)}

        def sticking(actions: np.ndarray) -> None:
            if rng.random() >= 0.25:
                last["actions"] = actions
            send(last["actions"])

        games.send = sticking
        return games

    monkeypatch.setattr(envs, "make", made)
    [found] = judge_emulator(load_recipe("space-invaders-tuned").env)
    assert found.signal.name == "emulator-differs"
