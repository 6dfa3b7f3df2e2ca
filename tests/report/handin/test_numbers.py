"""What a report says of scores: right values, in words that hold."""

from __future__ import annotations

import dataclasses
import json
import shutil
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tests.report.handin.conftest import SCORES
from tests.report.test_page import made
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.report.handin.answer import answer, caption, unfinished
from triptych.report.handin.appendix import hidden_in
from triptych.report.handin.document import Figure, Heading, Table, Text
from triptych.report.handin.figures import answer_figure, curve_of, learning_figures, profile_figure
from triptych.report.handin.pairs import MOST_PAIRS, comparison, in_one_thing, pairs_of
from triptych.report.handin.request import Reading, Request, sections
from triptych.report.handin.rewards import rewards_of
from triptych.report.handin.studies import read_study
from triptych.report.handin.tasks import Group, Task, normalised, tasks_of, told_apart
from triptych.report.handin.thresholds import first_reach, halfway, thresholds
from triptych.report.handin.words import p_value
from triptych.report.logs import Log, read
from triptych.report.series import memory_of, series_of

DQN, JAX, PPO = SCORES.values()


@pytest.fixture(scope="module")
def task(runs: Path) -> Task:
    (found,) = tasks_of(read(str(runs), runs), {})
    return found


def texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def group(label: str, *scores: float) -> Group:
    return Group(label, "#d9560b", list(scores))


def said(*groups: Group) -> str:
    """What the answer says of groups that played one game."""
    return " ".join(block.text for block in answer([Task("Pong", list(groups), "the mean")]) if isinstance(block, Text))


def test_groups_are_recipe_and_framework_and_a_run_scores_the_mean_of_its_best_weights_tests(task: Task) -> None:
    assert {group.label: sorted(group.scores) for group in task.groups} == {
        "DQN in PyTorch": sorted(DQN), "DQN in JAX": sorted(JAX), "PPO in PyTorch": sorted(PPO),
    }  # fmt: skip
    assert task.measured == "the mean reward of its best weights in 50 test games"


def test_the_answers_table_has_mean_iqm_difference_and_test(task: Task) -> None:
    (table,) = [block for block in answer([task]) if isinstance(block, Table)]
    rows = {row[0]: row[1:] for row in texts(table)}
    first = task.groups[0].label
    others = {group.label: group.scores for group in task.groups[1:]}
    assert rows[first][:3] == ["3", f"{np.mean(task.groups[0].scores):.1f}", f"{np.mean(task.groups[0].scores):.1f}"]
    raw = {
        label: stats.ttest_ind(scores, task.groups[0].scores, equal_var=False).pvalue
        for label, scores in others.items()
    }
    low, high = sorted(raw.values())
    assert (low < 0.025, high > 0.05) == (True, True), "so Holm's correction leaves one"
    assert sorted(row[4] for label, row in rows.items() if label != first) == sorted(
        ["lower" if np.mean(PPO) < 400 else "higher", "not told apart"]
    )
    assert rows["PPO in PyTorch"][3] == f"-{np.mean(DQN if first == 'DQN in PyTorch' else JAX) - np.mean(PPO):.1f}"


def test_the_answer_is_said_in_a_sentence(task: Task) -> None:
    lines = " ".join(block.text for block in answer([task]) if isinstance(block, Text))
    assert "On CartPole-v1, DQN in JAX has the highest mean score: 410.3 over 3 runs" in lines
    assert "DQN in JAX cannot be told from DQN in PyTorch" in lines
    assert "PPO in PyTorch scores 180.0 less than DQN in PyTorch" in lines


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ([group("a", 1.0), group("b", 9.0)], "may be luck: more seeds would tell"),
        ([group("a", 5.0, 5.0), group("b", 9.0, 9.0)], "within each group all runs score the same"),
        ([group("a", 5.0, 5.0), group("b", 5.0, 5.0)], "a and b score the same, 5.00 on average, and none scores more"),
        ([group("a", 5.0, 8.0), group("b", 6.0, 9.0)], "a and b cannot be told apart by these runs: 6.50 over 2 runs and 7.50 over 2 runs, a difference of 1.00"),
        ([group("a", 5.0, 6.0)], "On Pong, a scores 5.50 on average over 2 runs"),
        ([group("a", 5.0), group("b", 6.0, 7.0), group("c", 6.0, 8.0)], "may be luck"),
        ([group(name, 5.0 + i, 6.0 - i) for i, name in enumerate("abcdef")], "of 5 other groups"),
    ],
)  # fmt: skip
def test_what_a_test_cannot_say_is_not_said(groups: list[Group], words: str) -> None:
    assert words.lower() in said(*groups).lower()


