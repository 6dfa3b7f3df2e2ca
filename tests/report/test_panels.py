"""Pictures of games side by side: their labels, their sizes."""

from __future__ import annotations

import numpy as np

from triptych.report.panels import GAP, HEAD, Panel, sheet


def test_a_label_says_name_and_score() -> None:
    """Drawn with the letters that Pillow carries; another score is another picture, in the place of the score only."""
    game = np.zeros((210, 160, 3), np.uint8)
    one, other, longer = (
        sheet([[Panel(title, "#d9560b", game, score, False)]]).astype(int)
        for title, score in (("PyTorch", "137"), ("PyTorch", "138"), ("PyTorch, a very long name of a recipe", "137"))
    )
    assert one.shape == (2 * GAP + HEAD + 420, 2 * GAP + 320, 3), "small pictures are enlarged"
    changed = np.abs(one - other).max((0, 2)).nonzero()[0]
    assert len(changed) > 3
    assert changed.min() > GAP + 250
    assert (np.abs(one[:HEAD, GAP + 16 : GAP + 110] - (24, 24, 27)).max(2) < 40).sum() > 150, (
        "dark letters of the title"
    )
    assert np.array_equal(one[:HEAD, -60:], longer[:HEAD, -60:]), "a long title leaves the score its room"


def test_rows_are_recipes() -> None:
    game = np.zeros((400, 600, 3), np.uint8)
    panels = [Panel("a", "#d9560b", game, "1", False)] * 3
    assert sheet([panels, panels[:2]]).shape == (3 * GAP + 2 * (HEAD + 267), 3 * 400 + 4 * GAP, 3)
