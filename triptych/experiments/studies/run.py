"""Runs a study: every variant with every seed, each in a process of its own; what is done already is not done again."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych import envs
from triptych.experiments.jobs import work_all
from triptych.experiments.studies import Arm, Study, load_study
from triptych.experiments.studies.page import highest, write_page
from triptych.experiments.studies.table import Run, append_rows, read_runs, test_of
from triptych.frameworks import check_framework
from triptych.recipes import Recipe, load_recipe
from triptych.recipes.override import override
from triptych.recipes.serialise import to_dict
from triptych.report.html import check_page
from triptych.runs.names import safe
from triptych.spec import Precision
from triptych.utils.checks import check
from triptych.utils.console import say
from triptych.utils.files import line, sha256, write_json, write_whole
from triptych.utils.statistics import bootstrap_iqm

QUICK_SEEDS, QUICK = 2, {"steps": 1_500}


@dataclass(frozen=True)
class StudyRow:
    """A variant's score over its seeds: the interquartile mean of the runs' scores, with its 95 % bootstrap interval."""

    task: str
    label: str
    flicker: float | None  # chance of a hidden observation in the test; None: as in training
    iqm: float
    low: float
    high: float
    scores: list[float]  # a seed each: mean raw reward of the best weights' test games
    parameters: int  # of the network
    is_best: bool = False  # of its task and flicker


@dataclass(frozen=True)
class Result:
    """A study and what came of it."""

    study: str
    question: str
    rows: list[StudyRow]
    best: dict[str, str]  # task -> the label with the highest score there, over all flickers
    framework: str
    seeds: int
    games: int
    quick: bool
    steps: int | None  # of each run; None: as the study says
    precision: str | None  # likewise
    page: str
    csv: str
    processor: str  # that the runs were made on; several where they were
    versions: dict[str, str]  # of packages, likewise


def run_study(
    name: str,
    framework: str = "torch",
    *,
    quick: bool = False,
    seeds: int | None = None,
    only: tuple[str, ...] = (),
    games: tuple[str, ...] = (),
    steps: int | None = None,
    precision: Precision | None = None,
    jobs: int = 1,
    runs_dir: str | Path = "runs",
    out: Path | None = None,
    quiet: bool = True,
) -> Result:
    """Trains and tests what is still missing, then writes `study.csv`, `runs.csv`, `study.json` and `study.html`.

    Args:
        quick: short runs with two seeds, which show that all works and nothing else.
        seeds: runs of each variant; None: as the study says.
        only: labels or tasks to train now; empty: all. The page shows whatever is there.
        games: tasks to train now; empty: all, but none where the page has published scores to show.
        steps: of each run; None: as the study says. Each length has a folder and a page of its own.
        precision: of each run; None: as the study says. It too has a folder and a page of its own.
        jobs: runs at the same time, each in a process of its own. Where two studies want the same run, it is made
            once; so let one end before the next begins.
        out: the folder of the results; None: see `folder_of`.

    Raises:
        InputError: unknown study, framework, label or game, or a package is missing.
        WorkerError: a run ended without a result.
    """
    study = load_study(name)
    check_framework(framework)
    check_page("study")
    count = seeds if seeds is not None else QUICK_SEEDS if quick else study.seeds
    check(count > 0, "seeds", count, "above 0")
    check(jobs > 0, "jobs", jobs, "above 0")
    chosen = chosen_arms(study, only, games)
    changed = {name: value for name, value in (("steps", steps), ("precision", precision)) if value is not None}
    recipes = {
        (index, seed): recipe_of(arm, seed, (quick_of(arm) if quick else {}) | changed)
        for index, arm in enumerate(study.arms)
        for seed in range(count)
    }
    folder = out or folder_of(Path(name).stem, framework, quick, changed, Path(runs_dir))
    folder.mkdir(parents=True, exist_ok=True)
    shared = {"games": study.games, "epsilon": study.epsilon, "quiet": quiet, "runs_dir": str(runs_dir)}
    todo = [job | shared for job in missing_jobs(study, recipes, chosen, folder / "runs.csv", framework, quick)]
    train_missing(todo, folder / "runs.csv", jobs, quiet, [name] if name.endswith(".py") else [])
    mine = rows_of_study(study, recipes, folder / "runs.csv", framework)
    return conclude(name, study, mine, folder, framework, count, quick, changed)


Recipes = dict[tuple[int, int], Recipe]  # (place of the arm in its study, seed) -> what is trained


def missing_jobs(
    study: Study, recipes: Recipes, chosen: list[Arm], table: Path, framework: str, quick: bool
) -> list[dict[str, Any]]:
    """A job for each run of the chosen arms that has not been made, or not been tested as the study says now."""
    made = {(row["framework"], row["settings"], *test_of(row)) for row in read_runs(table)}
    found = []
    for (index, _), recipe in recipes.items():
        done = (framework, fingerprint(recipe), study.games, study.epsilon)
        missing = [chance for chance in study.flicker or (None,) if (*done, chance) not in made]
        if study.arms[index] in chosen and missing:
            found.append(job_of(study.arms[index], recipe, framework, quick) | {"flicker": missing})
    return found


def train_missing(todo: list[dict[str, Any]], table: Path, jobs: int, quiet: bool, files: list[str]) -> None:
    """Does the jobs, so many at once; each run's rows stand in the table as soon as it has ended."""
    ended = itertools.count(1)

    def keep(place: int, found: dict[str, Any]) -> None:
        append_rows(table, todo[place], found)
        if not quiet:
            job, score = todo[place], found["tests"][0]["score"]
            say(f"{next(ended)} of {len(todo)}: {job['task']}, {job['label']}, seed {job['seed']}: {score:,.2f}")

    work_all("study", todo, keep, jobs, files)


