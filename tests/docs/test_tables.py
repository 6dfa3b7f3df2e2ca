"""Tables of sentences, whose cells stand one below the other on a phone."""

from __future__ import annotations

from docutils.core import publish_doctree

from docs.site.tables import label

TABLE = """
=========== ========== ==========
{}
=========== ========== ==========
read        the map    a line
=========== ========== ==========
"""


def labels_of(heads: str) -> list[str]:
    (table,) = publish_doctree(TABLE.format(heads)).findall(lambda node: node.tagname == "table")
    label(table)
    return [node.astext() for node in table.findall(lambda node: node.tagname == "raw")]


def test_each_cell_but_the_first_says_its_column() -> None:
    assert labels_of("what        where      how") == [
        '<span class="label" data-label="where"></span>',
        '<span class="label" data-label="how"></span>',
    ]


def test_a_column_without_a_name_is_not_named() -> None:
    assert labels_of("what                   how") == ['<span class="label" data-label="how"></span>']
