"""The first screen's table: what each run, or each group of seeds, came to. The tests lead, training stands beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from triptych.envs import GameConfig, stickiness
from triptych.envs.play import different_games
from triptych.report.figures import REWARDS, column_names, lead_of, title_of
from triptych.report.logs import Log
from triptych.report.numbers import finite, percent, score, whole
from triptych.report.series import Series, series_of
from triptych.utils.console import counted
from triptych.utils.statistics import bootstrap_mean

FULL = 99  # episodes before the running reward is a mean of 100
MOST_RANDOM = 0.1  # share of random moves; with more it is no test of the weights
MOST_OTHERS = 3  # columns that the table tells of logs without rewards


@dataclass(frozen=True)
class Score:
    """What the tests of some weights came to."""

    mean: float
    low: float | None  # its 95 % interval; None: there is none
    high: float | None
    told: str  # what was played


def table(logs: list[Log], random: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The rows of one game's table, and which of its columns hold anything.

    Returns:
        `rows`, of strings; `random`, the row of random play or None; `tested`, `trained`: whether any row has a test,
        or a running reward; `others`: titles of the columns that stand in where there is neither;
        `counted`: which of `steps` and `minutes` any row has.
    """
    series = series_of(logs)
    scores = [tested(one) for one in series]
    trained = any(running(log) for log in logs)
    silent = [
        log for log, found in zip((one.logs[0] for one in series), scores, strict=True) if not (found or running(log))
    ]
    others = other_columns([log for log in silent if log.recipe is None], alone=not trained and not any(scores))
    rows = [row(one, found, others) for one, found in zip(series, scores, strict=True)]
    keys = {log.random_key for log in logs if log.recipe}
    played = random.get(next(iter(keys))) if len(keys) == 1 and (trained or any(scores)) else None
    return {
        "rows": rows,
        "random": played and random_row(played),
        "tested": any(scores),
        "trained": trained,
        "others": [title_of(name) for name in others],
        "counted": [name for name in ("steps", "minutes") if any(one[name] != "-" for one in rows)],
    }


def row(series: Series, found: Score | None, others: list[str]) -> dict[str, Any]:
    """One line of the table."""
    logs = series.logs
    ends = [value for log in logs if (value := last(log, "running_reward")) is not None]
    minutes = [taken / 60 for log in logs if (taken := finite(log.summary.get("seconds")) or last_of(log, "seconds"))]
    return {
        "label": series.label,
        "names": [log.name for log in logs] if series.label != logs[0].name else [],
        "colour": series.colour,
        "score": found and score(found.mean),
        "interval": interval(found) if found else "",
        "told": found.told if found else untested(series),
        "running": score(mean(ends)),
        "steps": whole(mean([count for log in logs if (count := steps(log))])),
        "minutes": score(mean(minutes)),
        "others": [score(last_of(logs[0], name)) for name in others],
    }


def random_row(played: dict[str, Any]) -> dict[str, str]:
    """What random play came to, beside them."""
    low, high = (played.get(side) for side in ("low", "high"))
    text = "" if low is None or high is None else f"{score(low)} to {score(high)}"
    return {"score": score(played["mean"]), "interval": text, "told": f"{played.get('games', 0)} games"}


def untested(series: Series) -> str:
    if series.logs[0].recipe is None:
        return "No tests in this log."
    ended = any(log.columns for log in series.logs)
    return (
        "Not tested yet: triptych evaluate RUN plays whole games with the best weights."
        if ended
        else "No episode has ended yet."
    )


def interval(found: Score) -> str:
    return "" if found.low is None or found.high is None else f"{score(found.low)} to {score(found.high)}"


def tested(series: Series) -> Score | None:
    """The tests of the best weights; where a run has none, the last of the tests made while training."""
    found = [(log, tests[0]) for log in series.logs if (tests := best_tests(log))]
    if not found:
        return tested_in_training(series)
    means = [test["mean"] for _, test in found]
    games = min(test["games"] for _, test in found)
    first = found[0][1]
    played = counted(games, "game") + (" a seed" if series.is_seeds else "") + repeated(first) + moves(first)
    if not series.is_seeds:
        test = found[0][1]
        low, high = (test["low"], test["high"]) if test["games"] > 1 else (None, None)
        return Score(test["mean"], low, high, f"best weights, {played}")
    several = "" if len(found) == len(series.logs) else f", {len(found)} of {len(series.logs)} tested"
    return over_seeds(means, f"best weights, {played}{several}")


