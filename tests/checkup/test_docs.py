"""docs/checkup.md has a row for each signal. `python -m tests.checkup.test_docs` writes them anew."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

from triptych import checkup
from triptych.checkup import watch
from triptych.checkup.findings import Signal
from triptych.checkup.monitors.base import Monitor, Sampled

PAGE = Path(__file__).parents[2] / "docs" / "checkup.md"
BEGIN, END = "<!-- made by `python -m tests.checkup.test_docs` -->\n", "<!-- the end of the table -->\n"


def modules(package: ModuleType) -> list[object]:
    names = sorted(found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."))
    return [importlib.import_module(name) for name in names]


def signals() -> list[Signal]:
    """All, in the order of their files, each once."""
    found = [value for module in modules(checkup) for value in vars(module).values() if isinstance(value, Signal)]
    return list(dict.fromkeys(found))


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def table() -> str:
    lines = ["| signal | severity | what is wrong | the likeliest causes |", "|---|---|---|---|"]
    for one in signals():
        lines.append(f"| `{one.name}` | {one.severity} | {cell(one.title)} | {cell('; or '.join(one.causes))} |")
    return "\n".join(lines) + "\n"


def parts() -> tuple[str, str, str]:
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    made, end, after = rest.partition(END)
    return before + begin, made, end + after


def test_the_page_lists_every_signal_as_it_is() -> None:
    assert parts()[1] == f"\n{table()}\n", "python -m tests.checkup.test_docs"


def test_signals_have_names_of_their_own() -> None:
    names = [one.name for one in signals()]
    assert len(set(names)) == len(names)


def test_every_monitor_is_asked() -> None:
    found = {value for module in modules(checkup) for value in vars(module).values() if isinstance(value, type)}
    written = {one for one in found if issubclass(one, Monitor) and one not in (Monitor, Sampled)}
    assert written <= set(watch.MONITORS)


if __name__ == "__main__":
    before, _, after = parts()
    PAGE.write_text(f"{before}\n{table()}\n{after}", encoding="utf-8")