def rows_of_study(study: Study, recipes: Recipes, table: Path, framework: str) -> list[Run]:
    """The table's rows that are of these recipes and this study's tests, under the names that the arms have now."""
    arms = {fingerprint(recipe): study.arms[index] for (index, _), recipe in recipes.items()}
    tests = [(study.games, study.epsilon, chance) for chance in study.flicker or (None,)]
    return [
        row | {"task": arms[row["settings"]].task, "label": arms[row["settings"]].label}
        for row in read_runs(table)
        if row["framework"] == framework and row["settings"] in arms and test_of(row) in tests
    ]


def folder_of(name: str, framework: str, quick: bool, changed: dict[str, Any], runs_dir: Path) -> Path:
    """Where results go that were given no place; runs of other lengths or precisions than the study's have one of their own."""
    suffix = f"-{changed['steps']}-steps" if "steps" in changed else ""
    suffix += f"-{changed['precision']}" if "precision" in changed else ""
    if quick:
        return runs_dir / f"study-{name}-{framework}-quick{suffix}"
    return Path("results/studies") / name / (framework + suffix)


def chosen_arms(study: Study, only: tuple[str, ...], games: tuple[str, ...]) -> list[Arm]:
    """The variants to train now."""
    tasks, labels = (list(dict.fromkeys(getattr(arm, name) for arm in study.arms)) for name in ("task", "label"))
    for name, given, known in (("only", only, tasks + labels), ("games", games, tasks)):
        for word in given:
            check(word in known, name, word, ", ".join(map(repr, known)))
    if study.published and not games:
        check(not only, "games", "none", f"named where --only is, as there are {len(tasks)}")
        return []
    arms = [arm for arm in study.arms if not games or arm.task in games]
    arms = [arm for arm in arms if not only or {arm.label, arm.task} & set(only)]
    check(bool(arms), "only", " ".join(only), f"a variant of {', '.join(games)}")
    return arms


def base_of(arm: Arm) -> Recipe:
    return arm.recipe if isinstance(arm.recipe, Recipe) else load_recipe(arm.recipe)


def quick_of(arm: Arm) -> dict[str, Any]:
    """What --quick changes: what the variant says, else a short run with a short start at random where there is one."""
    if arm.quick is not None:
        return arm.quick
    return QUICK | ({"warm_up": 200} if base_of(arm).algorithm.steps_before_learning else {})


