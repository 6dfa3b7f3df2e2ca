"""The search's order: the same trials whatever is faster, however many go on at once, and when it is killed and goes on."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest

from triptych.experiments.tune import check_optuna
from triptych.experiments.tune.importance import importances
from triptych.experiments.tune.journal import Journal
from triptych.experiments.tune.over import parse_space
from triptych.experiments.tune.plan import Plan, grid_of, read_plan, write_plan
from triptych.experiments.tune.result import best_course
from triptych.experiments.tune.search import Search
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.utils.checks import InputError, WorkerError

RECIPE = override(load_recipe("cartpole"), {"steps": 9_000, "network.dense_1.units": 64})
OVER = ("optimiser.learning_rate=1e-5..1e-2:log", "algorithm.n_step=1..5", "network.dense_1.units=16,32,64")


def score_of(job: dict[str, Any]) -> float:
    """Best at a rate of 1e-3 and 64 units; more steps are better, and seeds have luck. What n_step is does not matter."""
    recipe = job["recipe"]
    distance = abs(math.log10(recipe["optimiser"]["learning_rate"]) + 3)
    steps = (job["until"] or 9_000) / 9_000
    return round(100 * steps - 20 * distance + recipe["network"][0]["units"] / 10 + recipe["seed"], 6)


def answer(job: dict[str, Any]) -> dict[str, Any]:
    ended = "" if job["until"] else "steps"
    return {
        "steps": job["until"] or 9_000,
        "seconds": 1.0,
        "why": None,
        "score": score_of(job),
        "rewards": [],
        "ended": ended,
    }


class Killed(Exception):
    """The searching process, in the middle of it."""


def made(folder: Path, at_once: int = 1, **given: Any) -> Search:
    plan = Plan("cartpole", "torch", OVER, **{"trials": 20} | given)
    folder.mkdir(exist_ok=True)
    check_optuna()  # which makes it quiet
    return Search(plan, RECIPE, parse_space(plan.over, RECIPE), folder, at_once, quiet=True)


def work(search: Search, luck: int, kill_after: int = 10_000, answer: Any = answer) -> None:
    """Does all jobs as `work_all` would, where any of those that run may end next."""
    draws, running, done = random.Random(luck), list(enumerate(search.jobs())), 0
    while running:
        assert len(running) <= search.at_once
        place, job = running.pop(draws.randrange(len(running)))
        given = len(search.places)
        running += enumerate(search.then(place, answer(job)), given)
        done += 1
        if done == kill_after:
            raise Killed


def told(search: Search) -> list[Any]:
    return [(course.outcome, course.trial.names, course.trial.scores) for course in search.courses]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The trials of a search that does one after the other."""
    search = made(tmp_path_factory.mktemp("alone"))
    work(search, 0)
    return told(search)


def test_a_search_gives_trials_up_and_brings_others_to_their_end(alone: list[Any]) -> None:
    outcomes = [outcome for outcome, _, _ in alone]
    assert set(outcomes) == {"finished", "pruned"}
    assert outcomes.count("pruned") >= 4
    for outcome, _, scores in alone:
        assert list(scores) == [1, 3, 9][: len(scores)]
        assert (len(scores) == 3) == (outcome == "finished")


def test_the_first_trial_is_the_recipe_itself(alone: list[Any]) -> None:
    outcome, names, _ = alone[0]
    assert outcome == "finished"
    assert names == {"optimiser.learning_rate": 5e-4, "algorithm.n_step": 1, "network.dense_1.units": 64}


@pytest.mark.parametrize(("at_once", "luck"), [(2, 1), (3, 2), (8, 3), (30, 4)])
def test_the_trials_are_the_same_however_many_go_on_at_once(
    at_once: int, luck: int, alone: list[Any], tmp_path: Path
) -> None:
    search = made(tmp_path, at_once)
    work(search, luck)
    assert told(search) == alone


@pytest.mark.parametrize("after", [1, 5, 17, 30])
def test_the_trials_are_the_same_where_the_search_was_killed(after: int, alone: list[Any], tmp_path: Path) -> None:
    with pytest.raises(Killed):
        work(made(tmp_path, 3), 1, kill_after=after)
    with pytest.raises(Killed):
        work(made(tmp_path, 2), 2, kill_after=3)
    search = made(tmp_path, 4)
    work(search, 3)
    assert told(search) == alone


