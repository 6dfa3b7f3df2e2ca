"""A recipe's three sources as values, for whoever looks at them in Python."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from triptych.recipes import Recipe, load_recipe
from triptych.report.show import build
from triptych.report.show.build import Source
from triptych.spec import Shape
from triptych.utils.checks import check

PARTS = ("network", "operations", "loss", "update", "file")
# Beside each other where there is room for whole lines of code, else one above the other; the site colours what is of the class highlight.
COLUMNS = "display: grid; gap: 0 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 44rem), 1fr))"


@dataclass(frozen=True)
class Layer:
    """A layer of the recipe's network."""

    name: str
    what: str  # its kind and settings
    output_shape: Shape  # without the batch; pictures are height, width, channels
    weights: int  # how many numbers it learns


@dataclass(frozen=True)
class Beside:
    """Source code of each framework. A notebook shows the three beside each other."""

    code: dict[str, str]  # framework's title -> code

    def __str__(self) -> str:
        return "\n\n\n".join(f"# {title}\n{code}" for title, code in self.code.items())

    def __repr__(self) -> str:
        return f"source code in {', '.join(self.code)}"

    def _repr_html_(self) -> str:
        from pygments import highlight  # comes with rich
        from pygments.formatters import HtmlFormatter
        from pygments.lexers import PythonLexer

        blocks = [
            f'<div style="min-width: 0"><p><b>{title}</b></p>{highlight(code, PythonLexer(), HtmlFormatter(wrapcode=True))}</div>'
            for title, code in self.code.items()
        ]
        return f'<div style="{COLUMNS}">{"".join(blocks)}</div>'


@dataclass(frozen=True)
class Shown:
    """What `triptych show` shows of a recipe."""

    sources: dict[str, Source]  # framework -> its code: network, operations, loss, update, file
    layers: list[Layer]  # from the input to the head
    names: list[tuple[str, ...]]  # what each thing is called: (thing, PyTorch, JAX, Keras)

    def beside(self, part: str = "network") -> Beside:
        """One part of the three sources: network, operations, loss, update, or file, which is all of it.

        Raises:
            InputError: there is no such part.
        """
        check(part in PARTS, "part", part, ", ".join(PARTS))
        return Beside({source.title: getattr(source, part) for source in self.sources.values()})

    def write(self, folder: str | Path) -> list[Path]:
        """Writes the three files, which run without Triptych, and returns their paths.

        Raises:
            InputError: a file of that name was written by somebody else.
        """
        return build.write(list(self.sources.values()), Path(folder))


def show(recipe: str | Recipe) -> Shown:
    """A recipe's agent as source code in each framework: network, loss, optimiser and update.

    Args:
        recipe: its name, a path to a Python file that defines `recipe`, or a recipe.

    Raises:
        InputError: unknown recipe, its environment cannot be made, or its network does not fit it.
    """
    name = recipe if isinstance(recipe, str) else "recipe"
    known = load_recipe(recipe) if isinstance(recipe, str) else recipe
    network = build.network_of(known)
    sources = {source.framework: source for source in build.show(known, network, name)}
    return Shown(sources, [Layer(*row) for row in build.layer_table(network)], build.names_table())