def test_without_a_score_the_answer_says_so() -> None:
    assert "None of these runs has a score yet" in answer(tasks_of([made("a", rows=0)], {}))[0].text  # type: ignore[union-attr]


def test_all_runs_are_judged_by_one_measure(runs: Path) -> None:
    """One run that was not tested: all are judged by training, else tests and training would be compared."""
    (found,) = tasks_of([*read(str(runs), runs), made("untested", framework="torch", seed=9)], {})
    assert found.measured.startswith("the mean reward of its last 100 training episodes")
    assert found.measured.endswith("(not every run was tested: triptych evaluate RUN)")
    assert max(score for group in found.groups for score in group.scores) < 70


def test_a_run_without_any_score_is_named() -> None:
    (found,) = tasks_of([made("a"), made("b", seed=1, rows=0)], {})
    assert found.left_out == ("b",)
    (caption,) = [block.caption for block in answer([found]) if isinstance(block, Table)]
    assert "Without a score, so not in the table: b." in caption


def test_pairs_differ_in_one_thing_and_the_higher_mean_stands_first(task: Task) -> None:
    found = {(pair.factor, pair.one.label, pair.other.label): pair for pair in pairs_of(task)}
    assert set(found) == {
        ("framework", "DQN in JAX", "DQN in PyTorch"),
        ("algorithm", "DQN in PyTorch", "PPO in PyTorch"),
    }
    better = found["framework", "DQN in JAX", "DQN in PyTorch"].better
    counted = np.mean([1.0 if a > b else 0.5 if a == b else 0.0 for a, b in product(JAX, DQN)])
    assert better is not None
    assert better.value == pytest.approx(counted)


def test_frameworks_of_a_recipe_are_tested_for_equivalence(task: Task) -> None:
    lines = {block.text for block in comparison([task], 40.0, []) if isinstance(block, Text)}
    same = "DQN in PyTorch and DQN in JAX score the same within 40.0 points (named by the author): the 90 % interval"
    assert any(line.startswith(same) for line in lines)
    assert any("with a margin of 40.0 points, named by the author" in line for line in lines)
    narrow = {block.text for block in comparison([task], 0.1, ["Lockstep: agree."]) if isinstance(block, Text)}
    assert any("not shown to score the same within 0.10 points" in line for line in narrow)
    assert "Lockstep: agree." in narrow


def test_steps_to_the_games_own_threshold_and_to_half_of_the_way_where_nobody_gets_there(task: Task) -> None:
    solved, half = (block for block in thresholds(task, None) if isinstance(block, Table))
    assert "475.0 over 100 training episodes, at which this game counts as solved" in solved.caption
    assert {row[1] for row in texts(solved)} == {"0 of 3"}
    assert "half of the way" in half.caption
    assert {row[1] for row in texts(half)} == {"3 of 3"}


def test_a_threshold_is_reached_over_a_whole_window_of_episodes() -> None:
    """The made curve is 20 + 0.1 row + sin(row + seed), 20 steps an episode: 40 is first passed in row 192."""
    log = made("a")
    rewards = log.columns["running_reward"]
    place = next(row for row in range(99, 400) if rewards[row] >= 40)  # type: ignore[operator]
    assert first_reach(log, 40.0) == (20.0 * (place + 1), 20.0 * (place + 1))
    assert first_reach(log, 5.0) == (2_000.0, 2_000.0), "not before 100 episodes"
    assert first_reach(log, 1_000.0) is None
    assert [row[1].text for row in thresholds(tasks_of([log], {})[0], 40.0)[0].rows] == ["1 of 1"]  # type: ignore[union-attr]


