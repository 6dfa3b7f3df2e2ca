"""The functions that an agent is made of, a user's among them, as text: its loss, and what builds its own layers."""

from __future__ import annotations

import ast
import builtins

from triptych.algorithms import definition
from triptych.recipes import Recipe
from triptych.report.show.copying import Text, names_in
from triptych.report.show.text import function
from triptych.spec import Network, builder_of
from triptych.utils.checks import check


def loss_text(recipe: Recipe) -> Text:
    """The loss as it was registered, and the functions that it calls."""
    return function(f"make_loss of {recipe.algorithm.kind}", definition(recipe.algorithm).make_loss)


def alias_of(recipe: Recipe) -> str:
    name = definition(recipe.algorithm).make_loss.__name__
    return "" if name == "make_loss" else f"\n\n\nmake_loss = {name}"


def layers_text(framework: str, network: Network) -> Text:
    """What builds the layers that a user registered, in one framework."""
    found = Text()
    for layer in (placed.layer for placed in network.placed()):
        builder = builder_of(framework, type(layer))
        if builder is not None:
            function(f"{framework} of {layer.kind}", builder, found)
    return found


def check_names(file: str, texts: list[Text], operations: set[str]) -> None:
    """Refuses users' functions whose names, or whose use of a builtin, would mean something else in the file.

    Raises:
        InputError: names them.
    """
    bound = [name for node in ast.parse(file).body for name in bindings(node)]
    twice = sorted({name for text in texts for name in text.names if bound.count(name) > 1})
    check(not twice, "a name in a recipe's file", ", ".join(twice), "others, as the shown file has these itself")
    own = {name for text in texts for name in text.names}
    used = {name for text in texts if text.text for name in names_in(ast.parse(text.text))}
    hidden = sorted(used & operations & set(dir(builtins)) - own)
    check(
        not hidden,
        "a builtin in a loss or layer",
        ", ".join(hidden),
        "others, as the shown file has operations of these names",
    )


def bindings(node: ast.stmt) -> list[str]:
    """What a statement at the top of a file defines, or may replace."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [found.id for target in targets for found in ast.walk(target) if isinstance(found, ast.Name)]
