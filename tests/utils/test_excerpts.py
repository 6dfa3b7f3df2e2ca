"""Lines of our source, shown."""

from __future__ import annotations

from pathlib import Path

import pytest

import triptych
from triptych.losses.value import huber
from triptych.utils.checks import InputError
from triptych.utils.excerpts import show_source

ROOT = Path(triptych.__file__).parent


def test_a_function_is_shown_without_its_docstring_and_with_its_place() -> None:
    found = show_source("losses.value.huber")
    assert found == show_source(huber) == show_source("triptych.losses.value.huber")
    assert (found.place, '"""' in found.code) == ("losses/value.py:huber", False)
    assert str(found).splitlines()[0].startswith("def huber(")
    assert (ROOT / "losses/value.py").read_text().splitlines()[found.line - 1] == str(found).splitlines()[0]
    assert found._repr_markdown_().startswith(f"`losses/value.py:huber`, line {found.line}\n\n```python\ndef huber(")


def test_a_line_alone_and_lines_from_one_to_another_lose_their_indent() -> None:
    assert show_source("losses.value.huber", "quadratic =").code == "quadratic = xp.minimum(size, delta)"
    lines = show_source("losses.value.huber", "size =", "return").code.splitlines()
    assert [line.split()[0] for line in lines] == ["size", "quadratic", "return"]


def test_a_statement_of_several_lines_is_shown_to_its_end() -> None:
    assert show_source("losses.value.q_learning", "check_arrays(").code.splitlines()[-1] == ")"


def test_a_method_and_a_class_are_found() -> None:
    assert show_source("algorithms.dqn.Config.epsilon").code.startswith("def epsilon(self")
    assert show_source("algorithms.dqn.Config", "gamma:").code.startswith("gamma: float = 0.99")


@pytest.mark.parametrize(
    "given", [("losses.value.nothing",), ("nowhere",), ("losses.value.huber", "no such"), ("losses.value.huber", "size =", "no such"), (3,)]
)  # fmt: skip
def test_what_is_not_there_is_refused_in_a_line(given: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="; allowed: "):
        show_source(*given)
