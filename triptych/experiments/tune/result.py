"""What a search came to, and the files that say it: `trials.csv`, `result.json`, and the best setting as a recipe's file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych.experiments.tune.importance import importances
from triptych.experiments.tune.search import Course, Search
from triptych.frameworks import versions
from triptych.recipes.python import write_recipe
from triptych.utils import machine
from triptych.utils.checks import WorkerError
from triptych.utils.files import line, write_json, write_whole
from triptych.utils.statistics import bootstrap_mean


@dataclass(frozen=True)
class Fresh:
    """Runs with seeds that the search has not seen."""

    seeds: list[int]
    rewards: list[list[float]]  # of each seed's test games; none where it diverged

    @property
    def scores(self) -> list[float | None]:
        """A seed each; None: it diverged."""
        return [sum(one) / len(one) if one else None for one in self.rewards]

    @property
    def mean(self) -> tuple[float, float, float] | None:
        """Mean over seeds with its 95 % bootstrap interval; None where one has diverged."""
        return bootstrap_mean(self.rewards) if all(self.rewards) else None


@dataclass(frozen=True)
class TuneResult:
    """A search and what came of it."""

    best: dict[str, Any]  # the best setting: field -> value
    best_score: float  # in the search; too good, as it is the highest of many
    fresh_score: float | None  # its mean with fresh seeds; None: one of them diverged
    fresh_scores: list[float | None]  # a seed each
    fresh_low: float | None  # 95 % interval of the mean, over seeds
    fresh_high: float | None
    own: dict[str, Any]  # the recipe's own setting
    own_score: float | None  # its mean with the same fresh seeds
    own_scores: list[float | None]
    own_low: float | None
    own_high: float | None
    fresh_seeds: list[int]
    trials: int  # that were tried
    outcomes: dict[str, int]  # how many of them finished, were pruned, diverged, or were refused
    importances: dict[str, float]  # of each setting, 0 to 1, together 1; empty: too few trials to say
    recipe: str  # the file that `train` takes
    page: str
    csv: str
    folder: str
    label: str
    framework: str
    processor: str
    versions: dict[str, str]


def best_course(search: Search) -> Course:
    """The trial with the highest score; of equal ones the first.

    Raises:
        WorkerError: none came to its end.
    """
    finished = [course for course in search.courses if course.score is not None]
    if not finished:
        whys = [f"trial {course.trial.number} {course.outcome}" for course in search.courses[:3]]
        raise WorkerError(f"no trial came to its end ({', '.join(whys)}): other ranges may help")
    return max(finished, key=lambda course: (course.score, -course.trial.number))


def conclude(search: Search, fresh: Fresh, own: Fresh) -> TuneResult:
    """Condenses a search, and writes its files but for the page."""
    best, folder = best_course(search), search.folder
    assert best.score is not None
    assert best.recipe is not None
    outcomes = [course.outcome for course in search.courses]
    found = [interval or (None, None, None) for interval in (fresh.mean, own.mean)]
    result = TuneResult(
        best=values(search, best), best_score=best.score,
        fresh_score=found[0][0], fresh_scores=fresh.scores, fresh_low=found[0][1], fresh_high=found[0][2],
        own={setting.path: setting.current(search.recipe) for setting in search.space},
        own_score=found[1][0], own_scores=own.scores, own_low=found[1][1], own_high=found[1][2],
        fresh_seeds=fresh.seeds, trials=len(search.courses),
        outcomes={name: outcomes.count(name) for name in dict.fromkeys(outcomes)},
        importances=importances(search),
        recipe=str(folder / "best.py"), page=str(folder / "tune.html"), csv=str(folder / "trials.csv"), folder=str(folder),
        label=search.plan.label, framework=search.plan.framework, processor=machine.processor(), versions=versions(),
    )  # fmt: skip
    write_recipe(folder / "best.py", best.recipe, told(result))
    write_trials(folder / "trials.csv", search)
    write_json(folder / "result.json", dataclasses.asdict(result))
    return result


def values(search: Search, course: Course) -> dict[str, Any]:
    """A trial's values as they stand in the recipe, by path."""
    return {setting.path: setting.value(course.trial.names[setting.path]) for setting in search.space}


def told(result: TuneResult) -> str:
    """What the recipe's file says of itself."""
    fresh = "diverged" if result.fresh_score is None else f"{result.fresh_score:,.1f}"
    own = "diverged" if result.own_score is None else f"{result.own_score:,.1f}"
    first, last = result.fresh_seeds[0], result.fresh_seeds[-1]
    seeds = f"seed {first}" if first == last else f"seeds {first} to {last}"
    return f"The best of {result.trials} settings of {result.label}: {fresh} with {seeds}, where its own setting has {own}."


def write_trials(path: Path, search: Search) -> None:
    """A row a trial: its values, how it ended, its scores at the rungs and at the end, and what it took."""
    paths = [setting.path for setting in search.space]
    rungs = [f"score_at_{rung}_9" for rung in search.plan.rungs[:-1]]
    rows = [line(["trial", "outcome", "score", *rungs, "steps", "seconds", *paths, "why"])]
    for course in search.courses:
        trial, notes = course.trial, course.trial.notes
        scores = [trial.scores.get(rung, "") for rung in search.plan.rungs[:-1]]
        given = [trial.names[path] for path in paths]
        known = [notes.get(name, "") for name in ("steps", "seconds")]
        score = "" if course.score is None else course.score
        rows.append(line([trial.number, course.outcome, score, *scores, *known, *given, notes.get("why", "")]))
    write_whole(path, lambda temporary: temporary.write_text("".join(rows), encoding="utf-8"))
