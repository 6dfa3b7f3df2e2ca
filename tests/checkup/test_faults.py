"""The library of faults: each can be put in and taken out, and makes an agent faulty."""

from __future__ import annotations

import numpy as np
import pytest

from triptych import frameworks
from triptych.checkup.faults import FAULTS, SHORT, find, injected
from triptych.recipes import Recipe
from triptych.recipes.feasibility import prepare
from triptych.recipes.override import override
from triptych.training.build import make_training
from triptych.training.off_policy import OffPolicy
from triptych.utils.checks import InputError
from triptych.utils.patching import NotApplicable, Patch, patched


def test_each_fault_says_what_is_wrong_and_has_a_run_in_which_it_shows() -> None:
    for fault in FAULTS.values():
        assert fault.about.endswith("."), fault.name
        assert fault.short in SHORT, fault.name


@pytest.mark.parametrize("short", SHORT)
def test_a_short_run_is_a_recipe_and_takes_the_settings_of_its_faults(short: str) -> None:
    for fault in FAULTS.values():
        if fault.short == short:
            assert isinstance(override(SHORT[short](), dict(fault.changes)), Recipe)


def test_each_fault_is_put_in_and_taken_out(framework: str) -> None:
    for fault in FAULTS.values():
        try:
            patches = fault.patches(framework)
        except NotApplicable:
            continue
        assert patches or fault.changes, fault.name
        before = [vars(patch.owner).get(patch.name) for patch in patches]
        with patched(patches):
            assert all(getattr(patch.owner, patch.name) is not None for patch in patches)
        assert [vars(patch.owner).get(patch.name) for patch in patches] == before, fault.name


def test_an_inherited_method_is_inherited_again() -> None:
    class Child(OffPolicy):
        pass

    with patched([Patch(Child, "cut", lambda self: ["other"])]):
        assert Child.cut(None) == ["other"]
    assert "cut" not in vars(Child)
    assert Child.cut is OffPolicy.cut


def test_an_unknown_fault_is_one_line() -> None:
    with pytest.raises(InputError, match=r"^fault is 'relu-haed'; allowed: .*; did you mean relu-head\?$"):
        find("relu-haed")


def played(name: str | None, steps: int) -> OffPolicy:
    """A training of a fault's short run after some steps, healthy where there is none."""
    fault = find(name or "relu-head")
    recipe = override(SHORT[fault.short](), {"warm_up": 40, **fault.changes})
    prepared = prepare(recipe, "torch")
    try:
        training = make_training(recipe, prepared.games, frameworks.load("torch").Learner)
        ticks = training.ticks()
        for _ in range(steps // recipe.num_envs):
            next(ticks)
    finally:
        prepared.games.close()
    return training  # type: ignore[return-value]


def test_updates_are_made_but_where_the_fault_says_that_none_are() -> None:
    with injected("updates-never-reached", "torch"):
        assert played("updates-never-reached", 200).counters.updates == 0
    assert played(None, 200).counters.updates > 50


def test_a_relu_on_the_head_hides_every_negative_value() -> None:
    def least(training: OffPolicy) -> float:
        return float(training.agent.act(np.random.default_rng(0).normal(size=(50, 4)))[0].min())

    with injected("relu-head", "torch"):
        assert least(played("relu-head", 8)) == 0
    assert least(played(None, 8)) < 0


def test_a_target_that_is_online_cannot_be_expressed_in_jax() -> None:
    with pytest.raises(NotApplicable, match="donated"), injected("target-is-online", "jax"):
        pass
