"""Tables in a terminal, and what `lockstep` prints."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.panel import Panel
from rich.progress import Progress
from rich.syntax import Syntax
from rich.table import Column, Table

from triptych.experiments.environments import Tried, flags_of, recipes_of, score
from triptych.experiments.lockstep.prove import LockstepResult as Lockstep
from triptych.experiments.studies.rows import Result
from triptych.experiments.tune.result import TuneResult
from triptych.recipes import Recipe
from triptych.report.look_numbers import Numbers
from triptych.report.numbers import plain
from triptych.report.show.build import Source
from triptych.utils.console import counted, put

WIDEST = 1_000  # columns that no table needs
SIDE_BY_SIDE = 200  # columns of a terminal that hold three sources


def wide_console() -> Console:
    """Standard output as wide as the terminal is; a file or a pipe has no width of its own and gets 120 columns."""
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = 120
    return console


def print_table(table: Table) -> None:
    """A table where it fits the terminal; else its rows one below the other, a line for each column."""
    console = wide_console()
    if fitted(table, console):
        console.print(table)
        return
    if table.title:
        console.print(table.title, style="italic")
    titles = [str(column.header) for column in table.columns]
    before = max(map(len, titles)) + 2
    for cells in zip(*(column.cells for column in table.columns), strict=True):
        console.print()
        for title, cell in zip(titles, cells, strict=True):
            grid = Table.grid(Column(width=before), Column(overflow="fold"))
            grid.add_row(title, cell)
            console.print(grid)


def fitted(table: Table, console: Console) -> bool:
    """Gives the columns of a table widths with which it fits; False where it cannot.

    Text may go on in a line below, but for a word, and a number may not. Rich alone would narrow words to nothing first.
    """
    options = console.options.update(width=WIDEST)
    least, most = [], []
    for column in table.columns:
        column.no_wrap = column.justify == "right"
        cells = [Measurement.get(console, options, cell) for cell in (column.header, *column.cells)]
        most.append(max(cell.maximum for cell in cells))
        least.append(most[-1] if column.no_wrap else max(cell.minimum for cell in cells))
    lines = Measurement.get(console, options, table).maximum - sum(most)  # between the columns
    room = console.width - lines - sum(least)
    if room < 0:
        return False
    for column, narrow, wide in zip(table.columns, least, most, strict=True):
        column.width = min(wide, narrow + room)
        room -= column.width - narrow
    return True


def recipes_table(recipes: dict[str, Recipe]) -> None:
    """One line a recipe."""
    table = Table(
        "recipe", "environment", "algorithm", Column("steps", justify="right"), Column("games at once", justify="right")
    )
    for name, recipe in recipes.items():
        games = recipe.algorithm.games_at_once(recipe.num_envs)
        table.add_row(name, recipe.env.id, recipe.algorithm.kind, f"{recipe.steps:,}", str(games))
    print_table(table)


def environments_table(tried: list[Tried]) -> None:
    """One line an environment."""
    table = Table(
        "id",
        "settings",
        "extra",
        "observation",
        Column("actions", justify="right"),
        Column("random play", justify="right"),
        "recipes",
        "seen",
    )
    for one in tried:
        recipes, played = ", ".join(recipes_of(one.id)), score(one).partition(" (")[0]
        settings = escape(flags_of(one))
        table.add_row(
            one.id, settings, one.extra, one.observation, str(one.actions), played, recipes, "; ".join(one.findings)
        )
    print_table(table)


def numbers_seen(numbers: Numbers) -> None:
    """One line a part of the observation, and what random play scores."""
    head, *lines = numbers.table()
    table = Table(*(Column(title, justify="right" if title in ("min", "max") else "left") for title in head))
    for cells in lines:
        if len(cells) > 1:
            table.add_row(*map(escape, cells))
    print_table(table)
    put(*(cells[0] for cells in lines if len(cells) == 1))


def study_table(result: Result) -> None:
    """One line a variant, then where the page is."""
    if not result.rows:
        print(f"no runs yet; --games names what to train\npage: {result.page}")
        return
    table = Table(title=f"{result.study}: {result.question}")
    for title in ("task", "variant", "hidden in the test"):
        table.add_column(title)
    table.add_column("seeds", justify="right")
    table.add_column("interquartile mean (95 % over seeds)", justify="right")
    for row in result.rows:
        mark = " *" if row.is_best else ""
        blank = "" if row.flicker is None else f"{row.flicker:.0%}"
        seeds = len(row.scores)
        score = f"{row.iqm:,.2f}" + (f" ({row.low:,.2f} to {row.high:,.2f})" if seeds > 1 else "")
        table.add_row(row.task, row.label + mark, blank, str(seeds), score)
    print_table(table)
    if result.quick:
        print("a quick pass: its runs are too short to answer anything")
    print(f"* the highest of its task\npage: {result.page}\ntable: {result.csv}")


def tune_lines(result: TuneResult) -> None:
    """The found setting beside the recipe's own, and where the files are."""
    table = Table(title=f"{result.label}: the best of {counted(result.trials, 'trial')}")
    table.add_column("setting")
    for title in ("found", "the recipe's own"):
        table.add_column(title, justify="right")
    for path, value in result.best.items():
        table.add_row(path, plain(value), plain(result.own[path]))
    fresh = [
        (result.fresh_score, result.fresh_low, result.fresh_high),
        (result.own_score, result.own_low, result.own_high),
    ]
    cells = ["diverged" if mean is None else f"{mean:,.1f} ({low:,.1f} to {high:,.1f})" for mean, low, high in fresh]
    table.add_row(f"score over {counted(len(result.fresh_seeds), 'fresh seed')} (95 %)", *cells)
    print_table(table)
    print(f"in the search it scored {result.best_score:,.1f}, which is too good: the highest of many")
    put(f"page: {result.page}", f"table: {result.csv}", f"train with it: triptych train {shlex.quote(result.recipe)}")


