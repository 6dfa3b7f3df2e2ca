"""Teachers with memory: what they give for a step is what they give who saw the episode from its start, whoever learns from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triptych
from tests.experiments.test_going_on import SHORT, interrupt_at
from tests.experiments.test_resume import CARTPOLE_A3C, CARTPOLE_PPO, MEMORY, POSITIONS_PPO, assert_same
from tests.training.test_teacher import file_of, training_of
from triptych.buffers.replay import Replay
from triptych.spec.batches import Rollout, Taught, Transition
from triptych.training.counting import Said
from triptych.training.playing import Playing
from triptych.training.teacher import Teacher
from triptych.utils.checks import InputError

SEEN: dict[str, Any] = {"env.observe": "positions"}
LESS: dict[str, Any] = {"steps": 900, "evaluate_every": 0, "checkpoint_every": 250, "log_every": 100, "video": False}
STUDENTS: dict[str, dict[str, Any]] = {
    "dqn": SHORT | SEEN | LESS,
    "drqn": MEMORY | LESS | {"env.flicker": 0.0},  # so that an observation comes but once
    "ppo": CARTPOLE_PPO | SEEN | LESS,
    "ppo, lstm": POSITIONS_PPO | LESS | {"algorithm.burn_in": 4},
    "a3c, gru": CARTPOLE_A3C | SEEN | LESS,
}


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> str:
    """PPO with an LSTM that sees CartPole's positions."""
    folder = tmp_path_factory.mktemp("teacher")
    run = triptych.train(runs_dir=folder, run_name="teacher", **POSITIONS_PPO | LESS | {"steps": 300}).path
    return file_of(run)


def played_and_learned(training: Any, steps: int) -> tuple[list[tuple[Any, np.ndarray, np.ndarray]], list[Taught]]:
    """What each game showed, whether it was an episode's first, and the batches that were learned from."""
    seen, batches = [], []
    learner = training.learner
    update, gradients = learner.update, learner.gradients

    def hearing(method: Callable[..., Any]) -> Callable[..., Any]:
        def heard(batch: Any, *given: Any) -> Any:
            batches.append(batch)
            return method(batch, *given)

        return heard

    learner.update, learner.gradients = hearing(update), hearing(gradients)
    for player in training.players():
        if player.learner is not learner:
            player.learner.gradients = hearing(player.learner.gradients)
            break
    ticks = training.ticks()
    while training.counters.steps < steps:
        player = getattr(training, "player", training)
        seen.append((player, player.obs.copy(), player.started.copy()))
        next(ticks)
    training.close()
    return seen, batches


def by_hand(training: Any, seen: list[tuple[Any, np.ndarray, np.ndarray]]) -> dict[bytes, np.ndarray]:
    """What the teacher gives for each observation, asked game by game with a state that is new in each episode."""
    found: dict[bytes, np.ndarray] = {}
    states: dict[tuple[int, int], Any] = {}
    learner = training.teacher.agent.learner
    for player, obs, started in seen:
        for game in range(len(obs)):
            state = states.get((id(player), game))
            if state is None or started[game]:
                state = np.zeros((1, training.teacher.agent.state_size), learner.precision)
            given = np.ascontiguousarray(obs[game : game + 1], learner.precision)
            outputs, states[id(player), game] = learner.act(given, state, np.zeros(1, bool))
            found[given.tobytes()] = outputs[0, :-1]
    return found


def check_lessons(training: Any, steps: int = 400) -> int:
    """Every lesson of a run is what the teacher gives by hand; how many there were."""
    seen, batches = played_and_learned(training, steps)
    known = by_hand(training, seen)
    burn_in, lessons = training.recipe.algorithm.unlearned_steps, 0
    assert all(isinstance(batch, Taught) for batch in batches)
    for batch in batches:
        inner = batch.batch
        if isinstance(inner, Transition):
            obs, mask = inner.obs, np.ones(len(inner.obs), bool)
        else:
            mask = inner.mask[burn_in:] if isinstance(inner, Rollout) else inner.mask
            obs = inner.obs[burn_in : burn_in + len(mask)]
        assert batch.teacher.shape[:-1] == mask.shape
        rows = np.ascontiguousarray(obs[mask > 0])
        wanted = np.stack([known[row.tobytes()] for row in rows])
        np.testing.assert_allclose(batch.teacher[mask > 0], wanted, rtol=1e-4, atol=1e-5)
        lessons += len(rows)
    return lessons


