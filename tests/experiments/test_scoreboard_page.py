"""The scoreboard's folder: rows that are added keep the others, and the page keeps what somebody wrote on it.

`python -m tests.experiments.test_scoreboard_page` makes the table of results/checkup anew, of the rows that lie there.
"""

from __future__ import annotations

import dataclasses
import itertools
import shutil
from pathlib import Path

import pytest

from tests.cli.test_cli import call
from tests.experiments.test_scoreboard import CASE, told
from triptych.checkup.faults import FAULTS
from triptych.experiments.scoreboard import page
from triptych.experiments.scoreboard.kept import read_parts, read_rows, write_page
from triptych.experiments.scoreboard.page import ordered, table
from triptych.experiments.scoreboard.rows import fault_row, healthy_row
from triptych.utils import machine

RESULTS = Path(__file__).parents[2] / "results" / "checkup"
ROWS = [fault_row(CASE, told("no-updates")), healthy_row(dataclasses.replace(CASE, fault=None), told())]


def test_the_page_has_the_rows_of_every_framework_that_lies_there(tmp_path: Path) -> None:
    write_page(ROWS, tmp_path)
    write_page([dataclasses.replace(ROWS[0], framework="jax", outcome="missed", signal=None)], tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert (
        "| `updates-never-reached`: The code of the update is never reached. | no-updates (step 100, 1 s) | **missed** |"
        in text
    )
    assert read_rows(tmp_path)[:2] == ROWS
    assert list(table(ROWS)) == [
        "replay never trains:",
        "  updates-never-reached  torch: no-updates (step 100, 1 s)",
    ]


def test_new_rows_take_the_places_of_the_same_runs_alone(tmp_path: Path) -> None:
    write_page(ROWS, tmp_path)
    missed = dataclasses.replace(ROWS[0], outcome="missed", signal=None)
    other = dataclasses.replace(ROWS[0], fault="relu-head")
    write_page([missed, other], tmp_path)
    assert read_rows(tmp_path) == [ROWS[1], missed, other]


def test_rows_keep_the_versions_that_they_were_made_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "git_commit", lambda: "a" * 40)
    write_page(ROWS, tmp_path)
    monkeypatch.setattr(machine, "git_commit", lambda: "b" * 40 + "+changes")
    write_page(ROWS[:1], tmp_path)
    told_of = {part.about["commit"]: part.rows for part in read_parts(tmp_path, "torch")}
    assert told_of == {"a" * 40: ROWS[1:], "b" * 40 + "+changes": ROWS[:1]}
    text = (tmp_path / "README.md").read_text()
    assert "- 1 run: commit aaaaaaaaaa; " in text
    assert "- 1 run: commit bbbbbbbbbb+changes; " in text


def test_what_somebody_wrote_on_the_page_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text("# Mine\n\nWords above.\n")
    write_page(ROWS, tmp_path)
    assert file.read_text().startswith("# Mine\n\nWords above.\n\n<!-- made by")
    file.write_text(file.read_text() + "\n## Below\n\nMore words.\n")
    write_page([dataclasses.replace(ROWS[0], outcome="missed")], tmp_path)
    text = file.read_text()
    assert text.startswith("# Mine\n\nWords above.\n\n<!-- made by")
    assert text.endswith("-->\n\n## Below\n\nMore words.\n")
    assert (text.count("**missed**"), text.count("<!-- made by")) == (1, 1)


def test_the_order_of_the_table_is_not_that_of_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    order = ordered()
    monkeypatch.setattr(page, "FAULTS", dict(reversed(FAULTS.items())))
    assert ordered() == order
    rows = [FAULTS[name].row for name in order]
    assert len(list(itertools.groupby(rows))) == len(set(rows))
    assert sorted(order) == sorted(FAULTS)


def test_the_page_of_the_results_is_made_of_what_lies_beside_it(tmp_path: Path) -> None:
    shutil.copytree(RESULTS, tmp_path / "checkup")
    rows = read_rows(RESULTS)
    write_page([], tmp_path / "checkup")
    now = (tmp_path / "checkup" / "README.md").read_text()
    assert now == (RESULTS / "README.md").read_text(), "python -m tests.experiments.test_scoreboard_page"
    assert len({row.key for row in rows}) == len(rows) > 500


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"parts": [{}]}', '{"parts": [{"about": {}, "rows": [{"alarms": []}]}]}']
)
def test_a_folder_of_something_else_is_refused_before_anything_runs(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "torch.json").write_text(content)
    assert call("scoreboard", "--framework", "torch", "--fault", "relu-head", "--out", str(tmp_path)) == 2
    assert "torch.json cannot be read as a scoreboard's" in capsys.readouterr().err
    assert call("scoreboard", "--fault", "relu-head", "--out", str(tmp_path / "torch.json")) == 2


if __name__ == "__main__":
    write_page([], RESULTS)
