"""A search as one self-contained page: what was found, what each setting did to the score, and which of them mattered."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from triptych.experiments.tune.plan import Plan
from triptych.experiments.tune.result import TuneResult, best_course, values
from triptych.experiments.tune.search import Course, Search, own_names
from triptych.experiments.tune.space import Setting
from triptych.recipes import Recipe
from triptych.report import html, numbers
from triptych.report.command import repeat

FEWEST = 4  # fresh seeds below which intervals say nothing


def write_page(path: Path, search: Search, result: TuneResult) -> None:
    best = best_course(search)
    html.write_page(
        path,
        "tune.html",
        result=result,
        plan=search.plan,
        sentences=sentences(result),
        rows=[row(search, course) for course in search.courses],
        settings=[(path, numbers.plain(result.best[path]), numbers.plain(result.own[path])) for path in result.best],
        score=numbers.score,
        data={
            "settings": [axis(setting, search.recipe) for setting in search.space],
            "trials": [point(search, course) for course in search.courses if course.trial.last is not None],
            "best": best.trial.number,
            "own": 0 if own_names(search.recipe, search.space) == search.courses[0].trial.names else None,
            "fresh": fresh(result),
            "importances": result.importances,
        },
        command=command(search.plan, search.recipe),
        style=html.script("page.css"),
        script=html.script("chart.js", "tune.js"),
    )


def sentences(result: TuneResult) -> list[str]:
    """What came of it, in words."""
    found = [
        f"The highest of {result.trials} trials scored {numbers.score(result.best_score)} in the search. "
        "That is too good: it is the highest of many draws of luck, too."
    ]
    if result.best == result.own:
        return [
            *found,
            f"It is the recipe's own setting: fresh seeds give {interval(result.fresh_score, result.fresh_low, result.fresh_high)}.",
        ]
    best = interval(result.fresh_score, result.fresh_low, result.fresh_high)
    own = interval(result.own_score, result.own_low, result.own_high)
    found.append(
        f"Trained again with {len(result.fresh_seeds)} seeds that the search has not seen: {best}. The recipe's own setting with the same seeds: {own}."
    )
    found.append(verdict(result))
    return found


def interval(mean: float | None, low: float | None, high: float | None) -> str:
    if mean is None:
        return "one of them diverged"
    return f"{numbers.score(mean)} (95 % interval {numbers.score(low)} to {numbers.score(high)})"


def verdict(result: TuneResult) -> str:
    """Whether the search was worth it, as far as so many seeds can say."""
    if result.fresh_score is None or result.own_score is None:
        return "A setting that diverges with one seed of a few is not one to rely on."
    higher = result.fresh_score > result.own_score
    if len(result.fresh_seeds) < FEWEST:
        said = "higher than" if higher else "not higher than"
        return f"The found setting is {said} the recipe's own; {len(result.fresh_seeds)} seeds are too few to say more."
    assert result.fresh_low is not None
    assert result.own_low is not None
    assert result.fresh_high is not None
    assert result.own_high is not None
    if result.fresh_low > result.own_high:
        return "The found setting is clearly above the recipe's own: their intervals do not overlap."
    if result.own_low > result.fresh_high:
        return "The found setting is clearly below the recipe's own: the search has followed luck."
    return "Their intervals overlap: these seeds do not tell the two settings apart."


def axis(setting: Setting, recipe: Recipe) -> dict[str, Any]:
    """A setting as the figures have it: its values in words, or its ends."""
    return {
        "path": setting.path,
        "words": [numbers.plain(value) for value in setting.values],
        "low": setting.low,
        "high": setting.high,
        "log": setting.log,
        "whole": setting.whole,
    }


def point(search: Search, course: Course) -> dict[str, Any]:
    """A trial as the figures have it."""
    found = values(search, course)
    shown = {
        setting.path: numbers.plain(found[setting.path]) if setting.values else found[setting.path]
        for setting in search.space
    }
    return {
        "number": course.trial.number,
        "outcome": course.outcome,
        "score": course.trial.last,
        "values": shown,
        "steps": course.trial.notes.get("steps"),
    }


def fresh(result: TuneResult) -> list[dict[str, Any]]:
    """The rows of the figure that sets the search's score beside fresh ones."""
    rows: list[dict[str, Any]] = [
        {"name": "found setting, in the search", "mean": result.best_score, "low": None, "high": None, "scores": []},
        {"name": "found setting, fresh seeds", "mean": result.fresh_score, "low": result.fresh_low, "high": result.fresh_high, "scores": result.fresh_scores},
    ]  # fmt: skip
    if result.best != result.own:
        rows.append({"name": "recipe's own, fresh seeds", "mean": result.own_score, "low": result.own_low, "high": result.own_high, "scores": result.own_scores})  # fmt: skip
    return rows


def row(search: Search, course: Course) -> dict[str, Any]:
    """A trial's line in the table."""
    found = values(search, course)
    return {
        "number": course.trial.number,
        "outcome": course.outcome,
        "why": course.trial.notes.get("why") or "",
        "score": course.trial.last,
        "steps": numbers.whole(course.trial.notes.get("steps")),
        "values": [
            numbers.plain(float(f"{value:.3g}") if isinstance(value, float) else value) for value in found.values()
        ],
    }


def command(plan: Plan, recipe: Recipe) -> str:
    """What makes the search again, a setting a line."""
    start, _, comment = repeat(recipe, plan.framework).partition("  #")
    if start.startswith("#"):
        return start
    lines = [start.replace("triptych train", "triptych tune", 1)]
    lines += [shlex.join(["--over", text]) for text in plan.over]
    last = ["--trials", str(plan.trials), "--sampler", plan.sampler, "--pruner", plan.pruner]
    last += ["--seeds-per-trial", str(plan.seeds_per_trial), "--fresh-seeds", str(plan.fresh_seeds)]
    last += ["--games", str(plan.games), "--window", str(plan.window)]
    return " \\\n  ".join([*lines, shlex.join(last)]) + (f"  #{comment}" if comment else "")
