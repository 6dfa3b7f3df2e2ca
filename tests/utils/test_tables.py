"""CSV files of anybody's: what is read of them, and that nothing else than a line of words comes of the rest."""

from __future__ import annotations

import gzip
import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.utils import tables
from triptych.utils.checks import InputError
from triptych.utils.tables import Table, fields, opened, read_table


def table(folder: Path, content: str | bytes) -> Table:
    file = folder / "log.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(file)


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,2\n3,4.5\n",
        b"a,b\r\n1,2\r\n3,4.5",  # the last line has no end
        b"\xef\xbb\xbfa;b\n1;2\n3;4,5\n",  # byte-order mark, decimal commas
        b"a\tb\n1\t2\n3\t4.5\n",
        b'"a","b"\n"1","2"\n"3","4.5"\n',
        b"# a , b\n\n1,2,\n\n3,4.5,\n",  # a header as NumPy writes it, blank lines, a separator too many
        b"a,b\n1,2\na,b\n3,4.5\n",  # two files put together
        "a,b\n1,2\n3,4.5\n".encode("utf-16"),
        gzip.compress(b"a,b\n1,2\n3,4.5\n", mtime=0),
    ],
)
def test_the_same_numbers_however_they_are_written(content: bytes, tmp_path: Path) -> None:
    found = table(tmp_path, content)
    assert {name: values.tolist() for name, values in found.columns.items()} == {"a": [1, 3], "b": [2, 4.5]}
    assert (found.names, len(found), found.torn, found.lost) == (("a", "b"), 2, 0, {})


def test_what_is_no_number_is_counted(tmp_path: Path) -> None:
    found = table(tmp_path, b"a,b\n1,nan\n\xff2,\n3,-inf\n4\n5,6,7\n")
    assert found.columns["b"][0] != found.columns["b"][0]
    assert math.isnan(found.columns["a"][1])
    assert (len(found), found.torn, found.lost) == (3, 2, {"a": 1, "b": 2})


def test_comments_above_the_names_are_kept(tmp_path: Path) -> None:
    found = table(tmp_path, '#{"t_start": 1.5}\nr,l\n1,2\n')
    assert found.comments == ('#{"t_start": 1.5}',)
    assert found.names == ("r", "l")


def test_names_that_stand_twice_stay_apart(tmp_path: Path) -> None:
    assert table(tmp_path, "loss,loss,loss_2,\n1,2,3,4\n").names == ("loss", "loss_2", "loss_2_2", "")


def test_a_long_field_is_read(tmp_path: Path) -> None:
    found = table(tmp_path, f'a,why\n1,"{"x" * 200_000}"\n')
    assert found.columns["a"].tolist() == [1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"a,b\n1,2\n" + b"x" * 4_000_001, "line 3: longer than 4,000,000 letters"),
        (b'a,b\n1,2\n"' + b"x,y\n" * 1_100_000, "field larger than field limit"),
        (b"a," * 10_001 + b"a\n", "has 10,002 columns; allowed: at most 10,000"),
        (gzip.compress(b"a,b\n1,2\n" * 999, mtime=0)[:-20], "cannot be read"),
    ],
)
def test_what_is_no_csv_file_is_one_line(content: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said) as error:
        table(tmp_path, content)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_table(tmp_path / "nothing.csv")


def test_our_own_files_are_read_strictly_and_up_to_the_last_whole_line(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text('a,b\n1,"x\ny"\n3,to')
    with opened(file) as text:
        assert list(fields(file, text, whole=True)) == [(1, ["a", "b"]), (3, ["1", "x\ny"])]
    file.write_bytes(b"a,b\n1,\xff\n")
    with pytest.raises(InputError, match="allowed: a CSV file in UTF-8"), opened(file) as text:
        list(fields(file, text))


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(alphabet='ab#{",;\t\r\n 0123.-e\0', max_size=300).map(str.encode)))
def test_any_bytes_are_a_table_or_one_line(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = read_or_say(Path(folder), content)
    if isinstance(found, str):
        assert "\n" not in found
        assert len(found) < 500
    else:
        assert list(found.columns) == list(found.names)
        assert {len(values) for values in found.columns.values()} == {len(found)}


def read_or_say(folder: Path, content: bytes) -> Table | str:
    try:
        return table(folder, content)
    except InputError as error:
        return str(error)


def test_a_big_file_stays_small_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers take eight bytes each, and lines are read one by one: a line too long is refused before it is whole."""
    monkeypatch.setattr(tables, "MOST_LETTERS", 100)
    found = table(tmp_path, "a,b\n" + "1,2\n" * 50_000)
    assert sum(values.nbytes for values in found.columns.values()) == 50_000 * 2 * 8
    with pytest.raises(InputError, match="line 2: longer than 100 letters"):
        table(tmp_path, "a,b\n" + "1" * 10_000_000)