@pytest.mark.parametrize("written", [False, True])
def test_a_trial_is_the_same_where_the_search_was_killed_while_it_wrote_its_end(
    written: bool, alone: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Just before the score of its whole run, or just behind it."""
    report = Journal.report

    def killed(self: Journal, number: int, rung: int, score: float) -> None:
        if rung < 9 or written:
            report(self, number, rung, score)
        if rung == 9:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "report", killed)
        with pytest.raises(Killed):
            work(made(tmp_path), 1)
    search = made(tmp_path)
    assert (search.courses[0].outcome == "finished") == written
    work(search, 1)
    assert told(search) == alone


def test_a_search_that_is_over_has_nothing_to_do(tmp_path: Path) -> None:
    search = made(tmp_path, 3)
    work(search, 1)
    again = made(tmp_path)
    assert again.jobs() == []
    assert told(again) == told(search)


def test_more_trials_go_on_as_if_there_had_been_as_many_from_the_start(alone: list[Any], tmp_path: Path) -> None:
    work(made(tmp_path, 2, trials=12), 1)
    search = made(tmp_path, 2)
    work(search, 1)
    assert told(search) == alone


def test_a_search_learns_from_its_trials(tmp_path: Path) -> None:
    """The last quarter of them lies nearer to the best rate than those that were drawn by chance."""
    search = made(tmp_path, 2, trials=40, window=2, pruner="none")
    work(search, 1)
    distances = [abs(math.log10(course.trial.names["optimiser.learning_rate"]) + 3) for course in search.courses]
    assert sum(distances[30:]) / 10 < 0.5 * sum(distances[1:11]) / 10
    found = importances(search)
    assert max(found, key=lambda path: found[path]) == "optimiser.learning_rate"
    assert sum(found.values()) == pytest.approx(1)


def test_jobs_that_go_on_at_the_same_time_try_different_values(tmp_path: Path) -> None:
    """The values of trials whose end is not known yet change what TPE draws next."""
    drawn = []
    for tried in (max, min):
        search = made(tmp_path / tried.__name__, 2, trials=12, pruner="none")
        work(search, 1)
        names = tried(search.courses, key=lambda course: course.score or 0.0).trial.names
        for _ in range(4):
            search.journal.begin(names)
        drawn.append([search.journal.draw(16, 12, "tpe", seed) for seed in range(4)])
    assert drawn[0] != drawn[1]


@pytest.mark.parametrize("sampler", ["random", "grid"])
def test_other_samplers_try_as_many(sampler: Any, tmp_path: Path) -> None:
    search = made(tmp_path, 2, sampler=sampler, pruner="none", trials=30)
    work(search, 1)
    names = {json.dumps(course.trial.names) for course in search.courses}
    assert len(names) == len(search.courses) == {"random": 30, "grid": 27}[sampler]


def test_a_grid_that_is_too_large_is_refused() -> None:
    plan = Plan("cartpole", "torch", OVER, trials=11, sampler="grid")
    with pytest.raises(InputError, match="trials is 11; allowed: 12 or more"):
        grid_of(plan, parse_space(OVER, RECIPE))


def test_a_trial_s_score_is_the_mean_of_its_seeds(tmp_path: Path) -> None:
    search = made(tmp_path, 3, trials=2, seeds_per_trial=3, pruner="none")
    work(search, 1)
    course = search.courses[1]
    alone = made(tmp_path / "one", trials=2, pruner="none")
    work(alone, 1)
    assert course.trial.last == pytest.approx(alone.courses[1].trial.last + 1)  # type: ignore[operator]  # of seeds 0, 1, 2


def test_a_run_that_diverges_is_no_trial_to_choose(tmp_path: Path) -> None:
    def diverging(job: dict[str, Any]) -> dict[str, Any]:
        if job["recipe"]["network"][0]["units"] == 64:
            return answer(job) | {"ended": "diverged", "score": None, "why": "the loss is nan"}
        return answer(job)

    search = made(tmp_path, 3)
    work(search, 1, answer=diverging)
    outcomes = {course.trial.names["network.dense_1.units"]: course.outcome for course in search.courses}
    assert outcomes[64] == "diverged"
    assert best_course(search).trial.names["network.dense_1.units"] != 64


def test_where_no_trial_comes_to_its_end_it_says_so(tmp_path: Path) -> None:
    search = made(tmp_path, trials=2)
    work(search, 1, answer=lambda job: answer(job) | {"ended": "diverged", "score": None, "why": "nan"})
    with pytest.raises(WorkerError, match="no trial came to its end \\(trial 0 diverged, trial 1 diverged\\)"):
        best_course(search)


def test_values_that_do_not_go_together_are_a_trial_that_is_never_trained(tmp_path: Path) -> None:
    over = ("algorithm.replay_size=40..200", "algorithm.batch_size=32..128")
    space = parse_space(over, RECIPE)
    search = Search(Plan("cartpole", "torch", over, trials=20), RECIPE, space, tmp_path, 2, True)
    work(search, 1)
    refused = [course for course in search.courses if course.outcome == "refused"]
    assert refused
    for course in refused:
        assert course.trial.scores == {}
        assert "batch_size" in course.trial.notes["why"]
    again = Search(search.plan, RECIPE, space, tmp_path, 2, True)
    assert told(again) == told(search)


def test_what_a_search_is_can_be_read_back(tmp_path: Path) -> None:
    plan = Plan("cartpole", "torch", OVER, sampler="random")
    write_plan(tmp_path, plan, RECIPE)
    assert read_plan(tmp_path) == (plan, RECIPE)
    assert plan.fingerprint(RECIPE) == Plan("cartpole", "torch", OVER, sampler="random", trials=99).fingerprint(RECIPE)
    assert plan.fingerprint(RECIPE) != Plan("cartpole", "torch", OVER).fingerprint(RECIPE)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"trials": 0}, "trials is 0; allowed: above 0"),
        ({"sampler": "tp"}, "sampler is 'tp'; allowed: tpe, random, grid"),
    ],
)
def test_a_plan_is_checked(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Plan("cartpole", "torch", OVER, **given)


def test_a_damaged_journal_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "journal.log").write_text("{}\nnonsense\n{}\n")
    with pytest.raises(InputError, match=r"journal\.log is damaged"):
        made(tmp_path)
