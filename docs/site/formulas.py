"""Formulas as MathML, which browsers draw by themselves: no script, no font, no network. Docutils translates the LaTeX.

What it cannot translate is a warning, and so ends the build.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

LOGGER = logging.getLogger(__name__)
PRIME = "<mo>'</mo>", '<mo lspace="0" rspace="0">&#8242;</mo>'  # docutils leaves an apostrophe, which stands too low
SAME = {r"\dots": r"\ldots"}


def mathml(node: nodes.Element, block: bool) -> str:
    tex = node.astext()
    for theirs, ours in SAME.items():
        tex = re.sub(re.escape(theirs) + r"(?![a-z])", lambda _, ours=ours: ours, tex)
    if block and r"\\" in tex and r"\begin" not in tex:
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    try:
        return tex2mathml(tex, as_block=block).replace(*PRIME)
    except MathError as error:
        LOGGER.warning("a formula that docutils cannot set: %s", error, location=node)
        return f"<code>{tex}</code>"


def visit_inline(translator: Any, node: nodes.Element) -> None:
    translator.body.append(mathml(node, block=False))
    raise nodes.SkipNode


def visit_block(translator: Any, node: nodes.Element) -> None:
    translator.body.append(translator.starttag(node, "div", CLASS="formula"))
    if node["number"]:
        translator.body.append(f'<span class="eqno">({get_node_equation_number(translator, node)})</span>')
    translator.body.append(mathml(node, block=True))
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, Any]:
    app.add_html_math_renderer("mathml", inline_renderers=(visit_inline, None), block_renderers=(visit_block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
