"""Draws which room imports which, as the code is now, into design.md: `python docs/draw.py`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # for `tests` and `triptych`, wherever this is called from

from tests.test_house import ORDER, ROOT, home, imports  # noqa: E402

PAGE = HERE / "design.md"
BEGIN, END = "<!-- made by docs/draw.py -->", "<!-- end of what docs/draw.py makes -->"


def arrows(root: Path = ROOT) -> set[tuple[str, str]]:
    """Which room imports from which other one: (from, to). Those to `utils` are left out: nearly every room has one."""
    found: set[tuple[str, str]] = set()
    for path in sorted(root.rglob("*.py")):
        here = path.relative_to(root).parts[0].removesuffix(".py")
        modules = {module for module in imports(path, root) if module.startswith("triptych.")}
        rooms = {home(module) for module in modules} & {name for names in ORDER for name in names}
        found |= {(here, room) for room in rooms - {here, "utils"} if here != "__init__"}
    return found


def drawing(root: Path = ROOT) -> str:
    """The graph in Mermaid's language: the rooms from the top down, as ORDER has them."""
    rooms = [name for names in ORDER for name in sorted(names)]
    boxes = [f'  {box(name)}["{name}"]' for name in rooms]
    there_are = sorted(arrows(root), key=lambda pair: [rooms.index(name) for name in pair])
    lines = [f"  {box(here)} --> {box(there)}" for here, there in there_are]
    return "\n".join(["```mermaid", "flowchart TD", *boxes, *lines, "```"])


def box(name: str) -> str:
    """A box's name; Mermaid keeps some words for itself, but none with an end like this."""
    return f"{name.strip('_')}_room"


def drawn(page: str, root: Path = ROOT) -> str:
    """The page with the drawing as it is now."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{drawing(root)}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
