"""What is learned of such games: the same in the three frameworks, and of symbols as of floats."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triptych
from tests.envs.cases.games import Picture, Reward, Seen, Symbols, named
from tests.picture_and_numbers import make_recipe
from triptych import envs, frameworks
from triptych.envs import EnvConfig
from triptych.experiments.lockstep import play as proof
from triptych.experiments.lockstep.judge import judge
from triptych.recipes import Recipe
from triptych.recipes.serialise import from_dict, to_dict
from triptych.spec import Part

SHORT: dict[str, Any] = {"threads": 1, "evaluate_every": 0, "warm_up": 500, "algorithm.update_every": 4}


def recipe_of(shape: list[int | None], algorithm: str = "dqn", **kwargs: Any) -> Recipe:
    env = EnvConfig(named(Picture), size=None, kwargs=json.dumps({"shape": shape, **kwargs}))
    return dataclasses.replace(make_recipe(algorithm), env=env)


@pytest.mark.parametrize(
    "recipe",
    [recipe_of([4, None, None]), recipe_of([3, None, None], high=1, dtype="float32"), recipe_of([2, None, None, 3], "ppo")],
    ids=["its own stack", "floats, channels first", "a stack of colours"],
)  # fmt: skip
def test_the_frameworks_go_in_lockstep(recipe: Recipe, tmp_path: Path) -> None:
    recipe, _ = proof.provable(recipe, 300)
    for name in frameworks.FRAMEWORKS:
        proof.run(recipe, name, tmp_path, quiet=True)
    verdict = judge(tmp_path, list(frameworks.FRAMEWORKS))
    assert verdict.first is None
    assert 0 < verdict.worst < 1e-9


def test_pictures_meet_convolutions(tmp_path: Path) -> None:
    for shape in ([3, None, None], [4, None, None]):
        recipe = triptych.override(
            triptych.load_recipe("space-invaders-tuned"),
            {"env": EnvConfig(named(Picture), kwargs=json.dumps({"shape": shape}))},
        )
        games = envs.make(recipe.env, 1)
        network = recipe.make_network(games.observation, games.num_actions)
        assert type(network.layers[0]).__name__ == "Conv"
        assert games.observation.main.is_picture


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64"])
def test_symbols_are_learned_as_floats_are(dtype: str, tmp_path: Path) -> None:
    runs = {}
    for one in (dtype, "float32"):
        given = {"env.kwargs": json.dumps({"dtype": one}), "steps": 1500, "runs_dir": tmp_path, "run_name": one}
        runs[one] = triptych.train(env=named(Symbols), **given, **SHORT)
    logs = [[line.split(",")[:3] for line in (run.path / "episodes.csv").read_text().splitlines()] for run in runs.values()]  # fmt: skip
    assert len(logs[0]) > 100
    assert logs[0] == logs[1], "number by number"


def test_bytes_that_use_their_whole_range_are_divided_by_255_and_others_never() -> None:
    """As the 128 bytes of a console's memory."""
    config = EnvConfig(named(Symbols), kwargs='{"dtype": "uint8", "high": 255}')
    assert envs.make(config, 1).observation.main == Part((1,), "uint8")
    assert envs.make(EnvConfig(named(Symbols), kwargs='{"dtype": "uint8"}'), 1).observation.main == Part(
        (1,), "float32"
    )


def test_runs_of_before_see_what_they_learned_with() -> None:
    content = to_dict(
        dataclasses.replace(make_recipe("dqn"), env=EnvConfig(named(Symbols), kwargs='{"dtype": "uint8"}'))
    )
    del content["env"]["layout"], content["env"]["drop"]
    before = from_dict(content).env
    assert envs.make(before, 1).observation.main == Part((1,), "uint8")
    content["env"]["kwargs"] = json.dumps({"shape": [3, None, None]})
    content["env"]["id"] = named(Picture)
    assert envs.make(from_dict(content).env, 1).observation.main == Part((4800,), "uint8"), "taken for a vector then"
    assert "layout" not in envs.as_before(before), "and it is known again"


@pytest.mark.parametrize("kind", [Seen, Reward])
def test_a_number_that_is_not_finite_stops_no_training(kind: type, tmp_path: Path) -> None:
    kwargs = '{"form": "nan"}' if kind is Seen else '{"form": "nan", "begins": 9}'
    run = triptych.train(env=named(kind), steps=1000, runs_dir=tmp_path, **{"env.kwargs": kwargs}, **SHORT)
    assert run.steps == 1000
    assert np.isfinite(run.running_reward or np.nan)
    assert all(np.isfinite(array).all() for array in triptych.load_agent(run.path).learner.get_weights().values())
