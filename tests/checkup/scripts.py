"""Audits of trainings that play the scripted games."""

from __future__ import annotations

from typing import Any

from tests.training.checks import GREEDY
from tests.training.scripted import GAMES, STATE, ScriptedGames, ScriptedLearner
from triptych.checkup.audit.whole import Audited, listened
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.spec import LSTM, Dense
from triptych.training.build import make_training

STEPS = 140
Q_LEARNING = {
    "algorithm.replay_size": 10_000, "algorithm.batch_size": 16, "algorithm.update_every": 2,
    "algorithm.target_every": (5, "updates"), **GREEDY,
}  # fmt: skip


class Heard(ScriptedLearner):
    """A scripted learner of which no gradients are asked, and none given to."""

    def gradients(self, batch: Any) -> Any:
        raise NotImplementedError

    def apply(self, gradients: Any, learning_rate: float) -> Any:
        raise NotImplementedError


def audited(recipe: str, changes: dict[str, Any], memory: bool = False, steps: int = STEPS) -> Audited:
    """The audit of a run of the script; `saves` among the changes says so of the games."""
    given = dict(changes)
    saves = bool(given.pop("saves", False))
    common = {"num_envs": GAMES, "precision": "float64", "network": (LSTM(STATE // 2),) if memory else (Dense(4),)}
    resolved = override(load_recipe(recipe), common | given | {"steps": steps})
    games, learner_class = ScriptedGames(saves), Heard
    training = make_training(resolved, games, learner_class)  # type: ignore[arg-type]
    training.learner.games, training.learner.burn_in = games, getattr(resolved.algorithm, "burn_in", 0)  # type: ignore[attr-defined]
    return listened(resolved, training)


def names(found: Audited) -> set[str]:
    return {finding.signal.name for finding in found.findings}