def recipe_of(arm: Arm, seed: int, changed: dict[str, Any]) -> Recipe:
    return override(base_of(arm), {**arm.changes, **changed, "seed": seed})


def fingerprint(recipe: Recipe) -> str:
    """Eight letters that differ where any setting does, so that a run is never taken for another."""
    settings = to_dict(recipe) | {
        "env": envs.as_before(recipe.env),
        "memory": None,
    }  # so that runs of before are known again
    if settings["optimiser"]["kind"] == "adam":
        del settings["optimiser"]["kind"]
    if Path(recipe.source).is_file():  # what stands in the user's file counts, not where it lies
        settings["source"] = sha256(Path(recipe.source))
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]


def job_of(arm: Arm, recipe: Recipe, framework: str, quick: bool) -> dict[str, Any]:
    """What a process must know of a run; its folder is named by its settings, for every study that wants it."""
    settings = fingerprint(recipe)
    label = recipe.env.id if isinstance(arm.recipe, Recipe) else arm.recipe
    run = f"study-{framework}{'-quick' * quick}-{safe(str(label))}-seed{recipe.seed}-{settings}"
    job = {"framework": framework, "task": arm.task, "label": arm.label, "seed": recipe.seed, "settings": settings}
    return job | {"recipe": to_dict(recipe), "run_name": run, "trust": True}  # the study's own recipe


def conclude(
    name: str,
    study: Study,
    done: list[Run],
    folder: Path,
    framework: str,
    seeds: int,
    quick: bool,
    changed: dict[str, Any],
) -> Result:
    """Condenses the runs, and writes the table, the JSON and the page."""
    rows = [row for arm in study.arms for row in rows_of(arm, done)]
    rows = [dataclasses.replace(row, is_best=row is highest([r for r in rows if same(r, row)])) for row in rows]
    tasks = dict.fromkeys(row.task for row in rows)
    best = {task: highest([row for row in rows if row.task == task]).label for task in tasks}
    result = Result(
        study=name, question=study.question, rows=rows, best=best, framework=framework, seeds=seeds, games=study.games,
        quick=quick, steps=changed.get("steps"), precision=changed.get("precision"),
        page=str(folder / "study.html"), csv=str(folder / "study.csv"),
        processor="; ".join(dict.fromkeys(row["processor"] for row in done)), versions=versions_of(done),
    )  # fmt: skip
    fields = ("task", "label", "flicker", "iqm", "low", "high", "parameters")
    cells = [[getattr(row, field) for field in fields] for row in rows]
    text = line(fields) + "".join(line(["" if cell is None else cell for cell in row]) for row in cells)
    write_whole(folder / "study.csv", lambda temporary: temporary.write_text(text, encoding="utf-8"))
    write_json(folder / "study.json", dataclasses.asdict(result))
    write_page(folder / "study.html", study, result, done)
    return result


def versions_of(done: list[Run]) -> dict[str, str]:
    """Each package's version, or versions, that the runs were made with."""
    found: dict[str, dict[str, None]] = {}
    for pair in (pair for row in done for pair in row["versions"].split()):
        name, version = pair.split("=", 1)
        found.setdefault(name, {})[version] = None
    return {name: " and ".join(versions) for name, versions in found.items()}


def rows_of(arm: Arm, done: list[Run]) -> list[StudyRow]:
    """A variant's row for each chance of a hidden observation in the test."""
    mine = [row for row in done if (row["task"], row["label"]) == (arm.task, arm.label)]
    found = []
    for flicker in dict.fromkeys(row["flicker"] for row in mine):
        tested = sorted((row for row in mine if row["flicker"] == flicker), key=lambda row: row["seed"])
        scores = [row["score"] for row in tested]
        parameters = mine[0]["parameters"]
        found.append(StudyRow(arm.task, arm.label, flicker, *bootstrap_iqm(scores), scores, parameters))
    return found


def same(a: StudyRow, b: StudyRow) -> bool:
    """Whether two rows stand against each other."""
    return (a.task, a.flicker) == (b.task, b.flicker)
