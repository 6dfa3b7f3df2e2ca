"""A3C's workers as Ray actors: what a run counts of them, and what becomes of it when one dies or hangs. One cluster for all."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from triptych import Callback, resume, train
from triptych.cli.main import main
from triptych.frameworks import FRAMEWORKS
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.recipes.serialise import to_dict
from triptych.runs.now import read_now
from triptych.training import remote
from triptych.training.actors import Actors
from triptych.training.remote import RemoteWorker
from triptych.utils import install
from triptych.utils.cluster import open_ray
from triptych.utils.failures import RunFailed
from triptych.utils.leftovers import is_alive

SMALL: dict[str, Any] = {
    "num_envs": 2, "algorithm.rollout_steps": 8, "log_every": 200, "best_window": 5, "evaluate_every": 0, "video": False,
    "algorithm.worker_timeout": 10.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Ray, which each run takes as it finds it."""
    with open_ray() as opened:
        yield opened


class Counted(Callback):
    """Adds up what the ticks show, and may do something to a worker, or pause the run, at some steps."""

    def __init__(self, then: dict[int, Any] | None = None, before: int = 0):
        self.before = before  # episodes of earlier sessions
        self.steps = self.ends = self.idle = 0
        self.then = dict(then or {})

    def step(self, run: Any, tick: Any) -> None:
        self.steps += int(tick.mask.sum())
        self.idle += not tick.mask.size
        self.ends += int(((tick.step.terminated | tick.step.truncated) & tick.mask).sum())
        assert run.counters.episodes - self.ends == self.before, "an episode for each end"
        for at in [at for at in self.then if run.counters.steps >= at]:
            self.then.pop(at)(run)


def send(number: int, what: signal.Signals) -> Any:
    """Sends a signal to a worker's process."""

    def sent(run: Any) -> None:
        training = run.training
        assert isinstance(training, Actors)
        os.kill(training.ray.get(training.actors[number].process.remote(), timeout=60), what)

    return sent


