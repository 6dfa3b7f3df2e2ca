"""The search itself: which trial is trained next, when one is given up, and what the sampler is told, in an order of its own.

Nothing here depends on how many trials go on at once, where, or which is faster:

- Trial n is drawn when it is known what came of the trials before n - window + 1, and of no other (`Journal.draw`).
- A trial is judged at a rung after all earlier ones that reach that rung (`Search.settle`); until then it waits, and others go on.
- What came of trials is told in the order of their numbers.

So the same search gives the same trials on one core, on many, and when it was killed and goes on.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from triptych.experiments.tune.halving import WHOLE, Halving
from triptych.experiments.tune.journal import Journal, Trial
from triptych.experiments.tune.plan import Plan, grid_of
from triptych.experiments.tune.space import Setting, changed
from triptych.experiments.tune.tracking import Tracking
from triptych.recipes import Recipe
from triptych.recipes.feasibility import prepare
from triptych.recipes.serialise import to_dict
from triptych.utils.checks import InputError
from triptych.utils.console import say


class Course:
    """Where a trial stands: trained, waiting for a verdict, or over."""

    def __init__(self, trial: Trial, recipe: Recipe | None):
        self.trial = trial
        self.recipe = recipe  # None: its values do not go together
        self.at = 0  # the place of the rung that it is on its way to
        self.pruned = False
        self.given: set[int] = set()  # seeds that a process trains up to that rung, or has trained
        self.results: dict[int, dict[str, Any]] = {}  # of those that have come back

    @property
    def ended_at(self) -> int | None:
        """The place of the rung at which it came to its end by itself; None: it has not."""
        return self.trial.notes.get("at") if "ended" in self.trial.notes else None

    @property
    def is_over(self) -> bool:
        return self.pruned or self.ended_at is not None

    @property
    def outcome(self) -> str:
        return "pruned" if self.pruned else self.trial.notes.get("ended", "")

    @property
    def score(self) -> float | None:
        """Of the whole run; None: it never came to its end."""
        return self.trial.last if self.outcome == "finished" else None

    def goes_on(self) -> None:
        self.at += 1
        self.given, self.results = set(), {}


class Search:
    """One search over a recipe's settings.

    Args:
        folder: its own, which holds the journal.
        at_once: jobs that go on at the same time.
        quiet: say nothing of trials that end.
        tracking: the trackers that its runs are sent to; None: there are none.
    """

    def __init__(
        self,
        plan: Plan,
        recipe: Recipe,
        space: tuple[Setting, ...],
        folder: Path,
        at_once: int,
        quiet: bool,
        tracking: Tracking | None = None,
    ):
        self.tracking = tracking or Tracking(folder)
        self.plan, self.recipe, self.space, self.folder = plan, recipe, space, folder
        self.at_once, self.quiet = at_once, quiet
        self.grid = list(itertools.product(*grid_of(plan, space))) if plan.sampler == "grid" else None
        self.wanted = plan.trials if self.grid is None else len(self.grid)
        self.journal, self.halving = Journal(folder, space), Halving()
        self.courses = [Course(trial, self.recipe_of(trial.names)) for trial in self.journal.trials()]
        for course in self.courses:
            if WHOLE in course.trial.scores and "ended" not in course.trial.notes:
                self.note(course, ended="finished")
        self.told = sum(course.trial.told for course in self.courses)
        self.places: list[tuple[int, int]] = []  # trial and seed of each job that was given out, by its place
        self.running = 0
        for course in self.courses:
            if not (course.trial.told or course.trial.scores or course.trial.notes):  # killed where it began
                self.check(course)
        self.settle()

    def recipe_of(self, names: dict[str, Any]) -> Recipe | None:
        """The recipe of a trial; None where its values do not go together."""
        try:
            return changed(self.recipe, self.space, names)
        except InputError:
            return None

    def settle(self) -> None:
        """Gives all verdicts, tells all ends and draws all trials that it is time for."""
        while True:
            before = self.told, len(self.courses)
            for at in range(len(self.plan.rungs) - 1):
                self.judge(at)
            while self.told < len(self.courses) and self.courses[self.told].is_over:
                self.tell(self.courses[self.told])
            if len(self.courses) < self.wanted and len(self.courses) - self.told < self.plan.window:
                self.begin()
            if before == (self.told, len(self.courses)):
                return

    def judge(self, at: int) -> None:
        """Verdicts at a rung, by number, up to the first trial that has not come so far and still may."""
        rung = self.plan.rungs[at]
        for course in self.courses:
            ended = course.ended_at
            if course.at > at or course.pruned or (ended is not None and ended <= at):
                continue
            if rung not in course.trial.scores:
                return
            good = self.halving.goes_on(course.trial.number, rung, course.trial.scores[rung])
            went_on = (
                ended is not None or max(course.trial.scores) > rung
            )  # before this session; another Optuna may judge otherwise
            if went_on or (good and not course.trial.told):
                course.goes_on()
            else:
                course.pruned = True

    def tell(self, course: Course) -> None:
        if not course.trial.told:
            self.journal.tell(course.trial.number, course.score)
            course.trial.told = True
        self.told += 1

    def begin(self) -> None:
        """Draws the next trial and writes that it begins."""
        number = len(self.courses)
        names = self.names(number)
        self.journal.begin(names)
        course = Course(self.journal.trials()[number], self.recipe_of(names))
        self.courses.append(course)
        self.check(course)

    def check(self, course: Course) -> None:
        """Notes that a trial's values do not go together, where that is so: then nothing is trained."""
        try:
            recipe = changed(self.recipe, self.space, course.trial.names)
            prepare(recipe, self.plan.framework, num_envs=1, is_new=False).games.close()
        except InputError as error:
            self.note(course, ended="refused", at=0, why=str(error))

    def names(self, number: int) -> dict[str, Any]:
        """The values of a trial: those of the grid; the recipe's own for the first one; else what the sampler draws."""
        paths = [setting.path for setting in self.space]
        if self.grid is not None:
            return dict(zip(paths, self.grid[number], strict=True))
        own = own_names(self.recipe, self.space)
        if number == 0 and own is not None:
            return own
        known = max(0, number - self.plan.window + 1)
        drawn = self.journal.draw(number, known, self.plan.sampler, self.recipe.seed)
        return {setting.path: setting.tidy(drawn[setting.path]) for setting in self.space}

    def jobs(self) -> list[dict[str, Any]]:
        """Jobs that may begin now, those of the earliest trials first."""
        found = []
        for course in self.courses:
            if course.is_over or self.plan.rungs[course.at] in course.trial.scores:
                continue
            for seed in range(self.plan.seeds_per_trial):
                if self.running < self.at_once and seed not in course.given:
                    course.given.add(seed)
                    self.places.append((course.trial.number, seed))
                    self.running += 1
                    found.append(self.job(course, seed))
        return found

    def job(self, course: Course, seed: int) -> dict[str, Any]:
        assert course.recipe is not None
        settings = to_dict(course.recipe) | {"seed": course.recipe.seed + seed}
        return {
            "framework": self.plan.framework, "recipe": settings, "until": self.plan.until(course.recipe, course.at),
            "games": self.plan.games, "device": self.plan.device, "trust": True,  # the user's own recipe
            "runs_dir": str(self.folder / "trials"), "run_name": f"trial-{course.trial.number:03d}-seed{settings['seed']}",
        } | self.tracking.shared  # fmt: skip

    def then(self, place: int, result: dict[str, Any]) -> list[dict[str, Any]]:
        """Takes up what came of a job, and gives those that may begin now."""
        number, seed = self.places[place]
        course = self.courses[number]
        self.running -= 1
        self.tracking.hear(result)
        course.results[seed] = result
        if len(course.results) == self.plan.seeds_per_trial:
            self.arrive(course, [course.results[seed] for seed in sorted(course.results)])
            self.settle()
            self.report(course)
        return self.jobs()

    def arrive(self, course: Course, results: list[dict[str, Any]]) -> None:
        """A trial has come to a rung with all of its seeds."""
        number, rung = course.trial.number, self.plan.rungs[course.at]
        diverged = next((result for result in results if result["ended"] == "diverged"), None)
        steps = max(result["steps"] for result in results)
        seconds = sum(result["seconds"] for result in results)
        self.note(course, steps=steps, seconds=round(seconds, 1))
        if diverged:
            self.note(course, ended="diverged", at=course.at, why=diverged["why"])
            return
        score = sum(result["score"] for result in results) / len(results)
        finished = all(result["ended"] for result in results)
        if finished:
            self.note(course, at=course.at)
            rung = WHOLE
        self.journal.report(number, rung, score)
        course.trial.scores[rung] = score
        if finished:  # said last: a search that is killed in between knows it by the score
            self.note(course, ended="finished")

    def note(self, course: Course, **notes: Any) -> None:
        self.journal.note(course.trial.number, **notes)
        course.trial.notes |= notes

    def report(self, course: Course) -> None:
        """Tells the user how a trial stands."""
        if self.quiet:
            return
        trial = course.trial
        values = ", ".join(f"{path.rpartition('.')[2]} {shown(value)}" for path, value in trial.names.items())
        what = course.outcome or f"at step {trial.notes['steps']:,}"
        score = "" if trial.last is None else f", {trial.last:,.2f}"
        over = sum(one.is_over for one in self.courses)
        say(f"{over} of {self.wanted} trials over; trial {trial.number} {what}{score} ({values})")


def shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def own_names(recipe: Recipe, space: tuple[Setting, ...]) -> dict[str, Any] | None:
    """The recipe's own values as a trial has them; None where one lies outside of what is searched."""
    try:
        return {setting.path: setting.own(recipe) for setting in space}
    except ValueError:
        return None
