"""How the process of a command ends: its code and its line, whatever stops it."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triptych
from tests.checkup.test_watch import ODD, Odd
from tests.cli.test_cli import call
from triptych.checkup import watch
from triptych.checkup.findings import Finding
from triptych.cli import exits
from triptych.cli.runs import exact_hint
from triptych.experiments import train as begun
from triptych.runs import checkpoints
from triptych.runs.folder import RunFolder
from triptych.spec.weights import save_weights
from triptych.utils import files
from triptych.utils.files import read_tensors

QUICK = ["--steps", "1500", "--warm-up", "100", "--threads", "1", "--evaluate-every", "0", "--no-video"]
ENV = "tests.training.failing_env:"


def command(*arguments: str, **more: Any) -> subprocess.Popen[str]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
    return subprocess.Popen([sys.executable, "-m", "triptych", *arguments], text=True, **pipes)


def wait_for(found: Callable[[], Any], process: subprocess.Popen[str] | None = None) -> Any:
    end = time.monotonic() + 180
    while not (result := found()):
        assert time.monotonic() < end
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.05)
    return result


def test_a_game_that_raises(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    arguments = ["--env", f"{ENV}Raises-v0", "--runs-dir", str(tmp_path), "--run-name", "r", *QUICK]
    assert call("train", *arguments) == exits.FAILED
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("triptych: the environment 'tests.training.failing_env:Raises-v0' failed in game 0 at step")
    assert last.endswith(f"go on with: triptych resume {tmp_path / 'r'}")
    assert call("resume", "r", "--runs-dir", str(tmp_path)) == exits.DONE


def test_a_game_that_raises_in_a_test(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    arguments = ["--env", f"{ENV}NotFinite-v0", "--runs-dir", str(tmp_path), "--run-name", "r", *QUICK]
    assert call("train", *arguments, "--steps", "200") == exits.DONE
    code = call("evaluate", "r", "--runs-dir", str(tmp_path), "--env", f"{ENV}NeverBegins-v0")
    assert code == exits.FAILED
    assert "at its reset: FileNotFoundError" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["compare", "study"])
def test_a_game_that_raises_in_another_process(what: str, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    if what == "compare":
        arguments = ["--env", f"{ENV}Raises-v0", "--frameworks", "torch", *QUICK]
    else:
        file = tmp_path / "mine.py"
        file.write_text(
            "import triptych\nrecipe = triptych.override(triptych.load_recipe('cartpole'), "
            f"{{'env': '{ENV}Raises-v0', 'steps': 1500, 'algorithm.warm_up': 100, 'threads': 1}})\n"
            "study = triptych.Study('does it end?', arms=(triptych.Arm('task', 'a', recipe),), seeds=1, games=2)\n"
        )
        arguments = [str(file)]
    assert call(what, *arguments, "--runs-dir", str(tmp_path)) == exits.FAILED
    err = capfd.readouterr().err
    assert "simulator lost connection" in err
    assert "Traceback" not in err


def test_a_diverged_run(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    arguments = ["cartpole", "--runs-dir", str(tmp_path), "--run-name", "r", *QUICK, "--learning-rate", "1e38"]
    assert call("train", *arguments, "--optimiser.final-rate", "1e38") == exits.DIVERGED
    captured = capsys.readouterr()
    assert "the run has diverged: " in captured.err
    assert "triptych train --from" in captured.out
    alarm = json.loads((tmp_path / "r" / "summary.json").read_text())["alarms"][-1]
    assert (alarm["signal"], alarm["severity"]) == ("not-finite", "stop")
    assert " is nan at step " in alarm["measured"] or " is inf at step " in alarm["measured"]


def test_a_run_that_an_alarm_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "MONITORS", (Odd,))
    arguments = ["train", "cartpole", "--runs-dir", str(tmp_path), *QUICK]
    assert call(*arguments, "--run-name", "told") == exits.DONE
    summed_up = f"1 alarm of the checkup: odd; read in {tmp_path / 'told' / 'alarms.csv'}\n"
    assert summed_up in capsys.readouterr().out
    assert call("resume", "told", "--runs-dir", str(tmp_path)) == exits.DONE
    assert summed_up in capsys.readouterr().out
    assert call("resume", "told", "--runs-dir", str(tmp_path), "--steps", "+100", "--quiet") == exits.DONE
    assert "of the checkup" not in capsys.readouterr().out
    assert call(*arguments, "--run-name", "r", "--on-alarm", "stop") == exits.ALARM
    captured = capsys.readouterr()
    assert "warning: odd: an odd thing" in captured.err
    assert "stopped: an alarm of the checkup stopped it at step " in captured.out
    told, stopped = (json.loads((tmp_path / name / "summary.json").read_text()) for name in ("told", "r"))
    assert (told["stopped_by"], stopped["stopped_by"]) == ("steps", "alarm")
    assert [alarm["signal"] for alarm in told["alarms"]] == ["odd"] == [alarm["signal"] for alarm in stopped["alarms"]]
    monkeypatch.setattr(Odd, "judge", lambda self, run: iter([Finding(ODD, "one seen")]))
    assert call(*arguments, "--run-name", "begun", "--on-alarm", "stop") == exits.ALARM
    ended = capsys.readouterr().out
    assert "0 steps, 0 updates, 0 episodes, no episode ended\n" in ended
    assert "1 alarm of the checkup: odd; read in " in ended
    assert "--env.time-limit" not in ended
    assert call(*arguments, "--run-name", "off", "--on-alarm", "off") == exits.DONE
    assert not (tmp_path / "off" / "alarms.csv").exists()
    assert call(*arguments, "--on-alarm", "loud") == exits.BAD_INPUT


def test_no_memory_left_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    arguments = ["cartpole", "--runs-dir", str(tmp_path), *QUICK, "--network.0.units", "100000000000"]
    assert call("train", *arguments) == exits.MACHINE
    assert capsys.readouterr().err.splitlines()[-1].startswith("triptych: there is no memory left (")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("by_safetensors", [False, True])
def test_a_full_disk_is_one_line_and_loses_nothing(
    by_safetensors: bool, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """At the second checkpoint of several; safetensors says it in an error of its own."""
    calls: list[str] = []

    def full(*given: Any, **more: Any) -> Any:
        calls.append("")
        if len(calls) < (14 if by_safetensors else 5):
            return keep(*given, **more)
        if by_safetensors:
            raise files.SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "a")

    owner, name = (files, "save_file") if by_safetensors else (checkpoints, "write_tensors")
    keep = getattr(owner, name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, full)
        where = ["--runs-dir", str(tmp_path), "--run-name", "r", "--checkpoint-every", "300"]
        assert call("train", "cartpole", *where, *QUICK) == exits.MACHINE
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("triptych: the disk is full (")
    assert last.endswith(f"go on with: triptych resume {tmp_path / 'r'}")
    assert call("resume", "r", "--runs-dir", str(tmp_path)) == exits.DONE


def no_room(*given: Any, **more: Any) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere")


@pytest.mark.parametrize(
    ("owner", "name"),
    [(Path, "mkdir"), (checkpoints, "write_tensors"), (begun, "write_json")],
    ids=["the folder", "the first checkpoint", "config.json"],
)
@pytest.mark.parametrize("run_name", [None, "r"])
def test_a_full_disk_before_a_run_begins_is_the_machines_failure(
    owner: Any, name: str, run_name: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, name, no_room)
    with pytest.raises(triptych.MachineFailed, match=r"^the disk is full .*No space left on device") as failed:
        triptych.train("cartpole", runs_dir=tmp_path / "runs", run_name=run_name, steps=200, threads=1, video=False)
    assert "\n" not in str(failed.value)
    assert not list((tmp_path / "runs").glob("*")), "no folder of which nothing came"


@pytest.mark.parametrize("when", ["going back", "noting"])
def test_a_full_disk_where_a_run_goes_on_is_the_machines_failure(
    when: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    settings: dict[str, Any] = {"steps": 300, "warm_up": 100, "threads": 1, "evaluate_every": 0, "video": False}
    triptych.train("cartpole", runs_dir=tmp_path, run_name="r", **settings)
    owner, name = (checkpoints, "save_weights") if when == "going back" else (RunFolder, "append_resume")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, no_room)
        with pytest.raises(triptych.MachineFailed, match=r"^the disk is full"):
            triptych.resume(tmp_path / "r", steps=400)
        assert call("resume", str(tmp_path / "r"), "--steps", "400") == exits.MACHINE
    assert capsys.readouterr().err.splitlines()[-1].startswith("triptych: the disk is full (somewhere: No space")
    assert triptych.resume(tmp_path / "r", steps=400).steps == 400


def test_a_folder_that_may_not_be_written_is_no_failure_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*given: Any, **more: Any) -> Any:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), "somewhere")

    monkeypatch.setattr(Path, "mkdir", read_only)
    with pytest.raises(triptych.InputError, match="cannot be written: Read-only file system; allowed: a writable"):
        triptych.train("cartpole", runs_dir=tmp_path, steps=200, threads=1, video=False)


def test_a_hanging_game_is_left_at_the_second_ctrl_c(tmp_path: Path) -> None:
    process = command("train", "--env", f"{ENV}Hangs-v0", "--runs-dir", str(tmp_path), "--run-name", "r", *QUICK)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("hanging"):
            break
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == exits.INTERRUPTED, err
    assert "Traceback" not in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_code_says_which_signal_it_was(number: int, tmp_path: Path) -> None:
    process = command("train", "--env", f"{ENV}Slow-v0", "--runs-dir", str(tmp_path), "--run-name", "r", *QUICK)
    wait_for((tmp_path / "r" / "episodes.csv").exists, process)
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert f"go on with: triptych resume {tmp_path / 'r'}" in out
    assert any((tmp_path / "r" / "checkpoints").glob("snapshot-*"))


def test_nobody_reads_what_is_printed(tmp_path: Path) -> None:
    """A run goes on to its end without a reader of either stream."""
    reader, writer = os.pipe()
    os.close(reader)
    arguments = ["train", "cartpole", "--runs-dir", str(tmp_path), "--run-name", "r", *QUICK]
    process = command(*arguments, stdout=writer, stderr=writer)
    os.close(writer)
    assert process.wait(timeout=120) == exits.DONE
    assert '"stopped_by": "steps"' in (tmp_path / "r" / "summary.json").read_text()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_workers_end_with_their_parent(number: int, tmp_path: Path) -> None:
    """However that ends; and what they had learned is saved."""
    told = tmp_path / "pid"
    arguments = ["compare", "--env", f"{ENV}Slow-v0", "--frameworks", "torch", "--runs-dir", str(tmp_path / "runs")]
    process = command(*arguments, *QUICK, "--steps", "500000", env=os.environ | {"TELL_PID": str(told)})
    wait_for(lambda: told.exists() and told.read_text().endswith("\n"), process)
    worker = int(told.read_text().split()[-1])
    wait_for(lambda: list((tmp_path / "runs").glob("*/episodes.csv")), process)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == (-number if number == signal.SIGKILL else 128 + number)
    wait_for(lambda: not alive(worker))
    [run] = (tmp_path / "runs").iterdir()
    assert any((run / "checkpoints").glob("snapshot-*"))
    shutil.rmtree(run)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("runs")
    settings: dict[str, Any] = {"steps": 300, "warm_up": 100, "evaluate_every": 0, "video": False}
    return triptych.train("cartpole", runs_dir=runs, run_name="r", **settings).path


def spoilt(array: np.ndarray, how: Any) -> np.ndarray:
    if isinstance(how, type):
        return array.astype(how)
    changed = array.copy()
    changed.flat[0] = how
    return changed


@pytest.mark.parametrize(
    ("how", "said"), [(np.nan, "holds nan"), (-np.inf, "holds -inf"), (np.int64, "is of int64"), (bool, "is of bool")]
)
def test_weights_that_no_training_writes_are_refused_by_name(
    how: Any, said: str, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    tensors, metadata = read_tensors(trained / "checkpoints" / "latest.safetensors")
    name = sorted(tensors)[1]
    assert metadata is not None
    save_weights(tmp_path / "odd.safetensors", tensors | {name: spoilt(tensors[name], how)}, metadata)
    for arguments in (["evaluate"], ["train", "cartpole", "--runs-dir", str(tmp_path), "--from"]):
        assert call(*arguments, str(tmp_path / "odd.safetensors")) == exits.BAD_INPUT
        assert f"tensor {name} {said}; allowed:" in capsys.readouterr().err


def test_a_run_that_begins_with_weights_says_with_which(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    where = ["--runs-dir", str(tmp_path), *QUICK, "--steps", "300"]
    assert call("train", "cartpole", *where, "--run-name", "a") == exits.DONE
    assert "finished: all 300 steps are done\ntest it with: triptych evaluate" in capsys.readouterr().out
    assert call("train", *where, "--from", "a", "--run-name", "b") == exits.DONE
    said = next(line for line in capsys.readouterr().err.splitlines() if line.startswith("from "))
    file = tmp_path / "a" / "checkpoints" / "latest.safetensors"  # it has too few episodes for best weights
    assert said == f"from      {file}: all weights (6 tensors), as they were at step 300; training begins at step 0"


@pytest.mark.parametrize(("on", "hints"), [("ray", 0), ("here", 1)])
def test_a_way_to_the_same_numbers_is_told_where_there_is_one(on: str, hints: int, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"on": on}))
    assert len(exact_hint(tmp_path, "runs/r")) == hints
