"""What a resumed run says of its numbers: one sentence in each situation, and never two that disagree."""

from __future__ import annotations

from typing import Any

import pytest

from triptych.experiments.resume import inexact

CONFIG = {"processor": "A", "versions": {"torch": "1"}, "resume_exact": True, "device": "cpu"}
SAME = {"processor": "A", "versions": {"torch": "1"}}
CUT = {"step": 1_234, "exact": False, "cuts": True}
LATER = {"step": 5_000, "exact": False, "cuts": False}
EXACT = {"step": 1_000, "exact": True, "cuts": False}
AFTER_A_CUT = CONFIG | {"resume_exact": False, "resume_inexact": ["games were cut"]}


def told(config: dict[str, Any], manifest: dict[str, Any], asked: bool = False, now: dict[str, Any] = SAME) -> str:
    lines = inexact(config, manifest, now, asked)
    assert len(lines) < 2
    return lines[0] if lines else ""


@pytest.mark.parametrize("config", [CONFIG, AFTER_A_CUT], ids=["never cut", "cut later"])
def test_nothing_is_said_where_the_numbers_are_the_same(config: dict[str, Any]) -> None:
    assert told(config, EXACT) == ""


def test_games_that_are_cut_offer_the_checkpoint_before() -> None:
    assert told(CONFIG, CUT) == (
        "from step 1,234 on, the numbers are not those of a run that never stopped: "
        "its games cannot be saved, so they were cut there and begin new episodes; --exact goes back to a checkpoint that gives them"
    )
    assert told(AFTER_A_CUT, LATER).endswith(
        "they were cut before that step; --exact goes back to a checkpoint that gives them"
    )


def test_exact_is_not_offered_to_who_has_asked_for_it() -> None:
    assert "--exact" not in told(CONFIG, CUT, asked=True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"resume_exact": False, "device": "cuda:0"}, "sums on cuda:0 may come out in another order each time"),
        ({"resume_exact": False}, "its environment does not begin alike again with the same seed"),
    ],
)
def test_a_run_that_no_checkpoint_repeats_is_not_offered_one(change: dict[str, Any], said: str) -> None:
    assert told(CONFIG | change, EXACT) == (
        f"from step 1,000 on, the numbers may not be those of a run that never stopped: {said}"
    )
    assert "--exact" not in told(CONFIG | change, CUT)


def test_another_machine_is_named_in_the_same_sentence() -> None:
    now = {"processor": "B", "versions": {"torch": "2"}}
    assert told(CONFIG, EXACT, now=now) == (
        "from step 1,000 on, the numbers may not be those of a run that never stopped: "
        "another processor than before (A), so the last bits may differ; other versions than before (torch=1), so the last bits may differ"
    )
