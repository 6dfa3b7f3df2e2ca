"""Jobs in processes of their own: each is told once to stop, whenever that is asked, and none that has a result is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from triptych.utils import processes
from triptych.utils.checks import InputError, WorkerError

# What a job does here: it says that it is ready, waits for a signal or for another job, and writes its answer.
JOB = """
import json, os, signal, sys, time
name, answer, waits_for, code = sys.argv[1:]
told = []
signal.signal(signal.SIGTERM, lambda *_: told.append(1))
open(name + ".ready", "w").close()
while waits_for == "signal" and not told or waits_for != "signal" and not os.path.exists(waits_for + ".ready"):
    time.sleep(0.005)
time.sleep(0.1)
told_result = {"interrupted": f"runs/{name}-told-{len(told)}"}
results = {"fails": {"error": "too big"}, "dies": None, "done": {"score": 1}, "told": told_result}
if results[code]:
    json.dump(results[code], open(answer, "w"))
sys.exit(code == "dies")
"""


def job(name: str, waits_for: str, code: str) -> dict[str, Any]:
    return {"framework": "torch", "name": name, "waits_for": waits_for, "code": code}


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the jobs, in the order of their starts."""
    names: list[str] = []

    def start(entry: str, kind: str, given: dict[str, Any], answer: Path) -> subprocess.Popen[str]:
        names.append(given["name"])
        words = (given["name"], str(answer), given["waits_for"], given["code"])
        process = subprocess.Popen([sys.executable, "-S", "-c", JOB, *words], text=True, cwd=tmp_path)
        while not (tmp_path / f"{given['name']}.ready").exists():
            assert process.poll() is None
        if kind == "asked during the start":
            os.kill(os.getpid(), signal.SIGTERM)
        return process

    monkeypatch.setattr(processes, "start", start)
    return names


@pytest.mark.parametrize(
    ("code", "error", "line"),
    [("fails", InputError, "too big"), ("dies", WorkerError, "the torch process ended with code 1")],
)
def test_one_failure_stops_the_others_and_loses_nothing(
    code: str, error: type[Exception], line: str, started: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = [job("a", "c", code), job("b", "signal", "told"), job("c", "signal", "done"), job("d", "a", "done")]
    found: dict[int, Any] = {}
    with pytest.raises(error, match=line):
        processes.work_all("no:entry", "study", jobs, found.__setitem__, 3)
    assert started == ["a", "b", "c"], "no other is started"
    assert found == {2: {"score": 1}}, "what ends when it is told to stop is taken"
    assert "go on with: triptych resume runs/b-told-1\n" in capsys.readouterr().err


def test_a_signal_during_a_start_reaches_that_process(started: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    jobs = [job("a", "signal", "told"), job("b", "signal", "told")]
    with pytest.raises(KeyboardInterrupt):
        processes.work_all("no:entry", "asked during the start", jobs, lambda *_: None, 2)
    assert started == ["a"]
    assert "go on with: triptych resume runs/a-told-1\n" in capsys.readouterr().err


def test_a_signal_after_the_last_job_counts_too(started: list[str]) -> None:
    """Whoever calls this once a run must not go on with the next."""

    def asked(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        processes.work_all("no:entry", "study", [job("a", "a", "done")], asked)


def test_all_are_done_in_order(started: list[str]) -> None:
    jobs = [job(name, name, "done") for name in "abcd"]
    found: dict[int, Any] = {}
    processes.work_all("no:entry", "study", jobs, found.__setitem__, 2)
    assert started == list("abcd")
    assert found == {place: {"score": 1} for place in range(4)}


def test_a_result_may_bring_further_jobs_behind_those_that_wait(started: list[str]) -> None:
    found: list[int] = []

    def then(place: int, result: dict[str, Any]) -> list[dict[str, Any]]:
        found.append(place)
        return [job("c", "c", "done"), job("d", "d", "done")] if place == 0 else []

    processes.work_all("no:entry", "study", [job("a", "a", "done"), job("b", "b", "done")], then)
    assert (started, found) == (list("abcd"), [0, 1, 2, 3])
