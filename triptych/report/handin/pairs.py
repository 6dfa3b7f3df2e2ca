"""Groups two by two: by framework, by algorithm, by settings; and whether frameworks that claim to be the same are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from triptych.report.handin.document import Block, Cell, Heading, Table, Text
from triptych.report.handin.figures import improvement_figure, profile_figure
from triptych.report.handin.tasks import Group, Task, normalised
from triptych.report.handin.words import FEW, SURE, between, chances, difference, p_value, reading
from triptych.report.numbers import score
from triptych.utils.console import counted
from triptych.utils.differences import Difference, holm, welch
from triptych.utils.equivalence import Equivalence, equivalences
from triptych.utils.reliable import Estimate, probability_of_improvement

MOST_PAIRS = 24  # of a task, in a table and a figure
MOST_TASKS = 4  # of a section whose groups are compared task by task
SHARE = 0.1  # of what was learned: the margin where nobody names one
FACTORS = {
    "framework": "Frameworks: the same recipe in each", "algorithm": "Algorithms: in the same framework",
    "settings": "Recipes: the same algorithm and framework, other settings", "variant": "Variants, two by two", "other": "Others: more than one thing differs",
}  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """Two groups of a task; the first has the higher mean."""

    factor: str  # what they differ in
    one: Group
    other: Group
    difference: Difference
    p: float | None  # corrected for all pairs of the task
    better: Estimate | None  # how likely a run of the first scores higher; None: there is one run of one of them


def factor(a: Group, b: Group) -> str:
    """The one thing that two groups differ in."""
    if not (a.logs or b.logs):
        return "variant"
    if a.settings and a.settings == b.settings:
        return "framework"
    if a.framework == b.framework and a.algorithm != b.algorithm:
        return "algorithm"
    return "settings" if a.framework == b.framework and a.algorithm else "other"


def in_one_thing(task: Task) -> list[tuple[str, Group, Group]]:
    """Every two groups that differ in one thing, which, and the one with the higher mean first; where there are none, every two."""
    two = [sorted(pair, key=lambda group: -group.mean[0]) for pair in combinations(task.groups, 2)]
    found = [(factor(a, b), a, b) for a, b in two]
    if any(kind != "other" for kind, _, _ in found):
        found = [one for one in found if one[0] != "other"]
    return found


def pairs_of(task: Task) -> list[Pair]:
    """The first pairs of them, tested."""
    found = in_one_thing(task)[:MOST_PAIRS]
    tests = [welch(a.scores, b.scores) for _, a, b in found]
    return [
        Pair(kind, a, b, test, p, chance_to_beat(a, b))
        for (kind, a, b), test, p in zip(found, tests, holm([test.p for test in tests]), strict=True)
    ]


def chance_to_beat(a: Group, b: Group) -> Estimate | None:
    return None if min(len(a.scores), len(b.scores)) < 2 else probability_of_improvement([a.scores], [b.scores])


def comparison(tasks: list[Task], margin: float | None, verdicts: list[str], prefix: str = "") -> list[Block]:
    """The groups of a section against each other.

    Args:
        margin: points that do not matter between frameworks; None: a tenth of what was learned.
        verdicts: of locksteps, a sentence each.
        prefix: of the figures' names.
    """
    blocks: list[Block] = []
    compared = [task for task in tasks if len(task.groups) > 1]
    if 0 < len(compared) <= MOST_TASKS:
        for task in compared:
            blocks += [Heading(task.name)] if len(compared) > 1 else []
            blocks += of_task(task, margin, f"{prefix}{task.name}")
    elif compared:
        blocks += of_tasks(compared, prefix)
    return [*blocks, *(Text(line, "verdict") for line in verdicts)]


def of_task(task: Task, margin: float | None, name: str) -> list[Block]:
    found = pairs_of(task)
    several = any(len(group.scores) > 1 for group in task.groups)  # of one run each, a share of runs says nothing
    blocks: list[Block] = []
    if several:
        blocks.append(profile_figure([task.groups], f"profile-{name}", "score of a run", chance=task.chance))
    for kind, title in FACTORS.items():
        mine = [pair for pair in found if pair.factor == kind]
        if mine:
            blocks += [Heading(title), table(mine, sum(pair.p is not None for pair in found))]
        if mine and kind == "framework":
            blocks += same(task, margin)
    better = [(f"{p.one.label} over {p.other.label}", p.one.colour, p.better) for p in found if p.better is not None]
    if better:
        blocks.append(improvement_figure(better, f"improvement-{name}"))
    if (total := len(in_one_thing(task))) > len(found):
        blocks.append(Text(f"The first {len(found)} of {total} pairs are shown.", "note"))
    return blocks


def table(pairs: list[Pair], tests: int) -> Table:
    """Pairs that differ in the same thing; `tests`: how many p values are corrected together."""
    head = [
        "higher mean",
        "the other",
        "difference, 95 % interval",
        "test",
        "probability of improvement, 95 % interval",
    ]
    rows = []
    for pair in pairs:
        runs = min(len(pair.one.scores), len(pair.other.scores))
        word = reading(pair.difference, pair.p, runs)
        rows.append(
            [
                Cell(pair.one.label, colour=pair.one.colour), Cell(pair.other.label, colour=pair.other.colour),
                difference(pair.difference), Cell(word, p_value(pair.p)), Cell("-") if pair.better is None else chances(pair.better),
            ]
        )  # fmt: skip
    corrected = f"; p is corrected for the {tests} tests of these tables (Holm), intervals are not" if tests > 1 else ""
    few = min(len(group.scores) for pair in pairs for group in (pair.one, pair.other)) < FEW
    narrow = f"; its intervals are bootstraps over runs, too narrow with fewer than {FEW}" if few else ""
    return Table(
        head, rows, f"Test: Welch's t test{corrected}; below {SURE} one is called higher. Probability of improvement: how likely a run of the "
        f"first scores more than a run of the other, ties counted half (Agarwal et al. 2021){narrow}.", numbers=2,
    )  # fmt: skip


def same(task: Task, margin: float | None) -> list[Text]:
    """Whether the frameworks of each recipe score the same: two one-sided tests."""
    found: list[Text] = []
    for settings in dict.fromkeys(group.settings for group in task.groups if group.settings):
        members = [group for group in task.groups if group.settings == settings]
        if len(members) < 2:
            continue
        points, told = margin_of(members, task.chance, margin)
        tests = equivalences({group.label: group.scores for group in members}, points)
        kinds: dict[bool | None, str] = {True: "verdict", False: "", None: "note"}
        found += [Text(equivalence(test, told), kinds[test.equivalent]) for test in tests]
        if tests:
            found.append(
                Text(
                    f"Equivalence: two one-sided tests at 5 % each (Schuirmann 1987), with a margin of {score(points)} points, {told}. "
                    "Not shown to be the same is not shown to differ.",
                    "note",
                )
            )
        else:
            found.append(
                Text(
                    "Whether the frameworks score the same cannot be tested with one run of each: more seeds would tell.",
                    "note",
                )
            )
    return found


def margin_of(groups: list[Group], chance: float | None, margin: float | None) -> tuple[float, str]:
    """The difference that does not matter, and where it is from."""
    if margin is not None:
        return margin, "named by the author"
    learned = abs(max(group.mean[0] for group in groups) - (chance or 0.0))
    if not learned:
        return 1.0, "as nothing was learned of which it could be a share (--margin names another)"
    return (
        learned * SHARE,
        f"a tenth of the {'way from random play to the ' if chance is not None else ''}highest mean (--margin names another)",
    )


def equivalence(test: Equivalence, margin: str) -> str:
    """A test's result in a sentence; `margin`: where its margin is from."""
    names = " and ".join(test.frameworks)
    if test.equivalent is None:
        return f"{names}: every run scores the same, so there is no spread that a test of equivalence could use."
    where = f"the 90 % interval of their difference is {between(test.low, test.high)}"
    within = f"within {score(test.margin)} points ({margin.removesuffix(' (--margin names another)')})"
    return (
        f"{names} score the same {within}: {where}."
        if test.equivalent
        else f"{names}: not shown to score the same {within}; {where}."
    )


