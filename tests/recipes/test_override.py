"""Another optimiser, another algorithm in a recipe, in Python and on the command line."""

from __future__ import annotations

import dataclasses

import pytest

from triptych.algorithms import drqn
from triptych.cli.parse import parse
from triptych.cli.runs import Train
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.spec import RMSprop
from triptych.utils.checks import InputError


def test_another_optimiser_keeps_what_all_have_and_brings_its_own() -> None:
    own = load_recipe("cartpole").optimiser
    found = override(load_recipe("cartpole"), {"optimiser.kind": "RMSprop", "optimiser.decay": 0.9}).optimiser
    assert found == RMSprop(own.learning_rate, own.final_rate, own.max_norm, decay=0.9)
    assert override(load_recipe("cartpole"), {"optimiser.kind": "adam"}).optimiser == own


def test_the_flags_are_those_of_the_optimiser_that_is_asked_for() -> None:
    command = parse(Train, "train", ["cartpole", "--optimiser.kind", "rmsprop", "--optimiser.decay", "0.9"])
    assert command.recipe == override(load_recipe("cartpole"), {"optimiser.kind": "rmsprop", "optimiser.decay": 0.9})
    with pytest.raises(InputError, match=r"flag '--optimiser\.beta-1' is not known"):
        parse(Train, "train", ["cartpole", "--optimiser.kind", "rmsprop", "--optimiser.beta-1", "0.9"])


def test_an_optimiser_that_there_is_not_is_told_with_those_there_are() -> None:
    with pytest.raises(InputError, match=r"optimiser.kind is 'rmsprp'; allowed: adam, rmsprop; did you mean rmsprop\?"):
        override(load_recipe("cartpole"), {"optimiser.kind": "rmsprp"})


def test_another_algorithm_keeps_the_settings_that_both_have() -> None:
    own = load_recipe("cartpole").algorithm
    found = override(load_recipe("cartpole"), {"algorithm": "drqn", "algorithm.burn_in": 2}).algorithm
    assert found == drqn.Config(**dataclasses.asdict(own), burn_in=2)
    back = override(dataclasses.replace(load_recipe("cartpole"), algorithm=found), {"algorithm": "dqn"}).algorithm
    assert back == own


def test_an_algorithm_that_shares_no_settings_is_told_with_those_that_do() -> None:
    with pytest.raises(InputError, match="algorithm is 'ppo'; allowed: dqn, drqn in place of dqn"):
        override(load_recipe("cartpole"), {"algorithm": "ppo"})
