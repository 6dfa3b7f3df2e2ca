"""JSON that may be anybody's: read as what it should be, or refused in one line that names the place."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict

import pytest

from triptych.utils.checks import InputError, within
from triptych.utils.console import put, warn
from triptych.utils.reading import MOST_DEPTH, Count, Finite, build, parse_json, read_json, typed


class Game(TypedDict):
    score: Finite
    steps: Count
    moves: list[int]


GAME = {"score": 1.5, "steps": 3, "moves": [0, 1]}


@dataclass(frozen=True)
class Settings:
    gamma: float
    every: int | tuple[int, Literal["steps", "updates"]] | None = None
    crop: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        within(self, 0, 1, "gamma")


def refused(content: Any, kind: Any = Game) -> str:
    with pytest.raises(InputError) as caught:
        typed(content, kind, "file.json")
    return str(caught.value)


def test_what_is_as_it_should_be_is_read() -> None:
    assert typed(GAME, Game, "file.json") == GAME
    assert typed(GAME | {"score": 2}, Game, "file.json")["score"] == 2.0


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"score": "x"}, "file.json: score is 'x'; allowed: a number"),
        ({"score": None}, "file.json: score is None; allowed: a number"),
        ({"steps": 1.5}, "file.json: steps is 1.5; allowed: a whole number"),
        ({"steps": True}, "file.json: steps is True; allowed: a whole number"),
        ({"steps": -1}, "file.json: steps is -1; allowed: a whole number >= 0"),
        ({"moves": [0, "x"]}, "file.json: moves[1] is 'x'; allowed: a whole number"),
        ({"moves": {}}, "file.json: moves is {}; allowed: a list"),
    ],
)
def test_another_type_is_named_with_its_place(change: dict[str, Any], line: str) -> None:
    assert refused(GAME | change) == line


def test_no_infinity_where_a_number_is_finite() -> None:
    for value in (float("inf"), float("-inf"), float("nan"), 10**400):
        assert refused(GAME | {"score": value}).startswith("file.json: score is ")


def test_what_is_missing_is_named() -> None:
    assert refused({"score": 1.0, "moves": []}) == "file.json: steps is missing; allowed: the file as triptych left it"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "utf-8"),
        (b"", "Expecting value"),
        (b'{"a": 1', "delimiter"),
        (b'{"a": 1, "a": 2}', "'a' is there twice"),
        (b"[" * 100_000, "too deep"),
        (b"[" * (MOST_DEPTH + 1) + b"]" * (MOST_DEPTH + 1), "too deep"),
        (b"1" * 5_000, "5000 digits"),
        (b'"\\ud800"', "a character that none may have"),
        (b'{"\\u0000": 1}', "a character that none may have"),
        (b'["\\u001b[2J"]', "a character that none may have"),
    ],
)
def test_what_is_no_json_of_ours_is_one_line(content: bytes, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_json(content, "file.json")
    line = str(caught.value)
    assert line.startswith("file.json cannot be read (")
    assert said in line
    assert len(line) < 500


def test_a_byte_order_mark_and_what_older_versions_wrote_are_read() -> None:
    assert parse_json(b"\xef\xbb\xbf[1]", "file.json") == [1]
    assert parse_json(b"[NaN, -Infinity]", "file.json")[1] == float("-inf")
    assert parse_json(str(2**128 - 1).encode(), "file.json") == 2**128 - 1, "a generator's state"


def test_what_a_callback_keeps_may_hold_any_text() -> None:
    assert parse_json(b'["\\u001b[2J\\u0000"]', "file.json", any_text=True) == ["\x1b[2J\0"]
    assert parse_json('["é 漢 \\n\\t"]', "file.json") == ["é 漢 \n\t"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_no_file_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.json")
    for path in (tmp_path / "config.json", tmp_path):
        with pytest.raises(InputError, match="is no file"):
            read_json(path)


def test_a_stranger_cannot_make_a_line_long_or_move_the_cursor(tmp_path: Path) -> None:
    line = refused(GAME | {"score": "\x1b[2J\r\n" + "x" * 10_000})
    assert len(line) < 500
    assert line.isprintable()
    assert "\\x1b[2J" in line


def test_settings_stay_as_they_were_written() -> None:
    found = build(Settings, json.loads('{"gamma": 1, "every": [5, "steps"], "crop": [0, 1]}'), "config.json", "part")
    assert found == Settings(1, (5, "steps"), (0, 1))
    assert repr(found) == repr(Settings(1, (5, "steps"), (0, 1))), "a whole number for a float is not made one"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ({"gamma": "x"}, "config.json: part.gamma is 'x'; allowed: a number"),
        ({"gamma": 2.0}, "config.json: part.gamma is 2.0; allowed: 0 to 1"),
        ({"gamma": 0.5, "gama": 1}, "config.json: part has 'gama'; allowed: gamma, every, crop"),
        ({}, "config.json: part.gamma is missing; allowed: the file as triptych left it"),
        ({"gamma": 0.5, "crop": [0.1, None]}, "config.json: part.crop[1] is None; allowed: a number"),
        ([], "config.json: part is []; allowed: an object with named fields"),
    ],
)
def test_settings_are_refused_by_their_path(content: Any, line: str) -> None:
    with pytest.raises(InputError) as caught:
        build(Settings, content, "config.json", "part")
    assert str(caught.value) == line


def test_what_is_printed_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    put("page \x1b[2J\u202e.html", "two\nlines")
    warn("no \x1b]0;title\x07")
    said = capsys.readouterr()
    assert said.out == "page \\x1b[2J\\u202e.html\ntwo lines\n"
    assert said.err == "warning: no \\x1b]0;title\\x07\n"
