"""A3C's workers in one process: one alone is A2C, and what a checkpoint keeps of several."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from triptych import envs, evaluate, frameworks, load_agent, train
from triptych.cli.parse import parse
from triptych.cli.runs import Train
from triptych.frameworks import FRAMEWORKS
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.training.asynchronous import Scheduled
from triptych.training.build import make_training
from triptych.training.loop import run_loop
from triptych.training.worker import Worker
from triptych.utils.checks import InputError
from triptych.utils.files import read_tensors
from triptych.utils.state import State

OWN = ("seconds", "staleness_mean", "staleness_max")  # columns that differ, or that A2C has not
FOUR = {
    "memory": "lstm", "network.2.units": 8, "workers": 4, "num_envs": 2, "algorithm.delays": (0, 1, 2, 3),
    "algorithm.rollout_steps": 4, "precision": "float64",
}  # fmt: skip


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return [{name: value for name, value in row.items() if name not in OWN} for row in csv.DictReader(file)]


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("memory", ["none", "gru"])
def test_one_worker_without_delay_is_a2c(framework: str, memory: str, tmp_path: Path) -> None:
    """To the last bit: episodes, metrics, weights."""
    changes = {"steps": 1_500, "memory": memory, "log_every": 200, "evaluate_every": 600, "evaluate_games": 2, "best_window": 5}  # fmt: skip
    for name, more in (("a2c", {}), ("a3c", {"workers": 1})):
        given: dict[str, Any] = {**changes, **more, "video": False, "runs_dir": tmp_path, "run_name": name}
        train(f"cartpole-{name}", framework, **given)
    for log in ("episodes.csv", "metrics.csv"):
        assert len(rows(tmp_path / "a2c" / log)) > 5
        assert rows(tmp_path / "a2c" / log) == rows(tmp_path / "a3c" / log)
    for weights in ("best", "latest"):
        ours, theirs = (
            read_tensors(tmp_path / name / f"checkpoints/{weights}.safetensors")[0] for name in ("a2c", "a3c")
        )
        assert ours.keys() == theirs.keys()
        assert all(ours[name].tobytes() == theirs[name].tobytes() for name in ours)


def make(**changes: Any) -> Scheduled:
    recipe = override(load_recipe("cartpole-a3c"), FOUR | changes)
    training = make_training(recipe, envs.make(recipe.env, recipe.num_envs), frameworks.load("torch").Learner)
    assert isinstance(training, Scheduled)
    return training


def copied(state: State) -> State:
    return State({name: np.array(array) for name, array in state.arrays.items()}, state.json)


def check_resume(steps: int = 44, beyond: int = 20) -> None:
    """The state after each step, taken up by another training, leads to the same state later."""
    training, kept = make(), []
    for _ in itertools.islice(run_loop(training), steps):
        kept.append(copied(training.get_state(here=True)))
    for _ in itertools.islice(run_loop(training), beyond):
        pass
    wanted = training.get_state(here=True)
    assert wanted.json["staleness"]["largest"] == 3
    for done, state in enumerate(kept, start=1):
        other = make()
        other.set_state(state)
        for _ in itertools.islice(run_loop(other), steps - done + beyond):
            pass
        found = other.get_state(here=True)
        assert found.json == wanted.json, done
        assert found.arrays.keys() == wanted.arrays.keys(), done
        assert all(found.arrays[name].tobytes() == wanted.arrays[name].tobytes() for name in wanted.arrays), done


def test_a_state_of_any_step_goes_on_to_the_same() -> None:
    check_resume()


MUTATIONS: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "a worker's weights are those of the learner": (
        Worker, "set_learner", lambda keep: lambda self, arrays: keep(self, {k: v + 1 for k, v in arrays.items()}),
    ),
    "weights in the middle of a rollout are not loaded": (Worker, "load", lambda keep: lambda self: self.rollout.filled or keep(self)),
    "workers change places": (
        State, "part", lambda keep: lambda self, name: keep(self, {"worker-1": "worker-2", "worker-2": "worker-1"}.get(name, name)),
    ),
    "the turn is forgotten": (
        Scheduled, "set_state", lambda keep: lambda self, state: keep(self, state._replace(json=state.json | {"turn": 0})),
    ),
}  # fmt: skip


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_state_that_is_taken_up_otherwise_is_found(mutation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place, attribute, mutant = MUTATIONS[mutation]
    monkeypatch.setattr(place, attribute, mutant(getattr(place, attribute)))
    with pytest.raises(AssertionError):
        check_resume(32, 8)


def test_workers_play_games_of_their_own() -> None:
    training = make(**{"algorithm.delays": (0, 0, 0, 0)})
    first = [worker.obs.copy() for worker in training.workers]
    assert all((a != b).any() for a, b in itertools.combinations(first, 2))
    ticks = list(itertools.islice(run_loop(training), 64))
    assert [tick.step.obs.tolist() for tick in ticks[:4]] != [tick.step.obs.tolist() for tick in ticks[4:8]]
    assert training.counters.steps == sum(worker.counters.steps for worker in training.workers)
    assert training.counters.episodes == sum(worker.counters.episodes for worker in training.workers)


def test_what_a_run_says_of_its_workers(tmp_path: Path) -> None:
    """Logs and summary, and all that is done with a run of any other kind."""
    given = {"steps": 3_000, "num_envs": 2, "algorithm.rollout_steps": 8, "log_every": 500, "video": False}
    run = train(
        "cartpole-a3c", workers=3, runs_dir=tmp_path, run_name="run", **{"algorithm.delays": (0, 1, 2)}, **given
    )
    assert run.staleness_mean == pytest.approx(1, abs=0.1)
    assert (run.staleness_max, run.gradients_dropped, run.worker_deaths) == (2, 0, 0)
    with open(run.path / "metrics.csv", newline="") as file:
        logged = list(csv.DictReader(file))
    assert all(float(row["staleness_mean"]) == pytest.approx(1, abs=0.2) for row in logged)
    assert {float(row["staleness_max"]) for row in logged} == {2.0}
    assert evaluate(run.path, 1, weights="latest").policy == "sample"
    assert load_agent(run.path, weights="latest").predict(np.zeros(4, np.float32))[0] in (0, 1)
    dropped = train("cartpole-a3c", workers=3, runs_dir=tmp_path, **{"algorithm.max_staleness": 1}, **given)
    assert dropped.gradients_dropped is not None
    assert dropped.staleness_max is not None
    assert dropped.gradients_dropped > 10
    assert dropped.staleness_max <= 1


def test_settings_of_workers() -> None:
    flags = [
        "cartpole-a3c",
        "--workers",
        "3",
        "--algorithm.delays",
        "0",
        "1",
        "2",
        "--algorithm.schedule",
        "round-robin",
    ]
    config: Any = parse(Train, "train", flags).recipe.algorithm
    assert (config.workers, config.delays, config.oldest) == (3, (0, 1, 2), 12)
    assert [override(load_recipe("cartpole-a3c"), {"workers": 4}).algorithm.delay(n) for n in range(4)] == [3] * 4  # type: ignore[attr-defined]
    for changes, line in (
        ({"workers": 0}, "workers is 0; allowed: above 0"),
        ({"algorithm.delays": (0, 2)}, r"delays is \(0, 2\); allowed: 2 whole numbers from 0 to 1 \(workers - 1\), one a worker"),
        ({"algorithm.delays": (0,)}, r"delays is \(0,\); allowed: 2 whole numbers"),
        ({"algorithm.schedule": "random"}, "schedule is 'random'; allowed: round-robin"),
        ({"algorithm.max_staleness": -1}, "max_staleness is -1; allowed: 0 or more"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=line):
            override(load_recipe("cartpole-a3c"), changes)
    late = override(load_recipe("cartpole-a3c"), {"workers": 3, "algorithm.max_staleness": 1})
    assert late.warnings() == ["gradients of worker 0, 1, 2 come later than max_staleness (1) and are dropped"]
    with pytest.raises(InputError, match="workers"):
        parse(Train, "train", ["cartpole-a2c", "--workers", "2"])
