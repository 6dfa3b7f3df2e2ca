"""Several runs in one table: told apart by a column that names them, or by a counter that starts over."""

from __future__ import annotations

import numpy as np

from triptych.report.logs.columns import plain_name
from triptych.report.logs.log import Arrays
from triptych.report.logs.parts import counter_of, segments
from triptych.utils.tables import Table

GAMES = ("game", "env", "env_id", "env_name", "environment")
KEYS = {
    *GAMES, "run", "run_id", "run_name", "name", "seed", "trial", "trial_id", "trial_name", "agent", "algo", "algorithm",
    "experiment", "exp_name", "method", "variant", "task",
}  # fmt: skip
MOST_RUNS = 60  # of one file; a column with more values names no runs


def is_key(column: str) -> bool:
    return plain_name(column) in KEYS


def keys_of(table: Table) -> dict[str, tuple[list[str], np.ndarray]]:
    """The columns that tell runs apart: their values, and each row's place among them."""
    found = {}
    for name, words in table.words.items():
        if len(words.rows) == len(table) and 1 <= len(words.places) <= MOST_RUNS:
            found[name] = list(words.places), np.frombuffer(words.rows, np.int32)
    return found


def told_apart(file: str, table: Table) -> list[tuple[str, str, np.ndarray]]:
    """The runs that the columns of a file's table name: a name, the game, and which rows are its own."""
    keys = keys_of(table)
    if not keys or not len(table):
        return [(file, "", np.ones(len(table), bool))]
    codes = np.stack([rows for _, rows in keys.values()])
    combinations, row_of = np.unique(codes, axis=1, return_inverse=True)
    if combinations.shape[1] > MOST_RUNS:
        return [(file, "", np.ones(len(table), bool))]
    first = [int(np.argmax(row_of.ravel() == number)) for number in range(combinations.shape[1])]
    found = []
    for number in np.argsort(first):
        values = {key: words[codes[place, first[number]]] for place, (key, (words, _)) in enumerate(keys.items())}
        differing = {key: value for key, value in values.items() if len(keys[key][0]) > 1}
        found.append((spoken(file, differing), game_of(values), row_of.ravel() == number))
    return found


def spoken(file: str, values: dict[str, str]) -> str:
    """`DQN, Pong, seed 1`, or `FILE, seed 1` where there are only numbers: they need their column's name beside them."""
    told = [f"{plain_name(key)} {value}" if is_numeric(value) else value for key, value in values.items() if value]
    return ", ".join(([file] if all(map(is_numeric, values.values())) else []) + told)


def is_numeric(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def game_of(values: dict[str, str]) -> str:
    return next((value for key, value in values.items() if plain_name(key) in GAMES and not is_numeric(value)), "")


def started_over(part: Arrays) -> list[Arrays]:
    """A part as the runs that stand in it one behind the other, each from the counter's beginning."""
    counter = counter_of(part)
    stretches = segments(part[counter]) if counter else None
    return [part] if stretches is None else [{name: values[one] for name, values in part.items()} for one in stretches]
