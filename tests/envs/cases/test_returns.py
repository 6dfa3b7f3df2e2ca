"""What an environment returns, held against what its spaces say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triptych
from tests.envs.cases.games import STEPS, Fails, FourValues, NoInfo, NoSeed, NoSpace, Reward, Seen, Side, named
from triptych import envs
from triptych.envs import EnvConfig, checking
from triptych.utils.checks import EnvironmentFailed, InputError
from triptych.utils.failures import RunFailed


def made(kind: type, num_envs: int = 1, **kwargs: Any) -> envs.Games:
    return envs.make(config_of(kind, **kwargs), num_envs)


def config_of(kind: type, **kwargs: Any) -> Any:
    return EnvConfig(named(kind), kwargs=json.dumps(kwargs))


def played(games: envs.Games, steps: int, action: int = 1) -> list[envs.Step]:
    """The steps after a reset with the seeds 0, 1, ..."""
    games.reset(np.arange(games.num_envs))
    found = []
    for _ in range(steps):
        games.send(np.full(games.num_envs, action))
        found.append(games.recv())
    return found


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (NoSeed, r"takes no seed.*; allowed: reset\(seed=..., options=...\) must return \(observation, info\)"),
        (NoInfo, r"returned one value of type ndarray; allowed: reset\(seed=..., options=...\) must return \(observation, info\)"),
        (NoSpace, "whose observation_space is None; allowed: one of gymnasium.spaces"),
        (FourValues, r"returned 4 values \(ndarray, float, bool, dict\); allowed: step must return \(observation, reward, terminated, truncated, info\)"),
    ],
)  # fmt: skip
def test_what_is_no_environment_of_today_is_told_what_to_give(kind: type, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said) as error:
        triptych.train(env=named(kind), steps=100, runs_dir=tmp_path)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir()), "nothing is written for a bad environment"


@pytest.mark.parametrize("form", ["array", "point", "scalar", "bool", "int", "fraction"])
def test_a_reward_that_is_one_number_is_taken(form: str) -> None:
    plain = [step.reward for step in played(made(Side), STEPS)]
    assert np.sum(plain) > 0
    found = [step.reward for step in played(made(Reward, form=form), STEPS)]
    assert np.array_equal(found, plain)
    assert found[0].dtype == np.float64


@pytest.mark.parametrize("form", ["none", "text", "several"])
def test_a_reward_that_is_no_number_is_named(form: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cases/Reward-v0': its reward is .*; allowed: a number"):
        envs.first_looks(config_of(Reward, form=form))
    games = made(Reward, num_envs=2, form=form, begins=7)
    with pytest.raises(
        EnvironmentFailed, match=r"game 0 at step 7 of its episode: its reward is .*; allowed: a number"
    ) as error:
        played(games, STEPS)
    assert (error.value.game, error.value.step) == (0, 7)


def test_a_reward_that_is_none_later_ends_the_training_and_not_before(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="game 0 at step 7 of its episode: its reward is None"):
        triptych.train(env=named(Reward), steps=100, warm_up=50, runs_dir=tmp_path, **{"env.kwargs": '{"form": "none", "begins": 7}', "num_envs": 1})  # fmt: skip


@pytest.mark.parametrize(
    ("form", "shape", "last"),
    [
        ("list", (2,), [None, 3 / STEPS]),
        ("same", (2,), [None, 3 / STEPS]),
        ("point", (1,), None),
        ("doubles", (2,), [None, 3]),
        ("choices", (7,), [None, 0, None, 0, 0, 0, 1]),  # of 3 from -1, of 4 from 0
        ("bits", (3,), [None, 0, 1]),
        ("choice", (3,), [None, 0, None]),
        ("wide", (2,), [5, 0]),
    ],
)
def test_an_observation_whose_meaning_is_plain_is_taken(form: str, shape: tuple, last: list | None) -> None:
    games = made(Seen, form=form)
    assert games.observation.shape == shape
    steps = played(games, 3)
    assert np.array_equal([step.reward for step in steps], [step.reward for step in played(made(Side), 3)])
    for place, value in enumerate(last or []):
        assert value is None or steps[-1].obs[0][place] == pytest.approx(value)
    if form in ("list", "same", "point"):  # each is of its own moment
        sides = [step.obs[0][0] for step in played(made(Side), 3)]
        assert [step.obs[0][0] for step in steps] == pytest.approx(sides)


def test_numbers_beyond_the_bounds_are_told_once_and_learned_from(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "TOLD", set())
    for _ in range(2):
        played(made(Seen, num_envs=2, form="wide"), 5)
    said = capsys.readouterr().err
    assert said.count("holds 5, and its space says -1 to 1") == 1
    assert "game 0 at its reset" in said


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("short", r"the shape of its observation is \(2,\); allowed: \(3,\), as its space says"),
        ("text", r"its observation is left; allowed: numbers of the shape \(2,\)"),
        ("halves", "a number of its observation is 0.5; allowed: whole ones, as its space says int64"),
        ("no-key", r"its observation is \['me'\]; allowed: a dict of me, you"),
        ("never", "holds inf in game 0 at its reset; allowed: finite numbers"),
        ("sequence", "observation 'others' of .* is Sequence, which cannot be learned from; .* --env.drop others"),
        ("sentence", "observation 'mission' of .* is Text, which cannot be learned from; .* --env.drop mission"),
        ("graph", "the observation of .* is Graph, which cannot be learned from; allowed: pictures, vectors and choices$"),
    ],
)  # fmt: skip
def test_an_observation_that_is_not_what_its_space_says_is_one_line(form: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said) as error:
        triptych.train(env=named(Seen), steps=100, runs_dir=tmp_path, **{"env.kwargs": f'{{"form": "{form}"}}'})
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500
    assert not list(tmp_path.iterdir())


def test_a_part_can_be_left_out() -> None:
    games = envs.make(EnvConfig(named(Seen), kwargs='{"form": "sentence"}', drop=("mission",)), 1)
    assert games.observation.shape == (1,)
    with pytest.raises(InputError, match=r"env.drop is \('say',\); allowed: parts of .*: me, mission"):
        envs.make(EnvConfig(named(Seen), kwargs='{"form": "sentence"}', drop=("say",)), 1)


@pytest.mark.parametrize("how", ["pipe", "file", "ours", "exit"])
@pytest.mark.parametrize("at", [0, 4])
def test_what_a_game_raises_names_the_game_and_the_step(how: str, at: int) -> None:
    games = made(Fails, num_envs=2, how=how, at=at)
    with pytest.raises(EnvironmentFailed) as error:
        played(games, STEPS)
    kind = {"pipe": BrokenPipeError, "file": FileNotFoundError, "ours": RuntimeError, "exit": SystemExit}[how]
    assert isinstance(error.value.__cause__, kind)
    assert (error.value.game, error.value.step) == (0, at)
    assert f"{kind.__name__}" in str(error.value)
    assert "(games.py, line " in str(error.value), "where in the user's own file"
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("form", "value"), [("nan", "nan"), ("inf", "-inf"), ("vast", "1e+39")])
def test_a_reward_that_is_not_finite_is_broken_and_the_episode_goes_on(form: str, value: str) -> None:
    games = made(Reward, num_envs=2, form=form, begins=STEPS)
    steps = played(games, STEPS)
    assert all(step.broken is None and not step.trouble for step in steps[:-1])
    assert steps[-1].broken is not None
    assert steps[-1].broken.tolist() == [True, True]
    assert steps[-1].reward.tolist() == [0, 0]
    assert steps[-1].truncated.all()
    place = f"the reward is {value} in game %d at step {STEPS} of its episode"
    assert [line.split(": ")[-1] for line in steps[-1].trouble] == [place % 0, place % 1]


def test_an_observation_that_is_not_finite_is_the_last_one_again_and_both_its_steps_are_broken() -> None:
    games = made(Seen, form="nan")
    steps = played(games, 8)
    assert [i + 1 for i, step in enumerate(steps) if step.broken is not None] == [5, 6], "to it, and from it"
    assert np.array_equal(steps[4].obs, steps[3].obs)
    assert not np.array_equal(steps[5].obs, steps[4].obs)
    assert [len(step.trouble) for step in steps] == [0, 0, 0, 0, 1, 0, 0, 0]
    assert "the observation holds nan in game 0 at step 5 of its episode" in steps[4].trouble[0]
    assert all(np.isfinite(step.obs).all() for step in steps)
    plain = played(made(Side), 8)
    assert [float(step.reward[0]) for step in steps] == [float(step.reward[0]) for step in plain], (
        "the score is the game's"
    )


def test_a_game_that_stays_broken_is_cut() -> None:
    steps = played(made(Seen, form="never"), 12)
    assert [bool(step.truncated[0]) for step in steps] == [i == 9 for i in range(12)]
