"""Names and words of code on the pages are found where they stand, and only there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.site import places

ROOT = Path(__file__).parents[2]
VALUE = places.PACKAGE / "losses" / "value.py"
DQN = places.PACKAGE / "algorithms" / "dqn.py"
QUOTED = re.compile(r"\[`([^`]+)`\]\(([^)#\s]+\.py)\)")
SKIPPED = {"build", "dist", "runs", ".venv"}


def page_files() -> list[Path]:
    found = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("docs/**/*.ipynb"),
        *ROOT.glob("results/**/*.md"),
    ]
    return [path for path in found if not SKIPPED & set(path.relative_to(ROOT).parts)]


def line(path: Path, number: int | None) -> str:
    assert number is not None
    return path.read_text(encoding="utf-8").splitlines()[number - 1]


@pytest.mark.parametrize(
    ("path", "name", "starts"),
    [
        (VALUE, "huber", "def huber("),
        (DQN, "Config", "class Config("),
        (DQN, "Config.epsilon", "    def epsilon("),
        (DQN, "Config.gamma", "    gamma: float"),
        (DQN, "MOST_EPSILON", "MOST_WARM_UP, MOST_EPSILON"),
        (VALUE, "LOSSES", "LOSSES: "),
    ],
)
def test_a_name_is_found_where_it_is_defined(path: Path, name: str, starts: str) -> None:
    assert line(path, places.line_of_name(path, name)).startswith(starts)


def test_a_name_that_is_not_there_is_not_found() -> None:
    assert places.line_of_name(VALUE, "hubert") is None
    assert places.line_of_name(DQN, "Config.gone") is None


def test_words_are_found_in_their_line() -> None:
    (number,) = places.lines_of_text(VALUE, "best = xp.argmax(q_t_selector,   axis=1)")
    assert "best = xp.argmax" in line(VALUE, number)
    assert len(places.lines_of_text(VALUE, "check_arrays(")) > 1
    assert places.lines_of_text(VALUE, "no such words") == []


def test_a_file_of_the_readers_own_is_no_place() -> None:
    assert places.file_of("mine.py") is None
    assert places.file_of("losses/value.py") == VALUE
    assert places.file_of("docs/examples/own_layer.py") == ROOT / "docs/examples/own_layer.py"


@pytest.mark.parametrize("page", page_files(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_name_on_a_page_is_a_place(page: Path) -> None:
    """`losses/value.py:huber` names something there is, and words that are linked to a file stand in one line of it."""
    text = page.read_text(encoding="utf-8")
    wrong = []
    for found in re.finditer(r"`([\w./-]+/[\w.-]+\.py):([A-Za-z_][\w.]*)`", text):
        path = places.file_of(found[1])
        if path is None or places.line_of_name(path, found[2]) is None:
            wrong.append(found[0])
    for words, target in QUOTED.findall(text):
        words = words.replace('\\"', '"') if page.suffix == ".ipynb" else words
        if not places.NAMED.fullmatch(words):
            lines = places.lines_of_text((page.parent / target).resolve(), words)
            wrong += [f"{words}: in {len(lines)} lines of {target}"] if len(lines) != 1 else []
    assert wrong == []
