"""Pictures of games side by side: their labels, their bars, their sizes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from triptych.envs.bars import Decision
from triptych.envs.panels import BESIDE, GAP, HEAD, Panel, sheet

GAME = np.zeros((210, 160, 3), np.uint8)
PANEL = Panel("PyTorch", "#d9560b", GAME, 137, 20)


def changed(one: Panel, other: Panel) -> tuple[set[int], set[int]]:
    """Rows and columns in which the pictures of two panels differ."""
    rows, columns = np.nonzero(np.abs(sheet([[one]]).astype(int) - sheet([[other]])).max(2))
    return set(rows.tolist()), set(columns.tolist())


def test_a_label_says_name_score_and_step() -> None:
    """Drawn with the letters that Pillow carries; another score is another picture, in the place of the score only."""
    drawn = sheet([[PANEL]]).astype(int)
    assert drawn.shape == (2 * GAP + HEAD + 420, 2 * GAP + 320, 3), "small pictures are enlarged"
    assert (np.abs(drawn[: GAP + 30, GAP + 16 : GAP + 110] - (24, 24, 27)).max(2) < 40).sum() > 150, "a dark title"
    rows, columns = changed(PANEL, replace(PANEL, score=138))
    assert min(rows) > GAP + 30
    assert max(rows) < GAP + HEAD
    assert max(columns) < GAP + 160
    rows, columns = changed(PANEL, replace(PANEL, step=21))
    assert min(rows) > GAP + 30
    assert max(rows) < GAP + HEAD
    assert min(columns) > GAP + 160
    rows, _ = changed(PANEL, replace(PANEL, title="PyTorch, a very long name of a recipe that nobody can read"))
    assert max(rows) < GAP + 34, "a long title leaves score and step their room"


def test_rows_are_recipes() -> None:
    panels = [replace(PANEL, picture=np.zeros((400, 600, 3), np.uint8))] * 3
    assert sheet([panels, panels[:2]]).shape == (3 * GAP + 2 * (HEAD + 267), 3 * 400 + 4 * GAP, 3)


def test_bars_stand_beside_one_game_and_below_several() -> None:
    thinking = replace(PANEL, decision=Decision([1, 2, 3], 2, False), names=("a", "b", "c"), full=2.0)
    assert sheet([[thinking]]).shape == (2 * GAP + HEAD + 420, 3 * GAP + 320 + BESIDE, 3)
    several = sheet([[thinking, thinking]])
    assert several.shape[1] == 2 * 320 + 3 * GAP
    assert several.shape[0] > 2 * GAP + HEAD + 420 + 3 * 20


def test_pixels_are_enlarged_by_whole_numbers() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    drawn = sheet([[replace(PANEL, picture=picture)]])[GAP + HEAD : -GAP, GAP:-GAP]
    assert drawn.shape == (240, 320, 3)
    inside = drawn[8:-8, 8:-8]
    assert np.array_equal(inside, picture.repeat(8, axis=0).repeat(8, axis=1)[8:-8, 8:-8])


def test_a_game_that_is_over_fades() -> None:
    over = sheet([[replace(PANEL, over=True)]])[GAP + HEAD : -GAP, GAP:-GAP]
    assert over[50:-50, 50:-50].min() > 100
