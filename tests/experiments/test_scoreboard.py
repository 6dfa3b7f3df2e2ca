"""The scoreboard: what counts as found, and a small part of it played."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from tests import forks
from triptych.checkup.faults import FAULTS
from triptych.cli.scoreboard import line_of
from triptych.experiments.scoreboard import run as board
from triptych.experiments.scoreboard.case import Case, play
from triptych.experiments.scoreboard.expected import NAMED, names_of
from triptych.experiments.scoreboard.page import read_rows, table, write_page
from triptych.experiments.scoreboard.run import Row, as_json, counted, fault_row, healthy_row, scoreboard
from triptych.experiments.scoreboard.series import run_one
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


def test_the_page_has_the_rows_of_every_framework_that_lies_there(tmp_path: Path) -> None:
    rows = [fault_row(CASE, told("no-updates")), healthy_row(dataclasses.replace(CASE, fault=None), told())]
    write_page(rows, tmp_path)
    write_page([dataclasses.replace(rows[0], framework="jax", outcome="missed", signal=None)], tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert (
        "| `updates-never-reached`: The code of the update is never reached. | no-updates (step 100, 1 s) | **missed** |"
        in text
    )
    assert read_rows(tmp_path)[0][:2] == rows
    assert list(table(rows)) == [
        "replay never trains:",
        "  updates-never-reached  torch: no-updates (step 100, 1 s)",
    ]


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
