"""Runs with a teacher: who plays, how long its weight lasts, what is kept of it, and which teachers are refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triptych
from tests.experiments.test_going_on import SHORT, interrupt_at
from tests.experiments.test_resume import CARTPOLE_A3C, CARTPOLE_PPO, assert_same, rows
from triptych import envs, frameworks
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.spec.weights import save_weights
from triptych.training.build import make_training
from triptych.utils.checks import InputError
from triptych.utils.files import read_tensors

LESS: dict[str, Any] = {"steps": 900, "evaluate_every": 0, "checkpoint_every": 250, "log_every": 100, "video": False}
DQN: dict[str, Any] = SHORT | LESS
PPO: dict[str, Any] = CARTPOLE_PPO | LESS


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of DQN, the one of its weights that are the best."""
    folder = tmp_path_factory.mktemp("teacher")
    return triptych.train(runs_dir=folder, run_name="teacher", **DQN | {"steps": 300}).path


def training_of(settings: dict[str, Any], **more: Any) -> Any:
    changes = {name: value for name, value in (settings | more).items() if name not in ("recipe", "video")}
    recipe = override(load_recipe(settings["recipe"]), changes)
    games = envs.make(recipe.env, recipe.num_envs)
    return make_training(recipe, games, frameworks.load("torch").Learner)


def file_of(run: Path) -> str:
    return str(run / "checkpoints" / "latest.safetensors")


KICKSTARTED = {
    "cartpole": DQN | {"teacher_until": 700},
    "cartpole-a3c": CARTPOLE_A3C | LESS | {"teacher_loss": "nll"},
    "cartpole-ppo": PPO | {"teacher_alone": True, "teacher_plays": 400, "network.dense_1.units": 8},
}


@pytest.mark.parametrize(
    ("framework", "name"), [("torch", "cartpole-a3c"), ("jax", "cartpole"), ("keras", "cartpole-ppo")]
)
def test_a_run_that_was_stopped_goes_on_with_its_own_copy_of_the_teacher_to_the_same_bytes(
    framework: str, name: str, teacher: Path, tmp_path: Path
) -> None:
    weights = tmp_path / "teacher.safetensors"
    weights.write_bytes(Path(file_of(teacher)).read_bytes())

    def train(run: str, **more: Any) -> Any:
        settings = KICKSTARTED[name] | {"teacher": str(weights)}
        return triptych.train(framework=framework, runs_dir=tmp_path, run_name=run, **settings, **more)

    train("whole")
    assert train("stopped", callbacks=[interrupt_at(333)]).steps < 400
    weights.unlink()
    assert triptych.resume(tmp_path / "stopped", video=False).steps >= 900
    assert_same(tmp_path / "whole", tmp_path / "stopped")


def test_a_copy_that_is_not_what_the_run_began_with_is_refused(teacher: Path, tmp_path: Path) -> None:
    run = triptych.train(runs_dir=tmp_path, teacher=str(teacher), **DQN | {"steps": 120}).path
    told = json.loads((run / "config.json").read_text())["teacher"]
    assert told["file"].endswith("teacher/checkpoints/best.safetensors") or told["file"].endswith("latest.safetensors")
    copy = run / "teacher.safetensors"
    copy.write_bytes(copy.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match=r"SHA-256 of .*teacher.safetensors"):
        triptych.resume(run, steps="+100")
    copy.unlink()
    with pytest.raises(InputError, match=r"teacher.safetensors is not there; allowed: the teacher's weights that"):
        triptych.resume(run, steps="+100")


def test_the_teacher_chooses_the_actions_and_then_the_student_does(teacher: Path) -> None:
    plays = 200
    chance = {
        "algorithm.epsilon_start": 0.0,
        "algorithm.epsilon_end": 0.0,
        "warm_up": 0,
        "learning_rate": 1e-9,
        "seed": 5,
    }
    training = training_of(DQN, teacher=file_of(teacher), teacher_plays=plays, teacher_alone=True, **chance)
    by_teacher = by_student = differ = 0
    for _ in range(400):
        steps, mask = training.counters.steps, ~training.ended
        taught = np.argmax(training.teacher.outputs(training.obs), axis=1)
        own = np.argmax(training.agent.act(training.obs)[0], axis=1)
        chosen = training.select_actions().actions
        differ += int((taught != own)[mask].any())
        by_teacher += int((chosen == taught)[mask].all() and steps < plays)
        by_student += int((chosen == own)[mask].all() and steps >= plays)
        next(iter_of(training))
    assert differ > 20
    assert by_teacher + by_student == 400
    training.close()


def iter_of(training: Any) -> Any:
    if not hasattr(training, "running"):
        training.running = training.ticks()
    return training.running


