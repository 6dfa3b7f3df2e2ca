"""The tables of results/benchmarks/README.md in one command: measured, kept as JSON beside the page, and written into it.

python benchmarks/table.py                                    all of it: some hours, on a machine that does nothing else
python benchmarks/table.py --only dqn-cleanrl-jax-float32-1   these rows alone, written into the page too
python benchmarks/table.py --short --only NAME                a pair's short form, some minutes; nothing is kept
python benchmarks/table.py --page                             measures nothing: the page from the files that are there
python benchmarks/table.py --list                             the names

What is measured before one that fails is kept. The words around the tables are written by hand.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from measured import MEASUREMENTS, TABLES, Found, Measurement

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent / "results" / "benchmarks"


def begin_of(table: str) -> str:
    return f"<!-- {table}: made by benchmarks/table.py -->"


END = "<!-- end -->"


def kept(folder: Path) -> dict[str, Found]:
    """What was measured, by name, of those measurements that are there."""
    files = {name: folder / f"{name}.json" for name in MEASUREMENTS}
    return {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items() if file.exists()}


def written(page: str, found: dict[str, Found]) -> str:
    """The page with all of its tables made anew.

    Raises:
        ValueError: it has no place for one of them, or more than one.
    """
    for table in TABLES:
        place = re.compile(re.escape(begin_of(table.name)) + ".*?" + re.escape(END), re.DOTALL)
        lines = "\n".join([begin_of(table.name), "", *table.lines(found), "", END])
        page, places = place.subn(lambda _, lines=lines: lines, page)
        if places != 1:
            raise ValueError(
                f"{places} places for the table {table.name}; allowed: one, from {begin_of(table.name)} to {END}"
            )
    return page


def write_page(folder: Path) -> None:
    page = folder / "README.md"
    page.write_text(written(page.read_text(encoding="utf-8"), kept(folder)), encoding="utf-8")


def measure(one: Measurement, short: bool) -> Found:
    """Runs its command, which tells its turns on the way; exits where it fails."""
    script, *given = one.command
    command = [sys.executable, str(HERE / script), *given, *(one.short if short else ()), "--json"]
    last = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if last:
                print(last, flush=True)
            last = line.rstrip("\n")
    if process.returncode:
        sys.exit(f"{one.name}: {' '.join(command)} failed")
    found: Found = json.loads(last)
    return found


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="of these alone; --list tells the names")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--short", action="store_true", help="the short form of pairs, beside --only; nothing is kept")
    how.add_argument("--page", action="store_true", help="measure nothing")
    how.add_argument("--list", action="store_true", help="tell the names")
    asked = parser.parse_args(arguments)
    if asked.list:
        print("\n".join(MEASUREMENTS))
        return
    for name in asked.only or ():
        if name not in MEASUREMENTS:
            parser.error(f"--only is {name!r}; allowed: {', '.join(MEASUREMENTS)}")
        if asked.short and not MEASUREMENTS[name].is_pair:
            parser.error(f"--only is {name!r}, which has no short form; allowed without --short")
    if asked.short and not asked.only:
        parser.error("--short is of what --only names")
    for name in () if asked.page else asked.only or MEASUREMENTS:
        found = measure(MEASUREMENTS[name], asked.short)
        if not asked.short:
            (folder / f"{name}.json").write_text(json.dumps(found) + "\n", encoding="utf-8")
            write_page(folder)
    if asked.page:
        write_page(folder)


if __name__ == "__main__":
    main()
