"""Published scores of an agent with and without memory on 57 Atari games, and the figure's numbers.

Scores: asynchronous advantage actor-critic, feed-forward and with an LSTM (Mnih et al. 2016, raw scores of games begun
from human starts). Random play and a human tester: Wang et al. 2016, games begun with up to 30 idle frames. The two ways
to begin a game differ, so a normalised score of the one by the other is near and not exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, TypedDict

from triptych.report.published import A3C_ATARI57
from triptych.utils.reading import Finite
from triptych.utils.tables import read_rows

FEED_FORWARD, LSTM = "feed-forward", "LSTM"  # the labels of the variants, too


@dataclass(frozen=True)
class Published:
    """A game's scores, mean raw reward of a game."""

    game: str
    random: float
    human: float
    scores: dict[str, float]  # label -> score

    def normalised(self, score: float) -> float:
        """In percent: 0 is random play, 100 the human tester."""
        return 100 * (score - self.random) / (self.human - self.random)


class Row(TypedDict):
    """A game's row of the table."""

    game: str
    random: Finite
    human: Finite
    feed_forward: Finite
    lstm: Finite


def load() -> tuple[Published, ...]:
    """The table, in the order of the alphabet."""
    rows = read_rows(A3C_ATARI57, Row)
    return tuple(
        Published(row["game"], row["random"], row["human"], {FEED_FORWARD: row["feed_forward"], LSTM: row["lstm"]})
        for row in rows
    )


def figure(games: Sequence[Published], rows: Sequence[Any]) -> dict[str, Any]:
    """What the LSTM gains in each game, as published and in runs of one's own, raw and normalised.

    Args:
        rows: a study's; those with both labels in a game are laid over the published ones.
    """
    own = {(row.task, row.label): row.iqm for row in rows}
    found = {"published": [gain(game, game.scores) for game in games], "own": []}
    for game in games:
        scores = {label: own[game.game, label] for label in (FEED_FORWARD, LSTM) if (game.game, label) in own}
        if len(scores) == 2:
            found["own"].append(gain(game, scores))
    return found


def gain(game: Published, scores: dict[str, float]) -> dict[str, Any]:
    without, with_memory = scores[FEED_FORWARD], scores[LSTM]
    shares = game.normalised(without), game.normalised(with_memory)
    return {
        "game": game.game.replace("_", " "), "raw": with_memory - without, "normalised": shares[1] - shares[0],
        "scores": [without, with_memory], "shares": list(shares),
    }  # fmt: skip


def sentences(games: Sequence[Published]) -> list[str]:
    """What the published table says."""
    gains = sorted((gain(game, game.scores) for game in games), key=lambda found: found["normalised"])
    more = sum(found["raw"] > 0 for found in gains)
    less = sum(found["raw"] < 0 for found in gains)
    medians = [median(found["shares"][place] for found in gains) for place in (0, 1)]
    named = [f"{found['game']} ({found['normalised']:+,.0f})" for found in (*gains[:3], *gains[:-4:-1])]
    return [
        f"Published: the LSTM scores more in {more} of {len(gains)} games, less in {less}, the same in {len(gains) - more - less}. "
        f"In percent of a human's score, the median is {medians[0]:,.0f} without and {medians[1]:,.0f} with it. "
        f"In percentage points it loses most in {', '.join(named[:3])}, and gains most in {', '.join(named[3:])}."
    ]
