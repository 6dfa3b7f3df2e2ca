"""What `compare` prints: its table, what should be known of it, and where its runs are."""

from __future__ import annotations

from rich.table import Table

from triptych.cli.tables import print_table
from triptych.experiments.compare import Comparison, ComparisonRow
from triptych.utils.console import counted, put
from triptych.utils.machine import Load

FEW = 5  # seeds; of fewer a bootstrap interval is about the lowest to the highest, and is called so


def comparison_table(comparison: Comparison, load: Load | None = None) -> None:
    """One line a framework, of each recipe; below the table what should be known when it is read.

    Args:
        load: of this machine while the runs were made; None: not known.
    """
    table = Table(
        title=f"{comparison.recipe}: {comparison.steps:,} steps, {counted(comparison.threads, 'thread')}, {comparison.processor}"
    )
    recipes = len({row.recipe for row in comparison.rows}) > 1
    for title in ["recipe"] * recipes + ["framework"]:
        table.add_column(title)
    for title in (score_title(comparison), "last weights", "steps/s", "updates/s", "compile", "peak memory"):
        table.add_column(title, justify="right")
    for row in comparison.rows:
        low, high = bounds(row, comparison)
        table.add_row(
            *[row.recipe] * recipes,
            row.framework,
            f"{row.score:,.1f} ({low:,.1f} to {high:,.1f})",
            f"{row.latest_score:,.1f}",
            f"{row.steps_per_second:,.0f}",
            f"{row.updates_per_second:,.1f}",
            f"{row.compile_seconds:.2f} s",
            f"{row.peak_memory / 1e6:,.0f} MB",
        )
    print_table(table)
    put(*cautions(comparison, load))
    for test in comparison.equivalence:
        verdict = {True: "equivalent", False: "not shown to be equivalent", None: "no spread, so nothing is shown"}
        print(
            f"{' less '.join(test.frameworks)}: {test.difference:+,.1f} (90 % interval {test.low:+,.1f} to {test.high:+,.1f}), "
            f"margin {test.margin:,g}: {verdict[test.equivalent]}"
        )


def is_range(comparison: Comparison) -> bool:
    """Whether the scores are of several seeds, but of too few for an interval."""
    return 1 < len(comparison.seeds) < FEW


def score_title(comparison: Comparison) -> str:
    seeds = len(comparison.seeds)
    if is_range(comparison):
        return f"score (lowest to highest of {seeds} seeds)"
    return f"score (95 % over {f'{seeds} seeds' if seeds > 1 else counted(comparison.games, 'game')})"


def bounds(row: ComparisonRow, comparison: Comparison) -> tuple[float, float]:
    """What stands behind a score: an interval, or the scores of the worst and the best run."""
    return (min(row.run_scores), max(row.run_scores)) if is_range(comparison) else (row.low, row.high)


def cautions(comparison: Comparison, load: Load | None) -> list[str]:
    """What the table does not say of itself, a line each."""
    found = []
    if is_range(comparison):
        seeds = len(comparison.seeds)
        found.append(
            f"{seeds} seeds are too few for an interval: another {seeds} may turn the order round; from --seeds {FEW} on there is one"
        )
    if load is not None and load.typical is not None and load.typical > load.cores:
        found.append(
            f"while this ran, the machine had a load of {load.typical:.1f} on {counted(load.cores, 'core')}: "
            "the speeds are lower than on an idle machine, and not by the same share in each row"
        )
    return found


def run_folders(comparison: Comparison) -> None:
    """Where the runs of a comparison lie."""
    for row in comparison.rows:
        for run in row.runs:
            put(f"run folder: {run}")
