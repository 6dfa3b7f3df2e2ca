"""What lies beside runs and is none: the CSV files of a lockstep, films, pictures, pages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from triptych.report.logs import proofs, read
from triptych.report.page import report, verdicts
from triptych.utils.checks import InputError


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A log, a lockstep with a verdict, one that was stopped before it, and a film."""
    (tmp_path / "mine.csv").write_text("steps,episode_reward\n1,2\n2,3\n")
    for name in ("lockstep-1", "lockstep-2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "jax.csv").write_text("step,game,action,loss,epsilon\n1,0,1,0.5,1\n")
        (tmp_path / name / "jax-tensors.csv").write_text("step,updates,tensor,norm,product,scale\n1,1,a,2.54,1,1\n")
    proved = {"agree": True, "steps": 3000, "updates": 2999, "worst_relative": 1e-13, "first_difference": None}
    (tmp_path / "lockstep-1" / "verdict.json").write_text(json.dumps(proved))
    (tmp_path / "all-side-by-side.mp4").write_bytes(b"\0\0\0 ftypisom")
    return tmp_path


def test_what_a_lockstep_compared_is_no_result_of_a_folder(runs: Path) -> None:
    assert [log.name for log in read(str(runs), runs)] == ["mine"]


def test_its_verdict_is_told_where_its_folder_lies_in_one_that_is_given(runs: Path) -> None:
    assert "made the same 2,999 updates" in report([str(runs)], runs_dir=runs).read_text(encoding="utf-8")


def test_a_lockstep_that_was_stopped_is_left_out_with_a_line(runs: Path, capsys: pytest.CaptureFixture) -> None:
    assert report([str(runs / "mine.csv"), str(runs / "lockstep-2")], runs_dir=runs).is_file()
    assert f"{runs / 'lockstep-2'} is left out: a lockstep that has no verdict" in capsys.readouterr().err


def test_of_several_verdicts_each_has_its_folders_name(runs: Path) -> None:
    (runs / "lockstep-2" / "verdict.json").write_text((runs / "lockstep-1" / "verdict.json").read_text())
    first, second = verdicts([runs, runs / "lockstep-1"])
    assert first.startswith("lockstep-1. Lockstep: agree.")
    assert second.startswith("lockstep-2. Lockstep: agree.")


def test_another_tools_verdict_hides_no_log_beside_it(runs: Path) -> None:
    (runs / "theirs").mkdir()
    (runs / "theirs" / "verdict.json").write_text("{}")
    (runs / "theirs" / "log.csv").write_text("steps,episode_reward\n1,2\n")
    assert {log.name for log in read(str(runs), runs)} == {"mine", "theirs, log"}
    assert proofs(runs) == [runs / "lockstep-1" / "verdict.json"]


@pytest.mark.parametrize("name", ["film.mp4", "look.png", "report.html"])
def test_a_file_that_can_be_no_log_is_left_out_with_a_line(
    name: str, runs: Path, capsys: pytest.CaptureFixture
) -> None:
    (runs / name).write_bytes(b"\0\0\0 ftypisom")
    page = report([str(runs / "mine.csv"), str(runs / name)], runs_dir=runs, out=runs / "page.html")
    assert page.is_file()
    assert f"{runs / name} is left out: " in capsys.readouterr().err


def test_such_a_file_alone_is_nothing_to_report_on(runs: Path) -> None:
    with pytest.raises(InputError, match="there is no run to report on"):
        report([str(runs / "all-side-by-side.mp4")], runs_dir=runs)
