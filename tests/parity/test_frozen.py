"""Frozen layers are truly still, in each framework alike; and mutations of the shipped code that must turn the rungs red."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.parity import frozen_ladder
from tests.parity.frozen_ladder import PICTURE
from tests.parity.ladder import NAMES
from triptych import frameworks


def test_frozen_layers_are_still_and_learn_after_the_thaw(framework: str) -> None:
    frozen_ladder.check_frozen(framework)


def test_gradients_then_apply_is_update(framework: str) -> None:
    frozen_ladder.check_halves(framework)


def test_the_state_goes_from_any_framework_to_any_other(framework: str) -> None:
    frozen_ladder.check_state(framework, NAMES)


def test_three_hundred_updates_on_one_stream_with_a_thaw_in_the_middle() -> None:
    frozen_ladder.check_stream(NAMES, 300)
    frozen_ladder.check_stream(NAMES, 50, PICTURE)


def nothing_is_frozen(learner: Any) -> tuple[str, Any]:
    return "freeze", lambda self, names: None


def frozen_weights_are_put_back(learner: Any) -> tuple[str, Any]:
    """The classical mistake: all is updated, and what is frozen is then put back. Its norm and its moments are there."""
    keep = learner.update

    def update(self: Any, batch: Any, rate: float) -> Any:
        still, frozen = self.frozen, self.get_weights()
        self.freeze(())
        aux = keep(self, batch, rate)
        moved = self.get_weights()
        self.set_weights({name: frozen[name] if name in still else moved[name] for name in moved})
        self.freeze(still)
        return aux

    return "update", update


def thawed_layers_count_from_the_runs_start(learner: Any) -> tuple[str, Any]:
    keep = learner.freeze

    def freeze(self: Any, names: tuple[str, ...]) -> None:
        thaws = bool(self.frozen) and not names
        keep(self, names)
        if thaws:
            self.set_state({name: array for name, array in self.get_state().items() if "/since/" not in name})

    return "freeze", freeze


def the_thaw_moves_a_layer(learner: Any) -> tuple[str, Any]:
    keep = learner.freeze

    def freeze(self: Any, names: tuple[str, ...]) -> None:
        thaws = bool(self.frozen) and not names
        keep(self, names)
        if thaws:
            self.set_weights({name: array + 1e-6 for name, array in self.get_weights().items()})

    return "freeze", freeze


def one_tensor_stays_frozen(learner: Any) -> tuple[str, Any]:
    keep = learner.freeze
    return "freeze", lambda self, names: keep(self, names or self.frozen[:1])


def the_others_moments_are_lost(learner: Any) -> tuple[str, Any]:
    keep = learner.freeze

    def freeze(self: Any, names: tuple[str, ...]) -> None:
        thaws = bool(self.frozen) and not names
        keep(self, names)
        if thaws:
            state = self.get_state()
            self.set_state(
                state | {name: 0 * array for name, array in state.items() if name.split("/")[1] in ("m", "v")}
            )

    return "freeze", freeze


MUTATIONS: list[Callable[[Any], tuple[str, Any]]] = [
    nothing_is_frozen, frozen_weights_are_put_back, thawed_layers_count_from_the_runs_start, the_thaw_moves_a_layer,
    one_tensor_stays_frozen, the_others_moments_are_lost,
]  # fmt: skip


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_mutation_turns_the_rung_red(
    mutation: Callable[[Any], tuple[str, Any]], framework: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = frameworks.load(framework).Learner
    name, patched = mutation(learner)
    monkeypatch.setattr(learner, name, patched)
    with pytest.raises(AssertionError):
        frozen_ladder.check_frozen(framework, (frozen_ladder.QUICK,))
