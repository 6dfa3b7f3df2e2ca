"""A game with a picture and numbers, from training to the report: every algorithm in every framework."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triptych
from tests.experiments.test_resume import assert_same
from tests.picture_and_numbers import ID, make_recipe
from triptych import envs, frameworks
from triptych.algorithms import ALGORITHMS
from triptych.envs.videos import Film
from triptych.experiments.lockstep import play as proof
from triptych.experiments.lockstep.judge import judge
from triptych.experiments.resume import resume
from triptych.experiments.train import train
from triptych.recipes import Recipe
from triptych.recipes.override import override
from triptych.report.look import look, observe
from triptych.report.page import report
from triptych.report.show.build import layer_table, network_of, show, write
from triptych.spec import Part
from triptych.training.build import make_training
from triptych.training.callbacks.logs import Logs
from triptych.utils.checks import InputError

ALL = list(ALGORITHMS)


class Killed(Exception):
    """Stands for a run's end in the middle of a step."""


@pytest.mark.parametrize("algorithm", ALL)
def test_it_trains_evaluates_and_resumes_to_the_byte(
    algorithm: str, framework: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, settings = make_recipe(algorithm), {"framework": framework, "runs_dir": tmp_path, "quiet": True}
    whole = train(recipe, run_name="whole", **settings)
    assert whole.updates > 0
    score = triptych.evaluate(whole.path, games=4)
    assert np.isfinite(score.mean)
    see = Logs.see

    def dies(self: Any, training: Any, tick: Any) -> None:
        see(self, training, tick)
        if training.counters.steps >= 290:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Logs, "see", dies)
        with pytest.raises(Killed):
            train(recipe, run_name="killed", **settings)
    resume(tmp_path / "killed", framework, quiet=True)
    assert_same(tmp_path / "killed", tmp_path / "whole")