def lockstep_lines(result: Lockstep, before_verdict: str = "") -> None:
    """What was compared and what came out; the verdict is the last line, after `before_verdict`."""
    for name, value in result.overrides.items():
        print(f"overridden for the proof: {name} = {value}")
    copies = f", {result.target_copies} target copies" if result.target_copies else ""
    print(f"{result.steps:,} steps, {result.greedy_actions:,} actions by the network{copies}, at least")
    print(
        f"seen: {counted(result.rewards, 'reward')}, {counted(result.ends, 'end')}, {counted(result.truncations, 'truncation')}"
    )
    if result.unseen:
        print(f"not seen, so not proved: {', '.join(result.unseen)}")
    part = result.actions_part_at
    until = "" if part is None else f" up to step {part}, at which another action is taken"
    print(f"worst relative difference {result.worst_relative:.1e}{until}")
    if result.control:
        first, worst = result.control["first_difference"], result.control["worst_relative"]
        where = f", parts at step {first['step']}" if first else ""
        print(f"control: {next(iter(result.logs))} against itself, rounded otherwise: {worst:.1e}{where}")
    if before_verdict:
        print(before_verdict)
    if result.agree:
        print(f"lockstep: agree, {result.updates} updates")
    elif result.first_difference is None:
        print(f"lockstep: too little to prove anything ({'; '.join(result.too_few)})")
    else:
        first = result.first_difference
        ours, theirs = first["values"]
        tensor = f" (tensor {first['tensor']})" if first.get("tensor") else ""
        print(
            f"lockstep: {first['framework']} parts from {first['reference']} at step {first['step']}: "
            f"{first['what']} {theirs} against {ours}{tensor}"
        )


def sources(found: list[Source], layers: list[tuple[str, str, Any, int]], names: list[tuple[str, ...]]) -> None:
    """Layers, what each thing is called, and the sources: side by side where the terminal is wide enough."""
    console = wide_console()
    table = Table("layer", "kind", "output shape", Column("weights", justify="right"), title="network")
    for name, kind, shape, count in layers:
        table.add_row(name, kind, str(shape), f"{count:,}")
    table.add_row("", "", "", f"{sum(row[-1] for row in layers):,}")
    print_table(table)
    table = Table("", *(source.title for source in found), title="what it is called")
    for row in names:
        table.add_row(*map(escape, row))
    print_table(table)
    side_by_side = console.width >= SIDE_BY_SIDE
    for part in ("network", "operations", "loss", "update"):
        texts = [getattr(source, part) for source in found]
        if len(set(texts)) == 1:
            console.print(Panel(code(texts[0]), title=f"{part}: the same in all three"))
        elif side_by_side:
            table = Table(*(f"{part}, {source.title}" for source in found), expand=True, show_lines=True)
            table.add_row(*map(code, texts))
            console.print(table)
        else:
            for source, text in zip(found, texts, strict=True):
                console.print(Panel(code(text), title=f"{part}, {source.title}"))


def code(text: str) -> Syntax:
    return Syntax(text, "python", theme="ansi_dark", background_color="default", word_wrap=True)


@contextmanager
def games_bar(total: int) -> Iterator[Callable[[int], None]]:
    """A live bar of games played, where standard error is a terminal; gives the function that moves it."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("games", total=total)
        yield lambda ended: bar.update(task, completed=ended)