def test_a_studys_answer_is_tasks_by_variants_and_all_tasks_on_one_scale(study: Path) -> None:
    found = answer(read_study(study).tasks)
    (table,) = [block for block in found if isinstance(block, Table)]
    assert table.head == ["", "none", "lstm"]
    assert texts(table) == [
        ["chain", "0.05", "0.95"],
        ["catch", "0.50", "0.50"],
        ["all tasks, on one scale", "0.00", "1.00"],
    ]
    assert "without 1 task on which all score the same" in table.caption
    strong = [[cell.strong for cell in row[1:]] for row in table.rows[:2]]
    assert strong == [[False, True], [True, True]], "equal ones are both the highest"
    assert found[0].text == "Highest score in the 2 tasks: lstm in 2; none in 1 (ties count for each)."  # type: ignore[union-attr]


def test_a_studys_steps_to_its_threshold_are_those_that_it_kept(study: Path) -> None:
    (table,) = thresholds(read_study(study).tasks[0], None)
    assert isinstance(table, Table)
    assert texts(table) == [["none", "0 of 2", "-", "-"], ["lstm", "2 of 2", "2,000", "-"]]
    assert "which the study named before its runs" in table.caption


def test_figures_hold_the_numbers_of_the_tables(task: Task) -> None:
    (point, *_) = answer_figure(task, "x").points
    assert (point.value, sorted(point.each)) == (task.groups[0].mean[0], sorted(task.groups[0].scores))
    by_steps, by_seconds = learning_figures(task, "x", 475.0)
    assert [line.label for line in by_steps.lines] == [group.label for group in task.groups]
    assert by_seconds.x == "seconds"
    assert by_steps.marks == [], "so far above the curves that it would press them flat"
    assert learning_figures(task, "x", 65.0)[0].marks == [("threshold", 65.0)]
    profile = profile_figure([task.groups], "x", "score")
    assert all(line.y[0] == 1.0 and line.y[-1] == 0.0 for line in profile.lines)


def test_one_run_each_gives_no_profile_and_no_probability() -> None:
    blocks = comparison([Task("Pong", [group("a", 1.0), group("b", 2.0)], "the mean")], None, [])
    assert not [block for block in blocks if isinstance(block, Figure)]


def test_sections_hold_runs_studies_and_proofs(runs: Path, study: Path, tmp_path: Path) -> None:
    (tmp_path / "verdict.json").write_text(
        '{"agree": true, "steps": 3000, "updates": 2999, "worst_relative": 1e-13, "first_difference": null}'
    )
    request = Request("Q?", sections=(("Bonus", (str(study),)),))
    first, bonus = sections([str(runs), str(tmp_path)], request, Reading(runs))
    assert (len(first.logs), len(first.studies), len(first.verdicts)) == (9, 0, 1)
    assert (bonus.name, len(bonus.logs), bonus.studies[0].kept.learned) == ("Bonus", 0, "LSTM wins.")


def test_a_studys_variants_are_compared_and_its_films_are_there(study: Path, tmp_path: Path) -> None:
    shutil.copytree(study, tmp_path / "study")
    (tmp_path / "study" / "film.mp4").write_bytes(b"x")
    (tmp_path / "outside.mp4").write_bytes(b"x")
    films = {"chain": {"file": "film.mp4", "settings": []}, "catch": {"file": "../outside.mp4", "settings": []}}
    (tmp_path / "study" / "films.json").write_text(json.dumps(films))
    found = read_study(tmp_path / "study")
    assert [(film.file.name, film.run, film.is_of_several) for film in found.films] == [
        ("film.mp4", "memory, chain", True)
    ]
    headings = [block.text for block in comparison(found.tasks, None, []) if isinstance(block, Heading)]
    assert headings == ["chain", "Variants, two by two", "catch", "Variants, two by two"]


