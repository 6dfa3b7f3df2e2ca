"""Scores that others published: whose, of which game."""

from __future__ import annotations

from pathlib import Path

import pytest

from triptych.report.published import plain_game, read_published
from triptych.utils.checks import InputError


@pytest.mark.parametrize(
    "name", ["ALE/SpaceInvaders-v5", "SpaceInvadersNoFrameskip-v4", "SpaceInvadersDeterministic-v0", "space_invaders", "Space Invaders"]
)  # fmt: skip
def test_a_game_is_the_same_under_each_of_its_ids(name: str) -> None:
    assert plain_game(name) == "spaceinvaders"


def test_the_shipped_table_says_whose_its_scores_are() -> None:
    found = read_published("atari57")
    assert found.of("BreakoutNoFrameskip-v4") == {
        "random play": 1.7, "human tester": 30.5, "A3C, feed-forward": 681.9, "A3C, LSTM": 766.8,
    }  # fmt: skip
    assert found.of("CartPole-v1") == {}
    assert "Mnih et al. 2016" in found.source


def test_a_column_an_agent_and_a_row_an_agent_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "wide.csv").write_text("game;DQN;PPO\nPong;20,5;\nBoxing;;90\n")
    (tmp_path / "long.csv").write_text("env,method,score\nPong-v5,DQN,20.5\nBoxing-v5,PPO,90\n")
    wide, long = (read_published(str(tmp_path / name)) for name in ("wide.csv", "long.csv"))
    assert wide.scores == long.scores == {"pong": {"DQN": 20.5}, "boxing": {"PPO": 90.0}}
    assert wide.source == "From wide.csv."


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name,score\nPong,1\n", "a CSV file with a column game or env or environment or task"),
        ("game,agent,points\nPong,DQN,1\n", "a CSV file with a column score or mean or reward beside agent"),
        ("game,DQN\nPong,none\n", "a CSV file with scores"),
    ],
)
def test_a_table_without_games_or_scores_is_refused(text: str, line: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(InputError, match=line):
        read_published(str(tmp_path / "x.csv"))