def test_a_student_becomes_its_teacher(teacher: Path) -> None:
    """By the share of the observations of its own play on which both would do the same."""
    settings = {"teacher_alone": True, "teacher_plays": 400, "algorithm.update_every": 1, "seed": 5}
    training = training_of(DQN, teacher=file_of(teacher), **settings)
    first, seen = training.learner.get_weights(), []
    for _ in training.ticks():
        seen.append(training.obs[0])
        if training.counters.steps >= 900:
            break
    obs = np.stack(seen[-400:])

    def alike() -> float:
        values, _ = training.agent.act(obs)
        return float((values.argmax(axis=1) == training.teacher.outputs(obs).argmax(axis=1)).mean())

    after = alike()
    training.learner.set_weights(first)
    assert (after > 0.9) > (alike() > 0.8)
    training.close()


def test_the_weight_falls_to_0_and_the_log_says_how_far_the_student_is(teacher: Path, tmp_path: Path) -> None:
    run = triptych.train(runs_dir=tmp_path, teacher=str(teacher), teacher_until=500, **DQN).path
    found = {int(row["steps"]): float(row["teacher_loss"] or "nan") for row in rows(run / "metrics.csv")}
    assert found[400] > 0
    assert all(value == 0 for step, value in found.items() if step > 600)
    recipe = override(load_recipe("cartpole"), {"teacher": "any", "teacher_until": 500})
    assert [recipe.teacher_weight_at(step) for step in (0, 250, 500, 600)] == [1.0, 0.5, 0.0, 0.0]


def test_a_teachers_weights_stay_as_they_are(teacher: Path) -> None:
    training = training_of(DQN, teacher=file_of(teacher))
    given, _ = read_tensors(Path(file_of(teacher)))
    for _ in training.ticks():
        if training.counters.updates >= 20:
            break
    for name, tensor in training.teacher.agent.learner.get_weights().items():
        assert (tensor == given[name]).all(), name
    training.close()


# Filters and units of the students that docs/how-to/distil.md names, by their share of the teacher's weights in per cent.
SIZES = {25: (16, 32, 32, 256, 128), 7: (16, 16, 16, 128, 64), 4: (16, 16, 16, 64, 64)}


@pytest.mark.parametrize("share", SIZES)
def test_students_of_the_published_sizes(share: int) -> None:
    recipe = load_recipe("space-invaders")
    *filters, first, second = SIZES[share]
    layers = {f"network.conv_{place}.filters": number for place, number in enumerate(filters, start=1)}
    student = override(recipe, layers | {"network.dense_1.units": first, "network.dense_2.units": second})
    games = envs.make(recipe.env, 1)
    games.close()
    sizes = [
        sum(math.prod(shape) for shape in one.make_network(games.observation, games.num_actions).tensors().values())
        for one in (student, recipe)
    ]
    assert round(100 * sizes[0] / sizes[1]) == share


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (
            {"teacher": "nowhere"},
            "teacher is 'nowhere': no such run; allowed: a run folder, a run's name or its weights",
        ),
        ({"env": "MountainCar-v0"}, r"the teacher's game is 'CartPole-v1'; allowed: MountainCar-v0, the student's"),
        ({"teacher_weight": 0.0}, "teacher_weight is 0.0; allowed: above 0"),
        ({"teacher_loss": "l1"}, "teacher_loss is 'l1'; allowed: kl, nll, mse"),
        ({"teacher_alone": True, "teacher_until": 5}, "teacher_until is 5; allowed: None, as nothing is learned but"),
        ({"teacher": "", "teacher_until": 5}, "teacher_until is 5; allowed: None, as nobody teaches: --teacher RUN"),
        ({"recipe": "cartpole-ppo", "teacher_plays": 5}, "teacher_plays is 5; allowed: 0, as ppo learns from what it"),
        (
            {"recipe": "cartpole-ppo", "teacher_loss": "mse"},
            "allowed: kl or nll, as the teacher gives Q values and the",
        ),
    ],
)
def test_what_nobody_can_learn_from_is_refused_before_anything_is_written(
    settings: dict[str, Any], line: str, teacher: Path, tmp_path: Path
) -> None:
    given = {"recipe": "cartpole", "teacher": str(teacher)} | settings
    with pytest.raises(InputError, match=line):
        triptych.train(runs_dir=tmp_path, **given)
    assert not list(tmp_path.iterdir())


def test_a_teacher_of_other_actions_is_refused(teacher: Path, tmp_path: Path) -> None:
    tensors, metadata = read_tensors(Path(file_of(teacher)))
    assert metadata is not None
    more = tensors | {
        "head/kernel": np.zeros((len(tensors["head/kernel"]), 3)), "head/bias": np.zeros(3),
    }  # fmt: skip
    save_weights(tmp_path / "more.safetensors", more, metadata)
    with pytest.raises(InputError, match="the number of the teacher's actions is 3; allowed: 2, as the student has"):
        triptych.train("cartpole", runs_dir=tmp_path, teacher=str(tmp_path / "more.safetensors"))


def test_show_says_that_its_update_has_no_teacher(teacher: Path) -> None:
    recipe = override(load_recipe("cartpole"), {"teacher": file_of(teacher)})
    with pytest.raises(InputError, match=r"teacher is .*; allowed: none, as the shown update has no teacher"):
        triptych.show(recipe)
