"""CSV files of our own, row by row: each field of its column's type, or one line that names file, line and column."""

from __future__ import annotations

from pathlib import Path
from typing import NotRequired, TypedDict

import pytest

from triptych.utils.checks import InputError
from triptych.utils.reading import Finite
from triptych.utils.tables import read_rows


class Row(TypedDict):
    steps: int
    loss: Finite | None
    name: str
    note: NotRequired[str | None]


def rows(path: Path, content: str | bytes, whole: bool = False) -> list[Row]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_rows(path, Row, whole))


def test_fields_are_of_their_columns_types(tmp_path: Path) -> None:
    found = rows(tmp_path / "log.csv", 'steps,other,name,loss\n1,x,"a, b",0.5\n2,,,\n')
    assert found == [{"steps": 1, "name": "a, b", "loss": 0.5}, {"steps": 2, "name": "", "loss": None}]


def test_a_torn_last_line_is_left_out_where_the_file_may_be_written_now(tmp_path: Path) -> None:
    assert [row["steps"] for row in rows(tmp_path / "log.csv", "steps,loss,name\n1,,a\n2,,b", whole=True)] == [1]
    assert [row["steps"] for row in rows(tmp_path / "log.csv", "steps,loss,name\n1,,a\n2,,b")] == [1, 2]
    assert rows(tmp_path / "log.csv", "") == rows(tmp_path / "log.csv", "steps,l", whole=True) == []


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("steps,loss,name\n1,,a\nx,,a\n", "log.csv, line 3: steps is 'x'; allowed: a whole number"),
        ("steps,loss,name\n1,inf,a\n", "log.csv, line 2: loss is 'inf'; allowed: a number"),
        ("steps,loss,name\n1,,a,b\n", "log.csv, line 2: 4 fields; allowed: 3, one a column"),
        ("steps,name\n1,a\n", "log.csv, line 2: loss is missing; allowed: the file as triptych left it"),
        (b"steps,loss,name\n1,,\xff\n", "log.csv cannot be read ("),
        ("steps,loss,name\n1,," + "a" * 5_000_000 + "\n", "log.csv, line 2: longer than"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(content: str | bytes, line: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        rows(tmp_path / "log.csv", content)
    assert str(caught.value).removeprefix(f"{tmp_path}/").startswith(line)