@pytest.mark.parametrize("algorithm", ALL)
def test_the_shown_file_does_what_the_learner_does(
    algorithm: str, framework: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.report import test_show

    recipe = dataclasses.replace(make_recipe(algorithm, form="nested"), precision="float64")
    monkeypatch.setitem(test_show.RECIPES, "parts", recipe)
    test_show.test_each_file_does_what_the_learner_does("parts", framework, tmp_path, monkeypatch)


@pytest.mark.parametrize("algorithm", ["dqn", "drqn", "ppo"])
def test_the_frameworks_go_in_lockstep(algorithm: str, tmp_path: Path) -> None:
    recipe, _ = proof.provable(make_recipe(algorithm), 300)
    for name in frameworks.FRAMEWORKS:
        proof.run(recipe, name, tmp_path, quiet=True)
    verdict = judge(tmp_path, list(frameworks.FRAMEWORKS))
    assert verdict.first is None
    assert 0 < verdict.worst < 1e-9


def test_both_parts_are_needed_and_are_used() -> None:
    """Where either is hidden nothing but chance is left: four of eight steps, a score of 0."""
    recipe = make_recipe("dqn", 2_000)
    games = envs.make(recipe.env, 4)
    training = make_training(recipe, games, frameworks.load("torch").Learner)
    from triptych.training.loop import run_loop

    for _ in run_loop(training):
        if training.counters.steps >= 2_000:
            break
    assert np.mean(list(training.scores)[-20:]) > 6
    obs = games.reset(np.arange(4))
    right = {name: 0 for name in ("both", "no picture", "no numbers")}
    for _ in range(100):
        for name in right:
            hidden = {"no picture": "picture", "no numbers": "numbers"}.get(name)
            seen = {part: 0 * array if part == hidden else array for part, array in obs.items()}
            wanted = [int(one.unwrapped.right == one.unwrapped.sign) for one in games.envs]
            right[name] += int((training.agent.predict(seen)[0] == wanted).sum())
        games.send(np.zeros(4, np.int64))
        obs = games.recv().obs
    assert right["both"] > 370
    assert max(right["no picture"], right["no numbers"]) < 300
    games.close()


def test_an_agent_says_what_does_not_fit() -> None:
    recipe = make_recipe("dqn")
    games = envs.make(recipe.env, 4)
    training = make_training(recipe, games, frameworks.load("torch").Learner)
    agent, obs = training.agent, games.reset(np.arange(4))
    actions, _ = agent.predict(obs)
    one, _ = agent.predict({name: part[0] for name, part in obs.items()})
    assert one == actions[0]
    wrong: list[tuple[Any, str]] = [
        (obs["picture"], "observation's parts is 'one array'; allowed: a dict of numbers, picture"),
        ({"picture": obs["picture"]}, r"observation's parts is \['picture'\]; allowed: a dict of numbers, picture"),
        (obs | {"numbers": obs["numbers"][:, :2]}, r"shape of numbers is \(4, 2\); allowed: \(3,\)"),
        (obs | {"numbers": obs["numbers"][0]}, "each part of one observation"),
    ]
    for given, said in wrong:
        with pytest.raises(InputError, match=said):
            agent.predict(given)


def test_a_tuple_trains_and_games_that_can_be_saved_keep_their_parts(tmp_path: Path) -> None:
    recipe = make_recipe("ppo", 200, "tuple")
    result = train(recipe, framework="torch", runs_dir=tmp_path, run_name="tuple", quiet=True)
    assert result.updates > 0
    games = envs.make(recipe.env, 4)
    training = make_training(recipe, games, frameworks.load("torch").Learner)
    games.saves, games.get_state, games.set_state = True, dict, lambda state: None  # type: ignore[attr-defined]
    state = training.get_state()
    assert {name for name in state.arrays if name.startswith("loop/obs")} == {"loop/obs/0", "loop/obs/1"}
    kept = training.obs
    training.obs = None
    training.set_state(state)
    assert list(training.obs) == ["0", "1"]
    assert all(np.array_equal(training.obs[name], kept[name]) for name in kept)


def test_it_is_shown_filmed_looked_at_and_reported(tmp_path: Path) -> None:
    recipe = make_recipe("dqn", 200)
    network = network_of(recipe)
    rows = {name: shape for name, _, shape, _ in layer_table(network)}
    assert rows["flatten_1"] == (512,)
    assert network.tensors()["dense_1/kernel"] == (515, 32), "the three numbers join after the flatten"
    write(show(recipe, network, "parts"), tmp_path / "shown")
    path = look(recipe, tmp_path / "look.png", 2)
    assert path.stat().st_size > 0
    rows, captions = observe(recipe, 2, 0)
    assert [len(row) for row in rows] == [3, 3] == [len(captions)] * 2, "screen, picture, numbers"
    with Film(recipe.env, tmp_path / "film.mp4", 8) as film:
        film.reset(0)
        film.step(1)
    assert film.video.made
    train(recipe, framework="torch", runs_dir=tmp_path / "runs", run_name="a", quiet=True)
    page = report([str(tmp_path / "runs")], runs_dir=tmp_path / "runs", out=tmp_path / "page.html")
    assert ID.split(":")[1] in page.read_text(encoding="utf-8")


def test_a_replay_on_the_device_is_refused_in_one_line(tmp_path: Path) -> None:
    recipe = override(make_recipe("dqn"), {"algorithm.replay_on_device": True})
    with pytest.raises(InputError, match="replay_on_device is True; allowed: False, as this game shows more than"):
        train(recipe, framework="torch", runs_dir=tmp_path, quiet=True)
    assert not os.listdir(tmp_path)


def test_a_difference_beside_numbers(framework: str) -> None:
    """The picture's own first layer, its scale after it, and the numbers."""
    recipe: Recipe = make_recipe("dqn")
    from triptych.spec import FrameDifference

    env = dataclasses.replace(recipe.env, stack=2)
    recipe = dataclasses.replace(recipe, env=env, network=(FrameDifference(), *recipe.network))
    network = network_of(recipe)
    assert network.observation.main == Part((2, 36, 36), "uint8")
    games = envs.make(recipe.env, 4)
    training = make_training(recipe, games, frameworks.load(framework).Learner)
    assert np.isfinite(training.agent.act(training.obs)[0]).all()