def test_logs_of_other_tools_are_groups_too() -> None:
    logs = [
        Log(name, {"steps": [1.0, 2.0], "running_reward": [1.0, value]}, played="Pong")
        for name, value in (("a", 3.0), ("b", 5.0))
    ]
    (found,) = tasks_of(logs, {})
    assert [(group.label, group.scores) for group in found.groups] == [("a", [3.0]), ("b", [5.0])]


def test_a_log_without_episodes_is_judged_by_its_last_hundred_rows_and_says_so() -> None:
    log = Log(
        "own", {"steps": [10.0 * row for row in range(300)], "episode_reward": [float(row) for row in range(300)]}
    )
    (found,) = tasks_of([log], {})
    assert found.groups[0].scores == [np.mean(range(200, 300))]
    assert (
        "(of own the mean of the last 100 rows of its log, which does not say that each is an episode)"
        in found.measured
    )
    assert first_reach(log, 100.0) == (1500.0, None), "rows 51 to 150 have a mean of 100.5"
    assert curve_of(found.groups[0], "steps") is not None


def test_means_of_other_tools_reach_a_threshold_from_their_first_row_on() -> None:
    """A row of SB3's progress.csv or of Spinning Up's is a mean of many episodes already."""
    steps = [2048.0 * row for row in range(1, 21)]
    for name in ("running_reward", "mean_reward"):
        log = Log("sb3", {"steps": steps, name: [10.0 * row for row in range(1, 21)]})
        assert first_reach(log, 150.0) == (15 * 2048.0, None)
        assert tasks_of([log], {})[0].groups[0].scores == [200.0]


def test_short_runs_are_said_to_be_short() -> None:
    (found,) = tasks_of([made("a", rows=12)], {})
    assert found.measured.endswith("(of shorter runs as many as there are)")
    assert rewards_of(made("a", rows=0)) is None


def test_a_seed_without_an_episode_does_not_hide_its_groups_curve() -> None:
    (found,) = tasks_of([made("a"), made("b", seed=1), made("c", seed=2, rows=0)], {})
    (line, *_) = learning_figures(found, "x")[0].lines
    assert line.y[-1] == pytest.approx(
        np.mean([made("", seed=seed).columns["running_reward"][-1] for seed in (0, 1)]), rel=1e-5
    )


def test_a_p_value_is_never_read_on_the_wrong_side() -> None:
    assert [p_value(p) for p in (None, 0.0002, 0.0123, 0.0499, 0.04996, 0.05004, 0.3)] == [
        "", "p < 0.001", "p = 0.012", "p = 0.04990", "p = 0.04996", "p = 0.05004", "p = 0.30",
    ]  # fmt: skip


def test_what_holms_correction_counts_are_the_tests_that_were_made() -> None:
    """Of three others one has a single run."""
    groups = [group("a", 1.0, 2.0), group("b", 2.0, 3.5), group("c", 4.0, 5.5), group("d", 9.0)]
    (table,) = [block for block in answer([Task("Pong", groups, "the mean")]) if isinstance(block, Table)]
    assert "corrected for 2 tests at once (Holm), the intervals are not" in table.caption


def test_more_pairs_than_fit_are_counted() -> None:
    groups = [group(f"g{place}", place, place + 0.5) for place in range(8)]
    task = Task("Pong", groups, "the mean")
    assert (len(in_one_thing(task)), len(pairs_of(task))) == (28, MOST_PAIRS)
    notes = [block.text for block in comparison([task], None, []) if isinstance(block, Text)]
    assert "The first 24 of 28 pairs are shown." in notes


