"""Scores that others have published, to lay one's own beside them: tables that are shipped, and a user's own CSV file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from triptych.utils.checks import InputError, check
from triptych.utils.tables import Table, read_table
from triptych.utils.words import likely, shown

A3C_ATARI57 = Path(__file__).with_name("a3c_atari57.csv")
GAMES = ("game", "env", "environment", "task")  # what the column of games may be called
AGENTS = ("agent", "label", "method", "algorithm", "who")
SCORES = ("score", "mean", "reward")
AFFIXES = re.compile(r"^.*[:/]|-v\d+$|(NoFrameskip|Deterministic|-ram)(?=-v\d+$|$)")  # of ids: ALE/, -v5


@dataclass(frozen=True)
class Shipped:
    """A table of the package."""

    file: Path
    source: str  # who published it, and how it was measured
    titles: dict[str, str]  # what its columns are called


SHIPPED = {
    "atari57": Shipped(
        A3C_ATARI57,
        "A3C, feed-forward and with an LSTM: Mnih et al. 2016, games begun from human starts. Random play and a human tester: Wang et al. 2016, "
        "games begun with up to 30 idle frames. Games begun otherwise, or with sticky actions, are other games: read the figures as about so much.",
        {"random": "random play", "human": "human tester", "feed_forward": "A3C, feed-forward", "lstm": "A3C, LSTM"},
    )
}


@dataclass(frozen=True)
class Published:
    """Scores of others, by game and by whose they are."""

    scores: dict[str, dict[str, float]]  # game as `plain_game` writes it -> whose -> score
    source: str

    def of(self, game: str) -> dict[str, float]:
        return self.scores.get(plain_game(game), {})


def plain_game(name: str) -> str:
    """A game's name without what its ids add: `ALE/SpaceInvaders-v5`, `SpaceInvadersNoFrameskip-v4` and `space_invaders` are one."""
    for _ in range(2):  # the version, then what stands before it
        name = AFFIXES.sub("", name)
    return re.sub(r"[^a-z0-9]", "", name.lower())


def read_published(name: str) -> Published:
    """A shipped table by its name, or a CSV file: a column of games and a column of scores for each agent, or game, agent, score.

    Raises:
        InputError: there is no such table or file, or it has no column of games or of scores.
    """
    if name.lower() in SHIPPED:
        shipped = SHIPPED[name.lower()]
        found = scores_of(read_table(shipped.file, is_game))
        titled = {
            game: {shipped.titles.get(who, who): score for who, score in row.items()} for game, row in found.items()
        }
        return Published(titled, shipped.source)
    path = Path(name)
    if not path.is_file():
        allowed = f"a CSV file that is there, or {', '.join(SHIPPED)}"
        raise InputError(f"compare-to is {shown(name)}; allowed: {allowed}{likely(name, SHIPPED)}")
    table = read_table(path, is_word)
    source = " ".join(line.strip("# ").strip() for line in table.comments) or f"From {path.name}."
    return Published(scores_of(table), source)


def is_game(name: str) -> bool:
    return name.strip().lower() in GAMES


def is_word(name: str) -> bool:
    return name.strip().lower() in (*GAMES, *AGENTS)


def column(names: tuple[str, ...], allowed: tuple[str, ...]) -> str | None:
    return next((name for name in names if name.strip().lower() in allowed), None)


def scores_of(table: Table) -> dict[str, dict[str, float]]:
    """The table's scores: of whoever is named in a row, or else a column each."""
    game, agent = column(table.names, GAMES), column(table.names, AGENTS)
    check(
        game is not None and game in table.words,
        "compare-to",
        str(table.path),
        f"a CSV file with a column {' or '.join(GAMES)}",
    )
    games = texts(table, str(game))
    found: dict[str, dict[str, float]] = {plain_game(name): {} for name in games if name}
    if agent is not None and agent in table.words:
        score = column(table.names, SCORES)
        check(
            score is not None,
            "compare-to",
            str(table.path),
            f"a CSV file with a column {' or '.join(SCORES)} beside {agent}",
        )
        rows = zip(games, texts(table, agent), table.columns[str(score)].tolist(), strict=True)
        told = [(name, who, value) for name, who, value in rows]
    else:
        others = [name for name in table.names if name not in table.words]
        told = [
            (name, who, value) for who in others for name, value in zip(games, table.columns[who].tolist(), strict=True)
        ]
    for name, who, value in told:
        if name and value == value:  # no NaN: an empty field
            found[plain_game(name)][who] = value
    check(any(found.values()), "compare-to", str(table.path), "a CSV file with scores")
    return found


def texts(table: Table, name: str) -> list[str]:
    """A column of words, a row each."""
    words = table.words[name]
    check(words.few, "compare-to", str(table.path), f"a CSV file with fewer different words in its column {name}")
    known = list(words.places)
    return [known[place] for place in words.rows]