def student(name: str, teacher: str, **more: Any) -> Any:
    return training_of(STUDENTS[name], teacher=teacher, **more)


@pytest.mark.parametrize("name", STUDENTS)
def test_each_lesson_is_what_the_teacher_gives_who_saw_the_episode_from_its_start(name: str, teacher: str) -> None:
    assert check_lessons(student(name, teacher)) > 200


def never_reset(patch: pytest.MonkeyPatch) -> None:
    inner = Teacher.say
    patch.setattr(Teacher, "say", lambda self, obs, state, started: inner(self, obs, state, np.zeros_like(started)))


def always_reset(patch: pytest.MonkeyPatch) -> None:
    inner = Teacher.say
    patch.setattr(Teacher, "say", lambda self, obs, state, started: inner(self, obs, state, np.ones_like(started)))


def state_of_another_game(patch: pytest.MonkeyPatch) -> None:
    inner = Teacher.say

    def say(self: Teacher, obs: Any, state: np.ndarray, started: np.ndarray) -> Said:
        found = inner(self, obs, state, started)
        return found._replace(state=np.roll(found.state, 1, axis=0))

    patch.setattr(Teacher, "say", say)


def lesson_of_the_next_step(patch: pytest.MonkeyPatch) -> None:
    inner = Replay.told
    patch.setattr(Replay, "told", lambda self, batch, rows, games: inner(self, batch, rows + 1, games))


def the_state_stays(patch: pytest.MonkeyPatch) -> None:
    inner = Playing.advance

    def advance(self: Playing, choice: Any, *given: Any) -> Any:
        return inner(self, choice._replace(teacher=None), *given)

    patch.setattr(Playing, "advance", advance)


MUTATIONS = {
    "never reset": (never_reset, "dqn"),
    "never reset, on-policy": (never_reset, "ppo"),
    "always reset": (always_reset, "ppo"),
    "the state of another game": (state_of_another_game, "ppo, lstm"),
    "the lesson of the next step": (lesson_of_the_next_step, "drqn"),
    "the state stays as it was": (the_state_stays, "dqn"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_is_noticed(name: str, teacher: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutate, case = MUTATIONS[name]
    mutate(monkeypatch)
    with pytest.raises(AssertionError):
        check_lessons(student(case, teacher))


@pytest.mark.parametrize(("framework", "name"), [("torch", "a3c, gru"), ("jax", "dqn"), ("keras", "ppo, lstm")])
def test_a_run_that_was_stopped_goes_on_to_the_same_bytes(
    framework: str, name: str, teacher: str, tmp_path: Path
) -> None:
    def train(run: str, **more: Any) -> Any:
        settings = STUDENTS[name] | {"teacher": teacher, "teacher_until": 700}
        return triptych.train(framework=framework, runs_dir=tmp_path, run_name=run, **settings, **more)

    train("whole")
    assert train("stopped", callbacks=[interrupt_at(333)]).steps < 400
    assert triptych.resume(tmp_path / "stopped", video=False).steps >= 900
    assert_same(tmp_path / "whole", tmp_path / "stopped")


def test_the_teacher_plays_by_its_memory(teacher: str) -> None:
    alone = {"teacher_alone": True, "teacher_plays": 700, "algorithm.epsilon_start": 0.0, "algorithm.epsilon_end": 0.0}
    training = student("dqn", teacher, **alone, learning_rate=1e-9, warm_up=0)
    by_teacher = 0
    for _ in range(300):
        choice = training.select_actions()
        by_teacher += int((choice.actions == choice.teacher.outputs.argmax(axis=1)).all())
        next(ticks_of(training))
    assert by_teacher == 300
    training.close()


def ticks_of(training: Any) -> Any:
    if not hasattr(training, "running"):
        training.running = training.ticks()
    return training.running


def test_one_whose_time_is_up_is_asked_no_more_and_its_time_cannot_be_given_back(teacher: str) -> None:
    training = student("dqn", teacher, teacher_until=300)
    for _ in training.ticks():
        if training.counters.steps >= 500:
            break
    assert training.select_actions().teacher is None
    object.__setattr__(training.recipe, "teacher_until", 5_000)
    batches = [training.replay.sample(training.rngs["sample"], 64) for _ in range(20)]
    with pytest.raises(InputError, match="teacher_until is 5000; allowed: what it was when these steps were played"):
        list(map(training.taught, batches))
    training.close()