def tested_in_training(series: Series) -> Score | None:
    """The last test of each run's log."""
    found = [row for log in series.logs if (row := last_test(log))]
    if not found:
        return None
    at = whole(mean([row["steps"] for row in found if row["steps"] is not None]))
    count = found[0]["evaluation_games"]
    played = f"{counted(int(count), 'game')} " if count else ""
    told = f"{played}while training" + (f", at step {at}" if at != "-" else "")
    if not series.is_seeds:
        return Score(found[0]["evaluation_mean"], found[0]["evaluation_low"], found[0]["evaluation_high"], told)
    return over_seeds([row["evaluation_mean"] for row in found], told)


def last_test(log: Log) -> dict[str, Any] | None:
    """The last row of a log that holds a test: its `steps`, `evaluation_mean`, and what there is beside it."""
    names = ("evaluation_mean", "evaluation_low", "evaluation_high", "evaluation_games", "steps")
    for part in (log.metrics, log.columns, *log.more):
        rows = [index for index, value in enumerate(part.get("evaluation_mean", [])) if value is not None]
        if rows:
            return {name: part[name][rows[-1]] if name in part else None for name in names}
    return None


def over_seeds(means: list[float], told: str) -> Score:
    if len(means) == 1:
        return Score(means[0], None, None, told)
    average, low, high = bootstrap_mean([[value] for value in means])
    return Score(average, low, high, told)


def best_tests(log: Log) -> list[dict[str, Any]]:
    """The tests of a run's newest best weights in the games of its training, the largest first, of equal ones that with all games different."""
    trained = log.recipe.env if log.recipe else None
    best = [test for test in log.evaluations if test["weights"] == "best" and test["epsilon"] <= MOST_RANDOM]
    best = [test for test in best if trained is None or as_trained(test, trained)]
    newest = [test for test in best if test["updates"] == max(test["updates"] for test in best)]
    return sorted(newest, key=lambda test: (-test["games"], different(test) < test["games"], test["epsilon"]))


def different(test: dict[str, Any]) -> int:
    """How many games of a test differ. Without any chance in them, some are the same game over again."""
    rewards, lengths = test.get("rewards", []), test.get("lengths", [])  # tests of before kept no lengths
    if not len(rewards) == len(lengths) == test["games"]:
        return test["games"]
    return different_games(test["policy"], test["sticky"], test["flicker"], rewards, lengths)


def as_trained(test: dict[str, Any], env: GameConfig) -> bool:
    """Whether the games of a test were those of the training."""
    own = getattr(env, "sticky", None)
    sticky = own if test["sticky"] is None else test["sticky"]  # None: the recipe's, in tests of before
    same = (test["flicker"], test["env"]) == (env.flicker, env.id) and not test.get("plain")
    same = same and not test.get("settings")
    return same and sticky in (own, stickiness(env))


def repeated(test: dict[str, Any]) -> str:
    """How many games of a test differ, where some do not."""
    count = different(test)
    return f" ({count} different ones)" if count < test["games"] else ""


def moves(test: dict[str, Any]) -> str:
    """How the moves of a test were chosen, where they were not simply the best."""
    if test["epsilon"]:
        return f", {percent(test['epsilon'])} random moves"
    return ", moves drawn from the policy" if test["policy"].endswith("sample") else ""


def other_columns(logs: list[Log], alone: bool) -> list[str]:
    """What logs without a running reward tell instead: of each its best reward or its first column; `alone`, more of them."""
    firsts = [lead_of(log, column_names([log])) for log in logs]
    rest = sorted(column_names(logs), key=lambda name: name not in REWARDS) if alone else []
    return list(filter(None, dict.fromkeys([*firsts, *rest])))[:MOST_OTHERS]


def running(log: Log) -> list[float]:
    return [value for value in log.columns.get("running_reward", []) if value is not None]


def last(log: Log, column: str) -> float | None:
    return next((value for value in reversed(log.columns.get(column, [])) if value is not None), None)


def last_of(log: Log, column: str) -> float | None:
    """The last value of a column, in whichever part of the log."""
    parts = (reversed(part.get(column, [])) for part in log.parts)
    return next((value for part in parts for value in part if value is not None), None)


def steps(log: Log) -> float:
    """How far a run has come. The summary is of the last session that ended; the last episode ended before the last step."""
    return max(finite(log.summary.get("steps")) or 0, last_of(log, "steps") or 0)


def mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