def check_log(path: Path, counted: Counted) -> list[dict[str, str]]:
    """No episode twice and none missing: as many rows as ends were seen, numbered on, of no more steps than were played."""
    with open(path / "episodes.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["episode"]) for row in rows] == list(range(1, len(rows) + 1))
    steps = [int(row["steps"]) for row in rows]
    assert steps == sorted(steps)
    played = json.loads((path / "summary.json").read_text())["steps"]
    assert played - 500 * 8 < sum(int(row["episode_length"]) for row in rows) <= played
    return rows


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_gradients_are_of_older_weights(framework: str, cluster: Any, tmp_path: Path) -> None:
    counted = Counted()
    patient = SMALL | {"algorithm.max_staleness": 1_000}  # however unlike the two are on a busy machine
    run = train(
        "cartpole-a3c", framework, on="ray", workers=2, steps=2_000, runs_dir=tmp_path, callbacks=[counted], **patient
    )
    assert run.stopped_by == "steps"
    assert run.steps == counted.steps >= 2_000
    assert len(check_log(run.path, counted)) == counted.ends == run.episodes
    assert run.staleness_mean is not None
    assert run.staleness_mean > 0.3
    assert (run.gradients_dropped, run.worker_deaths, run.resumes_exactly) == (0, 0, False)
    assert abs(run.updates - run.steps / 16) < 20
    config = json.loads((run.path / "config.json").read_text())
    assert (config["resume_exact"], config["on"]) == (False, "ray")
    now = read_now(run.path)
    assert now is not None
    assert (now["is_policy"], len(now["values"]), now["obs"][""]["shape"]) == (True, 2, [4])
    with open(run.path / "metrics.csv", newline="") as file:
        assert any(float(row["staleness_mean"]) > 0 for row in csv.DictReader(file))


def test_a_worker_that_is_killed_or_hangs_is_replaced(cluster: Any, tmp_path: Path) -> None:
    """The run goes on with the others meanwhile; what was being played counts nowhere."""
    counted = Counted({300: send(1, signal.SIGKILL), 900: send(0, signal.SIGSTOP)})
    given = SMALL | {"algorithm.worker_timeout": 3.0}
    run = train("cartpole-a3c", on="ray", workers=2, steps=9_000, runs_dir=tmp_path, callbacks=[counted], **given)
    assert run.stopped_by == "steps"
    assert counted.then == {}
    assert run.worker_deaths == 2
    assert run.steps == counted.steps
    assert len(check_log(run.path, counted)) == counted.ends


def test_a_run_goes_on_where_it_was(cluster: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = Counted({700: lambda run: run.pause()})
    begun = train(
        "cartpole-a3c", on="ray", workers=2, steps=1_600, runs_dir=tmp_path, run_name="r", callbacks=[first], **SMALL
    )
    assert begun.stopped_by == "interrupted"
    second = Counted(before=begun.episodes)
    run = resume(begun.path, callbacks=[second], video=False)
    assert "its workers play at their own pace, and begin new episodes" in capsys.readouterr().err
    assert run.stopped_by == "steps"
    assert begun.steps + second.steps == run.steps >= 1_600
    assert run.updates > begun.updates
    assert len(check_log(run.path, second)) == begun.episodes + second.ends


def test_gradients_that_are_too_old_are_dropped(
    cluster: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = SMALL | {"algorithm.max_staleness": 0}
    run = train("cartpole-a3c", on="ray", workers=2, steps=1_500, runs_dir=tmp_path, **given)
    assert run.gradients_dropped is not None
    assert run.gradients_dropped > 0
    assert run.staleness_max == 0
    assert capsys.readouterr().err.count("updates old, and max_staleness is 0: such ones are dropped") == 1


def test_games_that_fail_end_the_run(cluster: Any, tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="simulator lost connection") as failed:
        train(
            "cartpole-a3c",
            on="ray",
            steps=9_000,
            runs_dir=tmp_path,
            env="tests.training.failing_env:Raises-v0",
            **SMALL,
        )
    assert failed.value.result is not None
    assert failed.value.result.updates > 10


REFUSED = {
    "delays": (
        ["cartpole-a3c", "--on", "ray", "--algorithm.delays", "0", "1"],
        "algorithm.delays is (0, 1); allowed: none with --on ray",
    ),
    "another algorithm": (["cartpole-a2c", "--on", "ray"], "on is 'ray'; allowed: here, as a2c has no workers"),
    "an address alone": (["cartpole-a3c", "--address", "auto"], "address is 'auto'; allowed: only with --on ray"),
    "exact": (["cartpole-a3c", "--on", "ray", "--exact"], "exact is True; allowed: False with --on ray"),
    "profile": (["cartpole-a3c", "--on", "ray", "--profile"], "profile is True; allowed: False with --on ray"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_ray_does_not_do_is_one_line(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words, line = REFUSED[name]
    with pytest.raises(SystemExit) as stop:
        main(["train", *words, "--runs-dir", str(tmp_path / "none")])
    told = capsys.readouterr().err
    assert stop.value.code == 2
    assert line in told
    assert len(told.splitlines()) == 1
    assert not (tmp_path / "none").exists()


def job_of(**other: Any) -> dict[str, Any]:
    recipe = to_dict(override(load_recipe("cartpole-a3c"), {}))
    return {"recipe": recipe, "trust": True, "framework": "torch", "texts": {}, "number": 1, "life": "", "version": install.version()} | other  # fmt: skip


def test_a_worker_says_why_it_cannot_play_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "triptych here is '0.1.0'; allowed: 9.9" in RemoteWorker(job_of(version="9.9")).begin()
    monkeypatch.setattr(remote.frameworks.importlib.util, "find_spec", lambda name: None)  # type: ignore[attr-defined]
    told = RemoteWorker(job_of()).begin()
    assert "torch" in told
    assert "(worker 1 on " in told
    assert "\n" not in told


def test_the_first_worker_alone_says_what_it_sees_and_not_at_every_rollout() -> None:
    first, second = RemoteWorker(job_of(number=0)), RemoteWorker(job_of())
    assert (first.begin(), second.begin()) == ("", "")
    assert first.worker is not None
    weights = first.worker.learner.get_weights()
    seen = [worker.play(weights, 0, 0).sight for worker in (first, first, second)]
    assert [sight is not None for sight in seen] == [True, False, False]


def test_more_workers_than_cores_is_one_warning(
    cluster: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cores = sum(node.cores for node in cluster.nodes())
    run = train("cartpole-a3c", on="ray", workers=cores + 1, steps=200, runs_dir=tmp_path, **SMALL)
    assert run.stopped_by == "steps"
    assert capsys.readouterr().err.count(f"workers is {cores + 1}, and the cluster has") == 1


def test_ctrl_c_leaves_no_process(tmp_path: Path) -> None:
    """As from a terminal, whose Ctrl-C reaches every process of its group."""
    command = [sys.executable, "-m", "triptych", "train", "cartpole-a3c", "--on", "ray", "--no-video", "--runs-dir", str(tmp_path), "--run-name", "r"]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    log, deadline = tmp_path / "r" / "episodes.csv", time.monotonic() + 240
    while process.poll() is None and not (log.exists() and log.stat().st_size > 300) and time.monotonic() < deadline:
        time.sleep(0.1)
    there = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    assert len(there) > 5, "Ray's processes"
    assert [child for child in there if is_alive(child)] == []
    assert json.loads((tmp_path / "r" / "summary.json").read_text())["stopped_by"] == "interrupted"


@pytest.mark.parametrize("there", ["", "raise SystemExit('another file')"])
def test_a_user_s_file_is_run_as_it_is_where_the_run_is(
    there: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine without it, and on one where another lies in its place."""
    monkeypatch.setenv("RAN", "no")
    path = tmp_path / "elsewhere" / "mine.py"
    if there:
        path.parent.mkdir()
        path.write_text(there)
    assert RemoteWorker(job_of(texts={str(path): "import os\nos.environ['RAN'] = 'yes'\n"})).begin() == ""
    assert os.environ["RAN"] == "yes"


def test_a_worker_that_hangs_is_replaced_while_the_others_answer() -> None:
    """Two that answer at once, and one from which nothing comes."""
    replaced: list[int] = []

    class Busy(Actors):
        def __init__(self) -> None:
            self.ray = SimpleNamespace(wait=lambda refs, **how: ([refs[0]], refs[1:]))
            self.actors = {0: None, 1: None}
            self.playing: dict[Any, int] = {"answer": 0, "nothing": 1}
            self.until = {0: time.monotonic() + 60, 1: time.monotonic() - 1}

        def answer_of(self, ref: Any) -> Any:
            return ref

        def count(self, answer: Any) -> Iterator[Any]:
            yield answer

        def replace(self, number: int, why: str) -> None:
            replaced.append(number)
            self.until[number] = time.monotonic() + 60

    ticks = Busy().ticks()
    assert [next(ticks) for _ in range(3)] == ["answer"] * 3
    assert replaced == [1]
