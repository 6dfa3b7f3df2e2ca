"""Checks of a dataclass's fields, in whichever way its module spells annotations."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from triptych.utils.checks import (
    EnvironmentFailed,
    InputError,
    Period,
    as_period,
    kinds_of,
    number,
    passed,
    period,
    positive,
)

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


def test_a_period_is_a_number_and_a_unit_and_a_number_alone_is_of_steps() -> None:
    assert as_period(500) == (500, "steps")
    assert as_period((5, "episodes")) == (5, "episodes")
    assert as_period(0) is None
    assert as_period(None) is None


def test_whole_periods_are_counted() -> None:
    counters = SimpleNamespace(steps=1_999, episodes=12, updates=100)
    assert passed(1_000, counters) == 1
    assert passed((5, "episodes"), counters) == 2
    assert passed((100, "updates"), counters) == 1
    assert passed(None, counters) == passed(0, counters) == 0


@dataclass
class Periods:
    """One field that may be a number, one that may not."""

    either: int | Period | None = None
    pair: Period | None = None


def test_a_period_is_checked_by_what_its_field_may_be() -> None:
    for fine in (Periods(0, None), Periods(500, (5, "episodes")), Periods((5, "updates"))):
        period(fine, "either")
        period(fine, "pair")
    wrong: list[tuple[str, Any, str]] = [
        ("either", -1, "0 or more"),
        ("either", 2.5, "a whole number"),
        ("either", True, "a finite number"),
        ("either", "often", "a finite number"),
        ("either", (0, "steps"), "above 0"),
        ("pair", (5, "days"), "steps, episodes, updates"),
        ("pair", 500, "a number and a unit"),
        ("pair", (5,), "a number and a unit"),
        ("pair", (2.5, "steps"), "a whole number"),
    ]
    for name, value, allowed in wrong:
        with pytest.raises(InputError, match=f"; allowed: {allowed}"):
            period(Periods(**{name: value}), name)


def test_an_environments_failure_names_it_its_game_and_step() -> None:
    failed = EnvironmentFailed("Mine-v0", 1, 1500, "BrokenPipeError: gone")
    assert (
        str(failed) == "the environment 'Mine-v0' failed in game 1 at step 1,500 of its episode: BrokenPipeError: gone"
    )
    assert (
        str(EnvironmentFailed("Mine-v0", 0, 0, "why")) == "the environment 'Mine-v0' failed in game 0 at its reset: why"
    )
