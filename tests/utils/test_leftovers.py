"""What ends with its process, and what is left where that was killed; with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from triptych.utils.leftovers import PROCESSES, Scratch, below, end, own_place, running

SLEEPER = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]
OWNER = """
import subprocess, sys, time
from pathlib import Path
from triptych.utils.leftovers import Scratch, below
scratch = Scratch(Path(sys.argv[1]))
sleeper = subprocess.Popen(sys.argv[2:], start_new_session=True)
scratch.note(below(1))
print(scratch.path, sleeper.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(SLEEPER)
    yield process
    process.kill()
    process.wait()


def test_processes_and_the_folder_end_with_it(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    with Scratch(tmp_path) as scratch:
        assert scratch.path.stat().st_mode & 0o777 == 0o700
        scratch.note(process for process in below(1) if process[0] == sleeper.pid)
    assert sleeper.wait(10) == -signal.SIGKILL
    assert not scratch.path.exists()


def test_a_process_of_another_name_is_not_among_them(sleeper: subprocess.Popen[bytes]) -> None:
    """A program that calls us has processes of its own."""
    named = subprocess.Popen([*SLEEPER, "--folder=/somewhere/ours"])
    try:
        while not psutil.Process(named.pid).cmdline():  # Linux shows it a moment after the program has begun
            time.sleep(0.01)
        assert {number for number, _ in below(1, named="/somewhere/ours")} == {named.pid}
        assert {number for number, _ in below(1)} >= {named.pid, sleeper.pid}
    finally:
        named.kill()
        named.wait()


def test_the_next_one_sweeps_what_a_killed_one_left(tmp_path: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path), *SLEEPER], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    folder, number = owner.stdout.readline().split()
    with Scratch(tmp_path):
        assert Path(folder).exists(), "its owner lives"
        assert psutil.pid_exists(int(number))
        owner.kill()
        owner.wait()
        owner.stdout.close()
        assert psutil.pid_exists(int(number)), "it was left behind"
    with Scratch(tmp_path):
        assert not psutil.pid_exists(int(number)) or psutil.Process(int(number)).status() == psutil.STATUS_ZOMBIE
        assert not Path(folder).exists()


def test_another_process_that_has_got_the_number_is_left_alone(sleeper: subprocess.Popen[bytes]) -> None:
    began = psutil.Process(sleeper.pid).create_time()
    end([(sleeper.pid, began - 100)], patience=0)
    assert sleeper.poll() is None
    assert [process.pid for process in running([(sleeper.pid, began)])] == [sleeper.pid]
    assert list(running([(os.getpid(), psutil.Process().create_time())])) == [], "nobody ends himself"


def test_a_torn_line_in_the_list_is_passed_over(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    folder = tmp_path / "left"
    folder.mkdir()
    began = psutil.Process(sleeper.pid).create_time()
    (folder / PROCESSES).write_text(f'[{sleeper.pid}, {began}]\nnonsense\n["a", 1]\n[{os.getpid()}, 17')
    with Scratch(tmp_path):
        assert sleeper.wait(10) == -signal.SIGKILL
        assert not folder.exists()


def test_the_place_is_for_this_user_alone() -> None:
    folder = own_place()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.stat().st_uid == os.getuid()
    assert len(str(folder)) <= 40, "the paths of Ray's sockets end with 107 letters"