def of_tasks(tasks: list[Task], prefix: str) -> list[Block]:
    """Groups over many tasks: on a scale that the tasks share, each against the first."""
    raw = [{group.label: group.scores for group in task.groups} for task in tasks]
    labels = [label for label in raw[0] if all(label in one for one in raw)]
    if len(labels) < 2:
        return []
    colours = {group.label: group.colour for task in tasks for group in task.groups}
    first, *others = labels
    of = {label: [one[label] for one in raw] for label in labels}  # who scores more needs no scale
    better = [
        (f"{label} over {first}", colours[label], probability_of_improvement(of[label], of[first])) for label in others
    ]
    scores, scale = normalised(tasks)
    grouped = [[Group(label, colours[label], one[label]) for label in labels] for one in scores]
    profile = (
        [profile_figure(grouped, f"profile-{prefix}tasks", f"score of a run on one scale: {scale}")] if grouped else []
    )
    over = f", averaged over {counted(len(tasks), 'task')}"
    return [*profile, improvement_figure(better, f"improvement-{prefix}tasks", over), *only(labels, raw)]


def only(labels: list[str], scores: list[dict[str, list[float]]]) -> list[Text]:
    """That groups are left out which some tasks lack."""
    left = len({label for one in scores for label in one}) - len(labels)
    told = (
        "is left out of these two figures, as it was"
        if left == 1
        else "are left out of these two figures, as they were"
    )
    return [Text(f"{counted(left, 'group')} {told} not run on every task.", "note")] if left else []