def test_tasks_below_chance_have_no_scale_but_count_for_who_is_better() -> None:
    def task(name: str, low: float, high: float) -> Task:
        return Task(name, [group("a", low, low), group("b", high, high + 1)], "the mean", chance=10.0)

    tasks = [task(name, 1.0, 2.0) for name in "pqrs"] + [task("t", 20.0, 30.0)]
    assert normalised(tasks)[1].endswith("without 4 tasks on which nobody scores more than random play")
    figures = {block.title: block for block in comparison(tasks, None, []) if isinstance(block, Figure)}
    assert "averaged over 5 tasks" in figures["Probability of improvement"].caption
    assert figures["Probability of improvement"].points[0].value == 1.0


def test_one_studys_tasks_in_two_frameworks_stand_apart(study: Path, tmp_path: Path) -> None:
    shutil.copytree(study, tmp_path / "jax")
    kept = json.loads((study / "study.json").read_text())
    (tmp_path / "jax" / "study.json").write_text(json.dumps(kept | {"framework": "jax"}))
    both = [read_study(study), read_study(tmp_path / "jax")]
    tasks = told_apart([(one.whose, task) for one in both for task in one.tasks])
    assert [task.name for task in tasks] == [
        f"{name} (memory in {title})" for title in ("PyTorch", "JAX") for name in ("chain", "catch")
    ]
    (table,) = [block for block in answer(tasks) if isinstance(block, Table)]
    assert len(table.rows) == 5, "a row each, and all on one scale"
    again = told_apart([("", task) for task in [both[0].tasks[0]] * 2])
    assert [task.name for task in again] == ["chain", "chain, 2"]


def test_what_looks_alike_in_the_table_is_a_tie() -> None:
    tasks = [
        Task("one", [group("a", 1.0, 1.0, 0.9991), group("b", 1.0, 0.9999, 0.998)], "a score"),
        Task("two", [group("a", 3.0, 3.0), group("b", 2.0, 2.0)], "a score"),
    ]
    lines = " ".join(block.text for block in answer(tasks) if isinstance(block, Text))
    assert "Highest score in the 2 tasks: a in 2; b in 1 (ties count for each)." in lines


def test_what_remembers_is_named() -> None:
    assert [memory_of(load_recipe(name)) for name in ("cartpole-positions-ppo", "cartpole", "space-invaders", "kung-fu-master-ff")] == [
        "lstm 64", "none", "none, but 4 observations at once", "none, but 4 observations at once",
    ]  # fmt: skip


def test_what_is_hidden_from_the_agent_stands_beside_its_game() -> None:
    blind = override(load_recipe("kung-fu-master"), {"env.flicker": 0.5})
    assert [hidden_in(recipe) for recipe in (load_recipe("cartpole"), load_recipe("drqn-cartpole"), blind)] == [
        "", "positions alone are seen", "50 % of the pictures are black",
    ]  # fmt: skip


def test_no_threshold_is_asked_halfway_to_a_curve_that_never_rises_above_chance() -> None:
    log = made("a")
    assert halfway(Task("Pong", [], "the mean", logs=[log], chance=10.0)) is not None
    assert halfway(Task("Pong", [], "the mean", logs=[log], chance=1_000.0)) is None


def test_runs_that_differ_in_their_memory_are_named_by_it() -> None:
    recipe, log = load_recipe("drqn-cartpole"), made("a")
    both = (recipe, override(recipe, {"memory": "none"}))
    logs = [dataclasses.replace(log, config=(log.config or {}) | {"recipe": one}) for one in both]
    assert [series.label for series in series_of(logs)] == ["lstm 64", "no memory"]


def test_a_run_that_is_not_at_its_end_is_named(task: Task) -> None:
    log = task.logs[0]
    assert not unfinished(dataclasses.replace(log, summary={"stopped_by": "solved"}))
    assert log.recipe is not None
    assert log.config is not None
    longer = dataclasses.replace(log.recipe, steps=10**9)
    short = dataclasses.replace(log, summary={}, config=log.config | {"recipe": longer})
    assert unfinished(short)
    told = caption(dataclasses.replace(task, logs=[short, *task.logs[1:]]))
    assert f"Not trained to the end, in steps: {log.name} (" in told
    assert "of 1,000,000,000)" in told
