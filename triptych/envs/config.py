"""Which game, and how its screen becomes an observation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from triptych.utils.checks import at_least, check, one_of, positive, within


@dataclass(frozen=True)
class EnvConfig:
    """Which game, and how its screen becomes an observation."""

    id: str  # any Gymnasium id with a discrete action space
    frame_skip: int = 4  # emulator frames a step, the action repeated (Atari ids that leave it open)
    sticky: float | None = None  # chance that the last action is repeated (Atari; None: what the id says)
    noop_max: int = 30  # at most so many idle frames before an episode begins (Atari)
    time_limit: int | None = None  # steps after which an episode is cut; None: what the id says, 0: never
    render: bool = False  # observe the rendered screen instead of what the environment gives (not Atari)
    # the part of a picture that is kept, as shares of it: top, bottom, left, right
    crop: tuple[float, float, float, float] = (0.0, 1.0, 0.0, 1.0)
    # pixels of a picture after the crop: both sides, or height and width; None: as it is
    size: int | tuple[int, int] | None = 84
    colour: bool = False  # keep a picture's colours; else it is made grey
    stack: int = 4  # pictures in one observation
    fill: Literal["zeros", "first"] = "zeros"  # what stands in the stack before an episode's first picture
    observe: Literal["all", "positions", "speeds"] = "all"  # which of CartPole's four numbers are seen
    flicker: float = 0.0  # chance that an observation is blank
    length: int = 10  # steps that something must be remembered (the toys MemoryChain, RepeatPrevious)
    blind: int = 0  # rows in which the ball cannot be seen (the toy Catch)
    kwargs: str = "{}"  # what else the id's maker takes, as JSON: '{"memory_length": 50}' (not Atari, not the toys)

    def __post_init__(self) -> None:
        positive(self, "frame_skip", "stack", "length")
        at_least(self, 0, "noop_max", "time_limit", "blind")
        within(self, 0, 1, "sticky", "flicker")
        one_of(self, "observe", ("all", "positions", "speeds"))
        one_of(self, "fill", ("zeros", "first"))
        check(all(isinstance(side, int) and side > 0 for side in self.sides or ()), "size", self.size, "above 0")
        top, bottom, left, right = self.crop
        inside = 0 <= top < bottom <= 1 and 0 <= left < right <= 1
        check(inside, "crop", self.crop, "shares of the picture: 0 <= top < bottom <= 1, 0 <= left < right <= 1")
        self.arguments()

    def arguments(self) -> dict[str, Any]:
        """`kwargs` as Python has them."""
        try:
            found = json.loads(self.kwargs)
        except (TypeError, ValueError):
            found = None
        check(isinstance(found, dict), "kwargs", self.kwargs, """names and values as JSON, such as '{"length": 50}'""")
        return found

    @property
    def sides(self) -> tuple[int, int] | None:
        """Height and width of a picture after the crop; None: as it is."""
        return (self.size, self.size) if isinstance(self.size, int) else self.size
