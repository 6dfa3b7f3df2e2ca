"""Checks of a dataclass's fields, in whichever way its module spells annotations."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from triptych.utils.checks import InputError, kinds_of, number, positive

USERS = """
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

if TYPE_CHECKING:
    from nowhere import Seen

@dataclass(frozen=True)
class Base:
    heads: int = 2

@dataclass(frozen=True)
class Own(Base):
    units: int = 1
    limit: int | None = None
    marked: Annotated[int, "a mark"] = 1
    rate: float = 0.5
    either: int | float = 1
    skip: bool = False
    other: "Seen | None" = None
    kind: ClassVar[str] = "own"
"""


@pytest.fixture(params=["", "from __future__ import annotations\n"], ids=["types", "strings"])
def own(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A user's dataclass, its annotations as types or as strings."""
    module = ModuleType("users")
    monkeypatch.setitem(sys.modules, "users", module)
    exec(compile(request.param + USERS, "users.py", "exec", dont_inherit=True), module.__dict__)
    return module.Own


@pytest.mark.parametrize("name", ["units", "limit", "marked", "heads"])
def test_a_field_of_whole_numbers_takes_no_others(own: Any, name: str) -> None:
    assert number(own(**{name: 3}), name) == 3
    for wrong in (2.5, True, "3"):
        with pytest.raises(InputError, match=f"{name} is {wrong!r}; allowed: a"):
            positive(own(**{name: wrong}), name)


def test_other_fields_take_fractions(own: Any) -> None:
    for name in ("rate", "either"):
        assert number(own(**{name: 2.5}), name) == 2.5
        with pytest.raises(InputError, match="allowed: a finite number"):
            number(own(**{name: True}), name)
    assert number(own(), "limit") is None


def test_kinds_of_a_field(own: Any) -> None:
    assert kinds_of(own, "limit") == kinds_of(own, "marked") == (int,)
    assert kinds_of(own, "skip") == (bool,), "which is no int"
    assert kinds_of(own, "other") == (), "a name that only type checkers see"
