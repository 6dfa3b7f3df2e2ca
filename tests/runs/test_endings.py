"""What ended a run, in words."""

from __future__ import annotations

import pytest

from triptych.runs.endings import why


@pytest.mark.parametrize(
    ("stopped_by", "said"),
    [
        ("steps", "all 50,000 steps are done"),
        ("episodes", "all 1,200 episodes are done, in 50,000 steps"),
        ("solved", "it is solved: its running reward passed --solved-at at step 50,000"),
        ("good enough", "a callback stopped it at step 50,000 (good enough)"),
    ],
)
def test_each_reason_is_told_with_its_numbers(stopped_by: str, said: str) -> None:
    assert why(stopped_by, 50_000, 1_200) == said
