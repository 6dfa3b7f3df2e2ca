"""The scoreboard: what counts as found, and a small part of it played."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import forks
from tests.checkup.test_docs import signals
from tests.cli.test_cli import call
from triptych.checkup.faults import FAULTS
from triptych.checkup.looks import Checkup
from triptych.cli.scoreboard import line_of
from triptych.experiments.scoreboard import case as cases
from triptych.experiments.scoreboard import rows as board
from triptych.experiments.scoreboard import run as running
from triptych.experiments.scoreboard.case import Case, play
from triptych.experiments.scoreboard.expected import EXPECTED, NAMED, SETTING_THE_SCENE, names_of
from triptych.experiments.scoreboard.page import cell
from triptych.experiments.scoreboard.rows import Row, as_json, counted, fault_row, healthy_row
from triptych.experiments.scoreboard.run import scoreboard
from triptych.experiments.scoreboard.series import run_one
from triptych.frameworks import FRAMEWORKS
from triptych.utils.checks import InputError

CASE = Case("torch", "cartpole", "updates-never-reached", 20.0, ("known",), ("no-updates",))


def told(*signals: str, outcome: str = "run") -> dict[str, Any]:
    """What a process answers."""
    alarms = [
        {"signal": name, "severity": "warn", "step": 100 * n, "title": "", "measured": "", "seconds": float(n)}
        for n, name in enumerate(signals, 1)
    ]
    return {"outcome": outcome, "alarms": alarms, "steps": 900, "seconds": 9.0, "why": ""}


def test_an_alarm_that_the_healthy_run_has_too_finds_nothing() -> None:
    assert fault_row(CASE, told("known")).outcome == "missed"
    assert fault_row(CASE, told()).signal is None


def test_any_other_alarm_finds_it_and_one_that_names_it_says_when() -> None:
    row = fault_row(CASE, told("known", "flat", "no-updates"))
    assert (row.outcome, row.named, row.signal, row.step, row.seconds) == ("found", True, "no-updates", 300, 3.0)
    assert row.alarms == ("flat", "no-updates")
    unnamed = fault_row(CASE, told("flat"))
    assert (unnamed.outcome, unnamed.named, unnamed.signal) == ("found", False, "flat")


def test_what_cannot_be_expressed_is_neither_found_nor_missed() -> None:
    rows = [fault_row(CASE, told(outcome="not applicable")), fault_row(CASE, told("flat")), fault_row(CASE, told())]
    found = counted(rows)
    assert (found.found, found.of, found.not_applicable, found.false_alarms) == (1, 2, 1, 0)


def test_an_alarm_of_a_healthy_run_is_false_unless_the_recipe_is_known_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(board.EXPECTED, "breakout", ("epsilon",))
    healthy = dataclasses.replace(CASE, fault=None, recipe="breakout")
    rows = [healthy_row(healthy, told(*some)) for some in ((), ("epsilon",), ("epsilon", "flat", "still"))]
    assert [row.outcome for row in rows] == ["quiet", "expected", "false alarm"]
    assert counted(rows).false_alarms == 2
    assert healthy_row(healthy, told(outcome="failed")).outcome == "failed"


def test_every_name_that_signals_have_is_of_a_mistake() -> None:
    assert set(NAMED) <= {fault.row for fault in FAULTS.values()} | set(FAULTS)
    assert "no-updates" in names_of(FAULTS["warm-up-beyond-the-run"])


def test_every_alarm_that_names_a_mistake_is_one_that_there_is() -> None:
    names = {one.name for one in signals()}
    for table_of in (NAMED, EXPECTED):
        assert {name for some in table_of.values() for name in some} <= names


class Played:
    """Stands in for the processes of a framework: answers cases by a table, and notes them."""

    def __init__(self, answers: dict[str | None, dict[str, Any]]):
        self.answers, self.cases = answers, []

    def __call__(self, framework: str, jobs: int) -> Played:
        return self

    def __enter__(self) -> Played:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def run(self, cases: list[Case], note: Callable[[Case, dict[str, Any]], None]) -> None:
        self.cases += cases
        for case in cases:
            note(case, self.answers.get(case.fault, told()))


def played(monkeypatch: pytest.MonkeyPatch, **answers: dict[str, Any]) -> Played:
    found = Played({None if name == "healthy" else name.replace("_", "-"): answer for name, answer in answers.items()})
    monkeypatch.setattr(running, "Series", found)
    return found


def test_a_fault_whose_baseline_failed_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = told(outcome="failed") | {"why": "ValueError: no"}
    series = played(monkeypatch, healthy=broken, updates_never_reached=told("no-updates"))
    found = scoreboard(["torch"], ["updates-never-reached"], healthy=False)
    (row,) = (row for row in found.rows if row.fault)
    assert (row.outcome, row.alarms, row.named) == ("failed", (), False)
    assert row.why == "the same run without the mistake failed: ValueError: no"
    assert (found.found, found.of) == (0, 1)
    assert [case.fault for case in series.cases] == [None]
    assert "torch: **failed**" in "".join(f"torch: {cell(row)}" for row in found.rows if row.fault)


def test_a_baseline_has_the_settings_that_a_fault_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    series = played(monkeypatch)
    found = scoreboard(["torch"], ["tests-with-the-target", "relu-head", "tests-without-one-layer"], healthy=False)
    baselines = [case for case in series.cases if case.fault is None]
    target = next(case for case in series.cases if case.fault == "tests-with-the-target")
    assert {str(case.scene) for case in baselines if case.recipe == "cartpole"} == {"{}", "{'evaluate_every': 1950}"}
    assert target.settings in [case.settings for case in baselines]
    assert len({row.key for row in found.rows}) == len(found.rows)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_other_settings_are_the_mistake_where_no_code_is_changed(framework: str) -> None:
    changed = {name for name, fault in FAULTS.items() if fault.changes}
    healthy = {name for name in changed if FAULTS[name].patches(framework)}
    assert healthy == set(SETTING_THE_SCENE), "a fault that changes code and settings belongs into SETTING_THE_SCENE"


@pytest.mark.parametrize(("fault", "asked"), [(None, 1), ("tests-with-the-target", 0)])
def test_check_is_asked_of_a_baseline_whose_time_is_over(
    fault: str | None, asked: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls: list[Any] = []

    def checked(*given: Any) -> Checkup:
        calls.append(given)
        return Checkup("")

    monkeypatch.setattr(cases, "check", checked)
    play(Case("torch", "cartpole", fault, 1e-6), tmp_path / "answer.json")
    assert json.loads((tmp_path / "answer.json").read_text())["outcome"] == "run"
    assert len(calls) == asked


def test_healthy_runs_can_be_made_alone_and_of_some_recipes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    series = played(monkeypatch)
    words = ("--healthy-only", "--recipe", "cartpole", "--recipe", "Memory_Chain", "--seeds", "2", "--framework", "jax")
    assert call("scoreboard", *words, "--json") == 0
    assert [(case.recipe, case.fault, case.seed) for case in series.cases] == [
        ("cartpole", None, 0),
        ("memory-chain", None, 0),
        ("cartpole", None, 1),
        ("memory-chain", None, 1),
    ]
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["of"] == 0
    series.cases.clear()
    assert call("scoreboard", "--fault", "relu-head", "--recipe", "cartpole", "--framework", "torch") == 0
    assert [(case.recipe, case.fault) for case in series.cases if case.seed is not None] == [("cartpole", None)]
    assert "relu-head" in {case.fault for case in series.cases}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--healthy-only", "--fault", "relu-head"], "healthy-only is True; allowed: without --fault"),
        (["--healthy-only", "--healthy-seconds", "0"], "allowed: with --healthy-seconds above 0"),
        (["--recipe", "cartpole", "--healthy-seconds", "0"], "allowed: with --healthy-seconds above 0"),
        (["--recipe", "cartpol"], "recipe is 'cartpol'; allowed: one of `triptych recipes`; did you mean cartpole?"),
    ],
)
def test_flags_that_leave_no_run_are_refused(words: list[str], says: str, capsys: pytest.CaptureFixture) -> None:
    assert call("scoreboard", *words) == 2
    assert says in capsys.readouterr().err.replace("_", "-")


def test_the_json_has_the_keys_that_were_promised() -> None:
    rows = [fault_row(CASE, told("no-updates"))]
    content = json.loads(json.dumps(as_json(counted(rows))))
    assert list(content) == ["found", "of", "false_alarms", "not_applicable", "rows"]
    assert content["rows"][0]["fault"] == "updates-never-reached"
    assert line_of(rows[0]) == "torch  updates-never-reached: found by no-updates, step 100, 1.0 s"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"faults": ["nonsense"]}, "fault is 'nonsense'"),
        ({"frameworks": ["caffe"]}, "framework is 'caffe'"),
        ({"seconds": 0.0}, "seconds is 0.0; allowed: above 0"),
        ({"jobs": 0}, "jobs is 0; allowed: above 0"),
    ],
)
def test_bad_input_is_refused_before_anything_runs(given: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        scoreboard(**given)


def answered(case: Case, tmp_path: Path) -> Row:
    """A case, played in this process."""
    play(case, tmp_path / "answer.json")
    return fault_row(case, json.loads((tmp_path / "answer.json").read_text()))


def test_a_run_that_never_learns_is_found(tmp_path: Path) -> None:
    row = answered(dataclasses.replace(CASE, known=()), tmp_path)
    assert (row.outcome, row.named, row.signal) == ("found", True, "no-updates")


def test_a_run_in_a_process_of_its_own_answers(tmp_path: Path) -> None:
    case = Case("torch", "cartpole", "not-a-number", 20.0, (), ("not-finite",))
    row = fault_row(case, run_one(forks.SERVER, case))
    assert (row.outcome, row.signal, row.severity) == ("found", "not-finite", "stop")


def test_what_cannot_be_expressed_says_why(tmp_path: Path) -> None:
    row = answered(Case("jax", "cartpole", "target-is-online", 5.0), tmp_path)
    assert row.outcome == "not applicable"
    assert "donated" in row.why
