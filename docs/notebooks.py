"""The notebooks of docs/guide/ and docs/labs/: runs them from top to bottom and stores what they show. docs/guide/WRITING.md tells how.

python docs/notebooks.py 03             one notebook, by the beginning of its name; without a name: all of them
python docs/notebooks.py --quick 03     with the tests' small budgets; nothing is stored
python docs/notebooks.py --sources      only the lines of our code that they show are looked up again
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat

HERE = Path(__file__).resolve().parent
QUICK = "TRIPTYCH_QUICK"  # the environment variable that a notebook's first cell asks for small budgets
MOST_BYTES = 400_000  # of a notebook
LIBRARY = re.compile(
    r'<script type="text/plain" class="triptych-plotly">.*?</script>', re.DOTALL
)  # the site has its own
SOLUTION = {"tags": ["solution", "hide-cell"], "jupyter": {"source_hidden": True, "outputs_hidden": True},
            "mystnb": {"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}}  # fmt: skip

FITTED = '<video style="max-width: 100%" '  # on a telephone
DRAWING = {
    "jupyter": {"source_hidden": True},
    "mystnb": {
        "code_prompt_show": "Show the code that draws this",
        "code_prompt_hide": "Hide the code that draws this",
    },
}


def notebooks(names: list[str] | None = None) -> list[Path]:
    """The notebooks, in order; those whose names begin with one of `names`."""
    found = sorted(path for folder in ("guide", "labs") for path in (HERE / folder).glob("*.ipynb"))
    if not names:
        return found
    for name in names:
        if not any(path.name.startswith(name) for path in found):
            raise SystemExit(
                f"name is {name!r}; allowed: the beginning of one of {', '.join(path.stem for path in found)}"
            )
    return [path for path in found if path.name.startswith(tuple(names))]


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def digest(notebook: Any) -> str:
    """What tells whether the code is still that which made the stored outputs."""
    return hashlib.sha256("\n\0".join(cell.source for cell in code_cells(notebook)).encode()).hexdigest()[:16]


def execute(path: Path, quick: bool) -> Any:
    """The notebook as its run from top to bottom leaves it, in a process and an empty folder of its own.

    Raises:
        CellExecutionError: a cell failed.
    """
    from nbclient import NotebookClient

    notebook = read(path)
    os.environ.pop(QUICK, None)
    os.environ |= {"SOURCE_DATE_EPOCH": "0"} | ({QUICK: "1"} if quick else {})
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=3_600,
            kernel_name="python3",
            record_timing=False,
            resources={"metadata": {"path": folder}},
            extra_arguments=["--InlineBackend.figure_formats=svg"],
        )
        return client.execute()


def store(path: Path, notebook: Any, executed: str) -> None:
    """Writes it so that two runs differ in little: no times, no machine, no library that the site has already.

    Args:
        executed: the digest of the code that made its outputs.
    """
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "triptych": {"executed": executed},
    }
    for number, cell in enumerate(notebook.cells):
        tags = cell.metadata.get("tags", [])
        cell.metadata = {"tags": tags} if tags else {}
        cell.id = f"cell-{number}"
        if "solution" in tags:
            cell.metadata |= SOLUTION
        if "hide-input" in tags:
            cell.metadata |= DRAWING
        if "outputs" in cell:
            cell.outputs = merged(cell.outputs)
        for output in cell.get("outputs", []):
            output.pop("execution_count", None)
            if output.output_type == "execute_result":
                output.execution_count = cell.execution_count
            data = output.get("data", {})
            if "text/html" in data:
                data["text/html"] = re.sub("<video (?!style)", FITTED, LIBRARY.sub("", data["text/html"]))
            if "image/svg+xml" in data:
                data["image/svg+xml"] = re.sub(
                    r"\s*<metadata>.*?</metadata>", "", data["image/svg+xml"], flags=re.DOTALL
                )
                data.pop("image/png", None)
    nbformat.validate(notebook)
    path.write_text(nbformat.writes(notebook, version=4) + "\n", encoding="utf-8")


SOURCE = re.compile(r"triptych\.show_source\([^()]*\)|triptych\.show\([^()]*\)\.beside\([^()]*\)")


def merged(outputs: list[Any]) -> list[Any]:
    """What was printed in pieces is one text, wherever the pieces were cut."""
    found: list[Any] = []
    for output in outputs:
        if found and output.output_type == "stream" == found[-1].output_type and output.name == found[-1].name:
            found[-1].text += output.text
        else:
            found.append(output)
    return found


def is_source(cell: Any) -> bool:
    """Whether a cell does nothing but show lines of our code."""
    return cell.cell_type == "code" and SOURCE.fullmatch(cell.source.strip()) is not None


def source_of(cell: Any) -> Any:
    """The lines of our code that such a cell shows, as they are now."""
    import triptych

    return eval(compile(ast.parse(cell.source.strip(), mode="eval"), "cell", "eval"), {"triptych": triptych})


def look_up(notebook: Any) -> None:
    """Shows the lines of our code as they are now, without running the rest."""
    for cell in filter(is_source, notebook.cells):
        found = source_of(cell)
        ways = {"text/markdown": "_repr_markdown_", "text/html": "_repr_html_"}
        pages = {kind: getattr(found, how)() for kind, how in ways.items() if hasattr(found, how)}
        for output in cell.outputs:
            output.data = pages | {"text/plain": repr(found)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="the tests' small budgets; nothing is stored")
    parser.add_argument("--sources", action="store_true", help="only look up the shown lines of our code again")
    given = parser.parse_args()
    for path in notebooks(given.names):
        began = time.perf_counter()
        notebook = read(path) if given.sources else execute(path, given.quick)
        executed = notebook.metadata["triptych"]["executed"] if given.sources else digest(notebook)
        if given.sources:
            look_up(notebook)
        if not given.quick:
            store(path, notebook, executed)
        size = "not stored" if given.quick else f"{path.stat().st_size / 1000:.0f} KB"
        print(f"{path.stem}: {time.perf_counter() - began:.0f} s, {size}", file=sys.stderr)


if __name__ == "__main__":
    main()
