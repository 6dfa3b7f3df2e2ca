"""What every game's config has, what those have that show a screen, and what a kind of environment is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

from triptych.utils.checks import InputError, check, one_of, positive, shown, within

DRAWN = "an environment with render mode rgb_array"  # what films and screens need


class DrawsNothing(InputError):
    """A game was to be seen as a person sees it, and draws no pictures."""


def no_pictures(env_id: str, whose: str = "", why: str = "") -> DrawsNothing:
    """The error's line.

    Args:
        whose: behind `env`, where several are asked.
        why: what happened, where the game says that it can draw itself.
    """
    reason = f" ({why})" if why else ""
    return DrawsNothing(f"env{whose} is {shown(env_id)}: it draws no pictures{reason}; allowed: {DRAWN}")


@dataclass(frozen=True)
class GameConfig:
    """Which game, and what every game has; each kind's own config adds the settings that it reads."""

    kind: ClassVar[str] = ""
    # What a config.json without kinds meant where the kind has since been given settings: its games were played so.
    before: ClassVar[dict[str, Any]] = {}
    # What has another meaning here than in other kinds, or is new where others had it: a change to another kind does not take it over.
    apart: ClassVar[frozenset[str]] = frozenset()

    id: str  # any Gymnasium id with a discrete action space
    flicker: float = 0.0  # chance that an observation is hidden: all zeros in its place, but for where the agent is

    def __post_init__(self) -> None:
        within(self, 0, 1, "flicker")

    @property
    def tested(self) -> GameConfig:
        """As test games are played: without what is meant for a training alone."""
        return self

    @property
    def place_hint(self) -> str:
        """Flags with which the observation says where the agent is, for memories with a map; '': these games cannot."""
        return ""

    @property
    def fill(self) -> Literal["zeros", "first"]:
        """What stands in a stack before an episode's first picture; here nothing is stacked."""
        return "zeros"


MOST_NUMBERS = 50_000_000  # of an observation: a config that asks for more would take all memory


@dataclass(frozen=True)
class Screen(GameConfig):
    """How a screen becomes an observation. A game that turns out to show numbers reads none of it."""

    # the part of a picture that is kept, as shares of it: top, bottom, left, right
    crop: tuple[float, float, float, float] = (0.0, 1.0, 0.0, 1.0)
    # pixels of a picture after the crop: both sides, or height and width; None: as it is
    size: int | tuple[int, int] | None = 84
    colour: bool = False  # keep a picture's colours; else it is made grey
    stack: int = 4  # pictures in one observation
    fill: Literal["zeros", "first"] = "zeros"  # what stands in the stack before an episode's first picture

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "stack")
        one_of(self, "fill", ("zeros", "first"))
        check(all(isinstance(side, int) and side > 0 for side in self.sides or ()), "size", self.size, "above 0")
        numbers = self.stack * math.prod(self.sides or (1, 1))
        check(
            numbers <= MOST_NUMBERS,
            "size",
            self.size,
            f"at most {MOST_NUMBERS:,} pixels in {self.stack} stacked pictures",
        )
        top, bottom, left, right = self.crop
        inside = 0 <= top < bottom <= 1 and 0 <= left < right <= 1
        check(inside, "crop", self.crop, "shares of the picture: 0 <= top < bottom <= 1, 0 <= left < right <= 1")

    @property
    def sides(self) -> tuple[int, int] | None:
        """Height and width of a picture after the crop; None: as it is."""
        return (self.size, self.size) if isinstance(self.size, int) else self.size


def names(config: GameConfig | type[GameConfig]) -> set[str]:
    """The settings that a config has."""
    return {field.name for field in fields(config)}


SCREEN = names(Screen) - names(GameConfig)  # the settings of pictures


def reads_all(spec: Any) -> set[str]:
    return set()


def fixes_nothing(spec: Any) -> dict[str, Any]:
    return {}


def begins_by_seed(config: Any) -> str:
    return "a seed a game"


def as_given(config: Any) -> str:
    return "as the game gives them"


@dataclass(frozen=True)
class Kind:
    """A kind of environment: its settings, and how its games are made. A `spec` is Gymnasium's record of an id."""

    config: type[GameConfig]  # whose `kind` is the name
    plays: Callable[[Any], bool]  # spec -> whether these games are of this kind
    make: Callable[[Any, Any, int, int], Any]  # config, spec, games, how many play at the same time -> `Games`
    unread: Callable[[Any], set[str]] = reads_all  # spec -> the config's fields that this id never reads
    fixed: Callable[[Any], dict[str, Any]] = fixes_nothing  # spec -> `frame_skip`, `sticky` where the id says them
    start: Callable[[Any], str] = begins_by_seed  # config -> how an episode begins, in words
    pictures: Callable[[Any], str] = as_given  # config -> what a picture is made of, in words

    @property
    def name(self) -> str:
        return self.config.kind


@dataclass(frozen=True)
class Unknown(GameConfig):
    """A config of a kind that nobody has registered yet, as its config.json has it; `make` asks again."""

    kind: ClassVar[str] = "unknown"

    recorded: str = "{}"  # JSON
