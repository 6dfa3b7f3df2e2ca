"""Any bytes in any file of a run folder give a right answer or one line: never a traceback, never a hang."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import triptych
from tests.runs.mutations import mutated, outcome
from triptych.experiments.load import find_weights
from triptych.experiments.studies.table import append_rows, read_runs
from triptych.report import words
from triptych.report.logs.own import read_run
from triptych.report.page import report
from triptych.runs.checkpoints import Checkpoints
from triptych.runs.folder import RunFolder
from triptych.runs.records import read_config, read_evaluations, read_resumes, read_summary, read_verdict
from triptych.runs.trust import Allowed
from triptych.spec.weights import check_weights
from triptych.utils.checks import InputError
from triptych.utils.failures import MachineFailed, RunFailed

QUICK: dict[str, Any] = {
    "steps": 260, "warm_up": 100, "threads": 1, "evaluate_every": 0, "checkpoint_every": 100, "log_every": 20, "num_envs": 2,
}  # fmt: skip


PROOF = {
    "agree": False, "steps": 300, "updates": 200, "worst_relative": 1e-12, "too_few": [], "actions_part_at": None,
    "first_difference": {"step": 7, "what": "loss", "values": ["1.0", "2.0"]}, "control": {"worst_relative": 1e-9},
}  # fmt: skip
STUDIED = {
    "framework": "torch", "task": "catch", "label": "lstm", "seed": 1, "settings": "0a1b2c3d", "epsilon": 0.0, "games": 20,
    "parameters": 1_000, "processor": "a processor", "versions": "torch=2.9",
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has everything a folder may hold, stopped at a checkpoint in its middle and gone on with once."""
    folder = tmp_path_factory.mktemp("runs")
    path = triptych.train("cartpole", "torch", run_name="r", runs_dir=folder, **QUICK).path
    triptych.evaluate(path, 3, 0)
    for go_on in (triptych.resume, lambda path: None):
        shutil.rmtree(max((path / "checkpoints").glob("boundary-*")))
        go_on(path)
    (path / "proof").mkdir()
    (path / "proof" / "verdict.json").write_text(json.dumps(PROOF))
    append_rows(
        path / "runs.csv", STUDIED, {"tests": [{"score": 20.5, "flicker": 0.5}, {"score": 9.0}], "path": "runs/a"}
    )
    return path


def load_checkpoint(path: Path) -> None:
    with RunFolder(path) as folder:
        Checkpoints(folder, read_config(path)["recipe"], 1).load()


def load_weights(path: Path) -> None:
    source = find_weights(path / "checkpoints" / "latest.safetensors", "latest", None, ".", Allowed())
    games = triptych.make_env(source.recipe).games  # type: ignore[attr-defined]
    check_weights(source.tensors, source.recipe.make_network(games.observation, games.num_actions), "weights")


def go_on(path: Path) -> None:
    """Resumes a copy, as a resume changes files."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(path, Path(folder) / "r")
        try:
            triptych.resume(Path(folder) / "r")
        except (RunFailed, MachineFailed) as error:  # a line, too
            raise InputError(str(error)) from None


def make_page(path: Path) -> None:
    report([str(path)], out=path.parent / "page.html")


def sealed(path: Path) -> None:
    """Gives every manifest the hashes of what its files hold now, as far as it is one still, and its own."""
    for file in path.glob("checkpoints/*/boundary.json"):
        with contextlib.suppress(ValueError, TypeError, KeyError, OSError, AttributeError, RecursionError):
            manifest = json.loads(file.read_bytes())
            manifest["files"] = {name: digest(file.parent / name) for name in manifest["files"]}
            for segment in manifest["segments"]:
                segment["sha256"] = digest(path / "checkpoints" / "store" / segment["file"])
            file.write_text(json.dumps(manifest))
        (file.parent / "boundary.sha256").write_text(digest(file) + "\n")


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


# what is called to read -> the files that it reads
READERS: dict[str, tuple[Callable[[Path], Any], tuple[str, ...]]] = {
    "config": (read_config, ("config.json",)),
    "summary": (read_summary, ("summary.json",)),
    "evaluations": (read_evaluations, ("evaluations/*.json",)),
    "logs": (read_run, ("episodes.csv", "metrics.csv", "resumes.csv", "summary.json", "config.json")),
    "proof": (lambda path: words.verdict(read_verdict(path / "proof" / "verdict.json")), ("proof/verdict.json",)),
    "study": (lambda path: read_runs(path / "runs.csv"), ("runs.csv",)),
    "resumes": (read_resumes, ("resumes.csv",)),
    "weights": (load_weights, ("checkpoints/latest.safetensors",)),
    "resume": (
        go_on,
        ("checkpoints/boundary-*/boundary.json", "checkpoints/boundary-*/state.safetensors", "checkpoints/store/*"),
    ),
    "report": (
        make_page,
        ("config.json", "summary.json", "evaluations/*.json", "episodes.csv", "metrics.csv", "resumes.csv"),
    ),
    "checkpoint": (load_checkpoint, ("checkpoints/boundary-*/boundary.json", "config.json")),
}


@contextlib.contextmanager
def fault(run: Path, names: tuple[str, ...], rng: Random) -> Iterator[None]:
    """A fault in one of these files of a run; what was there comes back."""
    file = rng.choice(sorted(path for name in names for path in run.glob(name)))
    content = file.read_bytes()
    hashed = "checkpoints" in file.parts
    try:
        file.write_bytes(mutated(file.name, content, rng))
        sealed(run) if hashed else None
        yield
    finally:
        file.write_bytes(content)
        sealed(run) if hashed else None


def answer(name: str, run: Path, seed: int) -> str:
    """What a reader says of a fault; the same seed makes the same one."""
    read, names = READERS[name]
    with fault(run, names, Random(seed)):
        return outcome(lambda: read(run))


# seeds of the short test, and of the long one
EXAMPLES = {name: (10, 1_000) if name in ("resume", "report") else (100, 11_000) for name in READERS} | {
    "config": (100, 10_000)
}  # fmt: skip


@pytest.mark.parametrize("name", READERS)
def test_a_reader_answers_or_says_a_line(name: str, run: Path) -> None:
    @settings(max_examples=EXAMPLES[name][0], deadline=None, derandomize=True, database=None)
    @given(st.integers(0, 2**32))
    def check(seed: int) -> None:
        answer(name, run, seed)

    check()


@pytest.mark.long
def test_a_hundred_thousand_faults(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """docs/trust.md has its figures: `python -m pytest -m long tests/runs/test_fuzz.py`."""
    assert sum(count for _, count in EXAMPLES.values()) == 100_000
    longest, totals = 0, [0, 0]
    for name, (_, count) in EXAMPLES.items():
        begun, said, slowest = time.perf_counter(), 0, 0.0
        for seed in range(count):
            start = time.perf_counter()
            line = answer(name, run, seed)
            slowest, longest, said = (
                max(slowest, time.perf_counter() - start),
                max(longest, len(line)),
                said + bool(line),
            )
        totals = [totals[0] + count - said, totals[1] + said]
        taken = time.perf_counter() - begun
        with capsys.disabled():
            print(
                f"\n{name}: {count - said:,} answers, {said:,} lines; slowest {slowest:.1f} s, all {taken:.0f} s",
                end="",
            )
        capsys.readouterr()
    with capsys.disabled():
        print(f"\n100,000 faults: {totals[0]:,} answers, {totals[1]:,} lines, the longest of {longest} letters")
