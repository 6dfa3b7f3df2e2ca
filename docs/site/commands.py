"""`{command} NAME`: what a command is for, its usage and its flags, read from the command's own parser while the pages are built.

So the page of the command line cannot say what the command line does not.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from triptych.cli.flags import MORE, Flag, flags_of, listed
from triptych.cli.main import COMMANDS
from triptych.cli.parse import ANY, reads, takes_recipe
from triptych.recipes import load_recipe
from triptych.recipes.values import written

PAGE = re.compile(r"docs/[\w/-]+\.md")  # as a help names it
WHOLE = "train"  # the command that shows the flags of a recipe; the others refer to it
MORE_TITLE = "more options"
LAYERS = "network."  # whose flags a recipe's network decides


def shown_flags(name: str) -> list[Flag]:
    """The flags of a command as its help has them, with the recipe `cartpole` where it takes one; layers' left out."""
    command = COMMANDS[name]
    if not takes_recipe(command):
        return flags_of(command, None)
    flags = listed(flags_of(command, load_recipe(ANY)), lambda flag: reads(command, flag))
    return [flag for flag in flags if not flag.path.startswith(LAYERS)]


class Command(SphinxDirective):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        told = inspect.getdoc(COMMANDS[name]) or ""
        body: list[nodes.Node] = [self.paragraph(words) for words in told.split("\n\n")]
        groups: dict[str, list[Flag]] = {"": []}
        flags = shown_flags(name)
        shared = [flag for flag in flags if flag.of_recipe and name != WHOLE]
        all_of_them = getattr(COMMANDS[name], "READS", None) is None
        for flag in flags:
            if not (flag in shared and all_of_them):
                groups.setdefault(flag.group, []).append(flag)
        for group, members in groups.items():
            if group:
                title = MORE_TITLE if group == MORE else group
                body.append(nodes.rubric("", f"{title}: {members[0].description}" if members[0].description else title))
            items = (self.definition(flag) for flag in members)
            body.append(nodes.definition_list("", *items, classes=["flags"]))
        if shared and all_of_them:
            body.append(self.paragraph(f"And every flag of the recipe, as [{WHOLE}](#{WHOLE}) has them."))
        return body

    def paragraph(self, words: str) -> nodes.paragraph:
        """Words of a docstring, whose backquotes mean code."""
        linked = PAGE.sub(r"[\g<0>](/\g<0>)", " ".join(words.split()))
        found, messages = self.parse_inline(linked, lineno=self.lineno)
        return nodes.paragraph("", "", *found, *messages)

    def definition(self, flag: Flag) -> nodes.definition_list_item:
        term = nodes.term()
        for place, name in enumerate(flag.names if not flag.is_positional else [flag.metavar]):
            if place:
                term += nodes.Text(", ")
            term += nodes.literal("", name)
        told = self.paragraph(flag.help)
        if not flag.is_positional and not flag.is_repeated:
            told += [nodes.Text(" (default: "), nodes.literal("", written(flag.default)), nodes.Text(")")]
        return nodes.definition_list_item("", term, nodes.definition("", told))


def setup(app: Any) -> dict[str, Any]:
    app.add_directive("command", Command)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
