"""The page says who taught a run, and how."""

from __future__ import annotations

from pathlib import Path

import triptych
from tests.training.test_teacher import DQN, file_of
from triptych.report.begun import run_behind, taught
from triptych.report.logs import read
from triptych.report.page import report
from triptych.utils.files import sha256


def test_the_page_says_who_taught_a_run(tmp_path: Path) -> None:
    short = DQN | {"steps": 200}
    teacher = triptych.train(runs_dir=tmp_path, run_name="master", **short).path
    more = {"teacher": file_of(teacher), "teacher_weight": 0.5, "teacher_until": 150, "teacher_plays": 20}
    run = triptych.train(runs_dir=tmp_path, run_name="pupil", **short | more).path
    ((log,), (none,)) = (read(str(path), tmp_path) for path in (run, teacher))
    (table,) = taught(log)
    rows = dict(table["rows"])
    assert table["told"] == "pupil had a teacher."
    assert rows["SHA-256"] == sha256(Path(file_of(teacher)))
    assert (rows["run"], rows["weight"], rows["until"]) == ("master", "0.5", "step 150, falling to 0")
    assert (rows["loss"], rows["chooses the actions"]) == ("kl", "until step 20")
    assert not list(taught(none))
    page = report([str(run)], runs_dir=tmp_path).read_text()
    assert "pupil had a teacher." in page
    assert rows["SHA-256"] in page
    assert run_behind("/somewhere/teacher.safetensors") == "teacher.safetensors"
