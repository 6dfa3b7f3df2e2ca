"""What a resume does not need does not stop it; what is nonsense changes nothing on the disk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import triptych
from tests.runs.test_own_files import rewrite, state_of
from triptych.utils.checks import InputError

QUICK: dict[str, Any] = {"warm_up": 100, "threads": 1, "evaluate_every": 0, "checkpoint_every": 100, "log_every": 50}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run whose newest checkpoint lies in its middle."""
    path = triptych.train("cartpole", "torch", run_name="r", runs_dir=tmp_path, steps=300, **QUICK).path
    shutil.rmtree(path / "checkpoints" / "boundary-000000300")
    return path


def test_stale_bytes_and_a_torn_summary_are_mended(run: Path) -> None:
    whole, weights = (run / "episodes.csv").read_bytes(), (run / "checkpoints" / "latest.safetensors").read_bytes()
    with open(run / "episodes.csv", "ab") as file:
        file.write(b"\xff\xfe")
    (run / "summary.json").write_text('{"steps": 12')
    assert triptych.resume(run).steps == 300
    mended = (run / "episodes.csv").read_bytes()
    assert [row.split(b",")[:5] for row in mended.splitlines()] == [row.split(b",")[:5] for row in whole.splitlines()]
    assert (run / "checkpoints" / "latest.safetensors").read_bytes() == weights
    assert json.loads((run / "summary.json").read_text())["steps"] == 300


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda state: state["counters"].update(credit=-1), "holds no whole checkpoint"),
        (lambda state: state["store"].update(transitions=7), "counts other transitions than it holds"),
        (lambda state: state["best"].update(recent=["x"]), r"best.recent\[0\] is 'x'"),
        (lambda state: state["rngs"]["explore"].update(bit_generator="MT19937"), "cannot be taken up"),
        (lambda state: state["games"].update(ended="no"), "games.ended is 'no'"),
    ],
)
def test_nonsense_under_a_right_hash_is_a_line_and_changes_nothing(change: Any, line: str, run: Path) -> None:
    for folder in sorted((run / "checkpoints").glob("boundary-*"))[:-1]:
        shutil.rmtree(folder)
    rewrite(run, lambda manifest: change(manifest["state"]))
    before = state_of(run)
    with pytest.raises(InputError, match=line):
        triptych.resume(run)
    assert state_of(run) == before
