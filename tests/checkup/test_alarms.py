"""Where alarms stand: alarms.csv, which a resume cuts back, the summary, the page, the live page, the progress line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import triptych
from tests.checkup.alarmed import write_alarms
from tests.checkup.test_watch import Odd
from tests.report.test_dashboard import a_run
from tests.report.test_page import made, text_of, write_run
from triptych.checkup import watch
from triptych.checkup.watch import FIRST
from triptych.report.dashboard.live import Live
from triptych.report.page import report
from triptych.runs.alarms import alarms_or_none, read_alarms, sentence
from triptych.runs.folder import RunFolder
from triptych.training.callbacks.progress import ProgressLine
from triptych.utils.checks import InputError

QUICK: dict[str, Any] = {"warm_up": 50, "evaluate_every": 0, "checkpoint_every": 150, "run_name": "r"}


def test_a_row_is_read_as_it_was_written(tmp_path: Path) -> None:
    rows = write_alarms(tmp_path / "r", 200, 300)
    found = read_alarms(tmp_path / "r")
    assert found == rows
    assert sentence(found[0]) == "an <odd> thing since step 200: 200 seen; expected: 149 at most"


def test_no_file_no_alarm_and_a_torn_or_damaged_file_stops_no_reader(tmp_path: Path) -> None:
    assert read_alarms(tmp_path) == []
    write_alarms(tmp_path, 200)
    file = tmp_path / "alarms.csv"
    whole = file.read_text()
    file.write_text(whole + "300,300,od")
    assert len(read_alarms(tmp_path)) == 1
    file.write_text(whole.replace("200,", "two hundred,", 1))
    with pytest.raises(InputError, match=r"alarms.csv, line 2"):
        read_alarms(tmp_path)
    assert alarms_or_none(tmp_path) == []


def test_alarms_behind_a_checkpoint_are_taken_back(tmp_path: Path) -> None:
    write_alarms(tmp_path / "r", 200)
    with RunFolder(tmp_path / "r") as folder:
        sizes = folder.log_sizes()
    write_alarms(tmp_path / "r", 300)
    with RunFolder(tmp_path / "r") as folder:
        folder.cut_logs(sizes)
        assert [alarm["step"] for alarm in read_alarms(folder.path)] == [200]
        folder.cut_logs({"episodes.csv": 0, "metrics.csv": 0})  # a checkpoint of an older version
        assert not (folder.path / "alarms.csv").exists()


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that an alarm stopped at step 200."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch, "MONITORS", (Odd,))
        result = triptych.train("cartpole", runs_dir=folder, steps=400, on_alarm="stop", **QUICK)
    assert (result.stopped_by, result.steps, len(result.alarms)) == ("alarm", 2 * FIRST, 1)
    return result.path


def test_a_resumed_run_keeps_its_alarms_and_tells_none_twice(
    stopped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(watch, "MONITORS", (Odd,))
    assert triptych.resume(stopped).alarms == tuple(read_alarms(stopped)), "it is finished"
    result = triptych.resume(stopped, steps="+100", on_alarm="stop")
    assert (result.stopped_by, result.steps) == ("steps", 300)
    assert [alarm["step"] for alarm in result.alarms] == [200]
    assert "odd" not in capsys.readouterr().err


def test_the_page_shows_what_was_measured_and_escapes_it(tmp_path: Path) -> None:
    log = made("r")
    log.summary.update(stopped_by="alarm", steps=200)
    run = write_run(tmp_path / "r", log)
    write_alarms(run, 200)
    page = text_of(report([str(run)], out=tmp_path / "page.html"))
    section = page[page.index('<section id="alarms">') :].partition("</section>")[0]
    for text in ("an &lt;odd&gt; thing", "200 seen", "149 at most", "<li>a first reason</li>", "a &amp; place"):
        assert text in section
    assert "r is over before its end: an alarm of the checkup stopped it at step 200" in page
    assert "<odd>" not in page


def test_a_page_of_runs_without_alarms_has_no_such_section(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", made("r"))
    assert 'id="alarms"' not in text_of(report([str(run)], out=tmp_path / "page.html"))


def test_the_page_says_that_a_run_diverged(tmp_path: Path) -> None:
    log = made("r")
    log.summary.update(stopped_by="diverged", steps=2_000)
    page = text_of(report([str(write_run(tmp_path / "r", log))], out=tmp_path / "page.html"))
    assert "it diverged by step 2,000: its numbers are no longer finite" in page


def test_the_live_page_warns_of_alarms(tmp_path: Path) -> None:
    write_alarms(a_run(tmp_path / "r"), 200)
    lines = Live(tmp_path).run("r")["warnings"]
    assert "odd: an <odd> thing since step 200: 200 seen; expected: 149 at most" in lines


def test_the_progress_line_counts_alarms(capsys: pytest.CaptureFixture) -> None:
    class Counters:
        steps = episodes = 10

    with ProgressLine("torch", 100, quiet=False) as line:
        line.every = 0.0
        line.show(Counters(), [], False, alarms=2)  # type: ignore[arg-type]
    assert "2 alarms" in capsys.readouterr().err


def test_another_answer_to_an_alarm_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"on_alarm is 'loud'; allowed: warn, stop, off"):
        triptych.train("cartpole", runs_dir=tmp_path, on_alarm="loud")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
