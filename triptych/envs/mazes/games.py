"""Goal search: what the mazes share, however they are seen (Parisotto & Salakhutdinov 2018).

An indicator above the start, green or blue, says which of two goals is right: red or teal. The right one is worth 1, the
wrong one costs 1, and both end the episode. An agent starts in front of the indicator, sees it, and must not forget it.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import gymnasium
import numpy as np
from gymnasium import spaces

from triptych.envs.config import GameConfig
from triptych.envs.games import Step
from triptych.envs.mazes.layouts import SMALLEST, SOLID
from triptych.envs.mazes.supply import Supply
from triptych.spec import Observation, Part, whole_of
from triptych.utils.checks import at_least, check, one_of, within

EXTENT = 15  # tiles a side of the square that positions are shares of, so that mazes of all usual sizes lie on one map
LARGEST = 101  # tiles a side
PARTS = ("heading", "image", "position")


@dataclass(frozen=True)
class GoalSearch(GameConfig):
    """What all mazes read."""

    maze_size: tuple[int, int] = (7, 15)  # smallest and largest maze, in tiles a side with its walls: odd numbers
    split: Literal["train", "test"] = "train"  # any mazes but 1,000 of each size, or those alone
    time_limit: int | None = None  # steps after which an episode is cut; None: as published, 0: never
    loops: float = 0.3  # share of the walls that are opened beyond what connects all places: 0: one way between any two
    curriculum: int = 0  # steps of each game over which the largest maze grows from the smallest; 0: all from the start
    drop: tuple[str, ...] = ()  # parts of an observation that are left out: of image, position, heading
    render: bool = False  # observe the whole maze beside what the agent sees, as a person would

    limits: ClassVar[dict[str, int]] = {"train": 100, "test": 500}  # steps of an episode, as published

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = self.maze_size
        fits = isinstance(sizes, tuple) and len(sizes) == 2 and all(isinstance(side, int) for side in sizes)
        fits = fits and SMALLEST <= sizes[0] <= sizes[1] <= LARGEST and all(side % 2 for side in sizes)
        check(fits, "maze_size", sizes, f"two odd numbers, smallest and largest, from {SMALLEST} to {LARGEST}")
        one_of(self, "split", ("train", "test"))
        at_least(self, 0, "time_limit", "curriculum")
        within(self, 0, 1, "loops")
        known = isinstance(self.drop, tuple) and set(self.drop) < set(PARTS)
        check(known, "drop", self.drop, f"some of {', '.join(PARTS)}, not all")

    @property
    def tested(self) -> GoalSearch:
        return dataclasses.replace(self, curriculum=0)

    @property
    def place_hint(self) -> str:
        if self.render:
            return "--env.no-render"
        few = "--env.drop with a part fewer, as a map needs one beside the position"
        return "--env.drop without position" if "position" in self.drop else few

    @property
    def limit(self) -> float:
        """Steps of an episode."""
        limit = self.limits[self.split] if self.time_limit is None else self.time_limit
        return limit or np.inf

    @property
    def extent(self) -> int:
        """Tiles a side of the square that positions are shares of."""
        return max(EXTENT, self.maze_size[1])


class GoalSearchGames(ABC):
    """N mazes at once. A subclass says where an agent stands, how it moves and what it sees.

    Observations are a dict of `image` (bytes, colours), `position` (x, y: to the right and down from the upper left corner, as
    shares of the extent, 0 to 1) and `heading` (dx, dy: where the agent looks, of length 1).
    """

    saves = True
    first_action = 0
    frames_per_step = 1
    action_names: tuple[str, ...] = ()
    image_shape: tuple[int, int, int]  # rows, columns, colours
    kept: tuple[str, ...] = ("x", "y")  # arrays [N] that say where an agent is

    def __init__(self, config: GoalSearch, spec: Any, num_envs: int, threads: int, margin: int):
        self.config, self.num_envs, self.num_actions = config, num_envs, len(self.action_names)
        self.side, self.margin = config.extent, margin
        self.limit = config.limit
        self.typical_episode = int(min(self.limit, 500))
        self.supply = Supply(config.maze_size, config.loops, self.side, config.split == "train", num_envs)
        self.every = np.arange(num_envs)
        wide = self.side + 2 * margin
        self.tiles = np.zeros((num_envs, wide, wide), np.uint8)  # with a margin of OUTSIDE
        self.right = np.zeros(num_envs, np.uint8)  # the right goal's tile
        self.time = np.zeros(num_envs, np.int64)  # steps since the episode's start
        self.played = np.zeros(num_envs, np.int64)  # steps of all episodes
        self.ended = np.ones(num_envs, bool)
        self.chosen = np.zeros(num_envs, np.int64)
        shown = self.screen_shape if config.render else self.image_shape
        floats = {"position": Part((2,), "float32", is_place=True), "heading": Part((2,), "float32")}
        parts = {"image": Part((1, *shown), "uint8")} | ({} if config.render else floats)
        self.observation = Observation.of({name: part for name, part in parts.items() if name not in config.drop})

    @property
    @abstractmethod
    def screen_shape(self) -> tuple[int, int, int]:
        """Of what a person is shown."""

    @abstractmethod
    def stand(self, games: np.ndarray) -> None:
        """Puts the agents of some games at the start, in front of the indicator."""

    @abstractmethod
    def move(self, actions: np.ndarray, acts: np.ndarray) -> np.ndarray:
        """Moves the agents where `acts` [N]; returns the tiles [N] on which they stand now."""

    @abstractmethod
    def images(self) -> np.ndarray:
        """[N, *image_shape] bytes."""

    @abstractmethod
    def screens(self) -> np.ndarray:
        """[N, *screen_shape] bytes."""

    @abstractmethod
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """[N, 2] positions in tiles, the middle of the first one at 0.5, and [N, 2] headings."""

    def reset(self, seeds: np.ndarray) -> Any:
        self.supply.reset(seeds)
        self.played[:] = 0
        self.begin(self.every)
        self.ended[:] = False
        return self.look()

    def begin(self, games: np.ndarray) -> None:
        """New episodes in some games."""
        inside = slice(self.margin, self.margin + self.side)
        self.tiles[games, inside, inside], self.right[games] = self.supply.next(games, self.largest()[games])
        self.time[games] = 0
        self.stand(games)

    def largest(self) -> np.ndarray:
        """[N] tiles a side of the largest maze that a game may get now."""
        low, high = self.config.maze_size
        if not self.config.curriculum:
            return np.full(self.num_envs, high)
        stages = (high - low) // 2 + 1
        return low + 2 * np.minimum(stages - 1, self.played * stages // self.config.curriculum)

    @property
    def stage(self) -> int:
        """How many larger sizes of mazes all games have come to."""
        return int(self.largest().min() - self.config.maze_size[0]) // 2

    def look(self) -> Any:
        """What is seen of all games."""
        if self.config.render:
            return self.screens()[:, None]
        position, heading = self.places()
        share = (position / self.side).astype(np.float32)
        seen = {"heading": heading.astype(np.float32), "image": self.images()[:, None], "position": share}
        kept = {name: part for name, part in seen.items() if name not in self.config.drop}
        return whole_of(kept) if self.observation.is_several else next(iter(kept.values()))

    def send(self, actions: np.ndarray) -> None:
        self.chosen = np.asarray(actions)

    def recv(self) -> Step:
        acts = ~self.ended
        tile = self.move(self.chosen, acts)
        self.time += acts
        self.played += acts
        is_goal = acts & (tile > 2) & ~SOLID[tile]
        reward = np.where(is_goal, np.where(tile == self.right, 1.0, -1.0), 0.0)
        truncated = acts & ~is_goal & (self.time >= self.limit)
        if self.ended.any():
            self.begin(np.flatnonzero(self.ended))
        self.ended = is_goal | truncated
        return Step(self.look(), reward, is_goal, truncated)

    def get_state(self) -> dict[str, Any]:
        names = ("time", "played", "ended", "right", *self.kept)
        inside = slice(self.margin, self.margin + self.side)
        # A row of digits, so that a checkpoint stays small.
        rows = ["".join(map(str, maze.reshape(-1))) for maze in self.tiles[:, inside, inside]]
        arrays = {name: getattr(self, name).tolist() for name in names}
        return arrays | {"tiles": rows, "supply": self.supply.get_state()}

    def set_state(self, state: dict[str, Any]) -> None:
        for name in ("time", "played", "ended", "right", *self.kept):
            getattr(self, name)[:] = state[name]
        inside = slice(self.margin, self.margin + self.side)
        for game, row in enumerate(state["tiles"]):
            self.tiles[game, inside, inside] = np.array(list(row), np.uint8).reshape(self.side, self.side)
        self.supply.set_state(state["supply"])

    def close(self) -> None:
        """Nothing is held."""
        return


def space_of(games: GoalSearchGames) -> gymnasium.Space:
    """The Gymnasium space of what one game shows, pictures not stacked. The bounds of positions are its bounds."""
    boxes: dict[str, spaces.Space] = {
        "image": spaces.Box(0, 255, games.image_shape, np.uint8),
        "position": spaces.Box(0, 1, (2,), np.float32),
        "heading": spaces.Box(-1, 1, (2,), np.float32),
    }
    kept = {name: box for name, box in boxes.items() if name not in games.config.drop}
    return spaces.Dict(kept) if len(kept) > 1 else next(iter(kept.values()))
