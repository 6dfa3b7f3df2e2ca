"""A maze in the first person: a ray for each column of the picture, cast against the grid until something stops it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from triptych.envs.mazes.games import GoalSearch, GoalSearchGames
from triptych.envs.mazes.layouts import FLOOR, SOLID, START
from triptych.envs.mazes.screen import PALETTE, Canvas
from triptych.utils.checks import check, within

RAYCAST = "triptych/MazeRaycast-v0"
RADIUS = 0.2  # tiles: how close an agent comes to a wall
CEILING, GROUND = np.array([40, 50, 70]), np.array([90, 75, 60])
SIDE = 0.75  # brightness of walls that run up and down, so that corners are seen
FOG = 0.08  # how fast brightness falls with each tile of distance


@dataclass(frozen=True)
class MazeRaycast(GoalSearch):
    """A maze with two goals, seen in the first person."""

    kind: ClassVar[str] = "maze_raycast"

    picture: tuple[int, int] = (48, 64)  # rows and columns of a picture
    field_of_view: float = 66.0  # degrees, from the left edge of a picture to the right one
    stride: float = 0.5  # tiles of a step forward
    turns: int = 12  # turns to the right until the agent looks where it looked: 12 are 30 degrees each

    limits: ClassVar[dict[str, int]] = {"train": 300, "test": 1500}  # a tile takes two steps here, a quarter turn three

    def __post_init__(self) -> None:
        super().__post_init__()
        sides = self.picture
        fits = isinstance(sides, tuple) and len(sides) == 2 and all(isinstance(side, int) for side in sides)
        check(fits and min(sides) >= 8 and max(sides) <= 512, "picture", sides, "rows and columns, 8 to 512 each")
        within(self, 10, 150, "field_of_view")
        within(self, 0.05, 0.75, "stride")
        within(self, 4, 360, "turns")
        check(self.turns % 4 == 0, "turns", self.turns, "a number that 4 divides, so that a quarter turn is possible")


class RaycastGames(GoalSearchGames):
    """N mazes in the first person. Goals and indicators are blocks of their colour; an agent walks into a goal, and slides along walls."""

    action_names = ("forward", "left", "right")
    kept = ("x", "y", "facing")

    def __init__(self, config: MazeRaycast, spec: Any, num_envs: int, threads: int):
        rows, columns = config.picture
        self.image_shape = (rows, columns, 3)
        self.canvas = Canvas(config.extent, self.image_shape)
        super().__init__(config, spec, num_envs, threads, margin=1)
        self.stride, self.turns = config.stride, config.turns
        self.x, self.y = np.full((2, num_envs), START + 0.5)  # tiles, from the upper left corner
        self.facing = np.zeros(num_envs, np.int64)  # turns to the right from up
        angles = 2 * np.pi * np.arange(self.turns) / self.turns
        self.headings = np.stack([np.sin(angles), -np.cos(angles)], axis=1)
        self.headings[np.abs(self.headings) < 1e-12] = 0  # a quarter turn is exact
        # Where the columns of a picture look, across: from -edge to edge at one tile ahead.
        edge = np.tan(np.radians(config.field_of_view) / 2)
        self.across = (edge * (2 * (np.arange(columns) + 0.5) / columns - 1)).astype(np.float32)
        self.focal = columns / (2 * edge)  # pixels of a tile that is one tile away
        self.crossings = np.arange(self.side, dtype=np.float32)
        self.behind = self.background(rows)

    def background(self, rows: int) -> np.ndarray:
        """[rows, 1] uint32, red, green, blue and nothing: ceiling and ground, darker towards the middle, which is far away."""
        height = (np.arange(rows) + 0.5 - rows / 2)[:, None]
        bright = 1 / (1 + FOG * self.focal / (2 * np.abs(height)))
        colours = np.zeros((rows, 4), np.uint8)
        colours[:, :3] = np.where(height < 0, CEILING, GROUND) * bright
        return colours.view(np.uint32)

    def stand(self, games: np.ndarray) -> None:
        self.x[games], self.y[games], self.facing[games] = START + 0.5, START + 0.5, 0

    def move(self, actions: np.ndarray, acts: np.ndarray) -> np.ndarray:
        turn = np.where(acts, (actions == 2).astype(np.int64) - (actions == 1), 0)
        self.facing = (self.facing + turn) % self.turns
        step = self.headings[self.facing] * (self.stride * (acts & (actions == 0)))[:, None]
        # One axis after the other, so that an agent slides along what it walks against.
        self.x = np.where(self.is_free(self.x + step[:, 0], self.y), self.x + step[:, 0], self.x)
        self.y = np.where(self.is_free(self.x, self.y + step[:, 1]), self.y + step[:, 1], self.y)
        return self.tile_at(self.x, self.y)

    def tile_at(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return self.tiles[self.every, y.astype(np.int64) + self.margin, x.astype(np.int64) + self.margin]

    def is_free(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """[N] whether an agent at a place touches nothing solid."""
        corners = [self.tile_at(x + aside, y + ahead) for aside in (-RADIUS, RADIUS) for ahead in (-RADIUS, RADIUS)]
        return ~SOLID[np.stack(corners)].any(axis=0)

    def places(self) -> tuple[np.ndarray, np.ndarray]:
        return np.stack([self.x, self.y], axis=1), self.headings[self.facing]

    def images(self) -> np.ndarray:
        tile, distance, is_side = self.cast()
        rows = self.image_shape[0]
        bright = np.where(is_side, np.float32(SIDE), np.float32(1)) / (1 + FOG * distance)
        walls = np.zeros((*tile.shape, 4), np.uint8)
        walls[..., :3] = PALETTE[tile] * bright[..., None]
        half = self.focal / (2 * distance)  # of a wall's height, in pixels
        height = np.abs(np.arange(rows, dtype=np.float32) + 0.5 - rows / 2)
        is_wall = height[:, None] < half[:, None, :]
        # Four bytes are chosen at once: three times as fast as three of them one by one.
        found = np.where(is_wall, walls.view(np.uint32)[:, None, :, 0], self.behind)
        return np.ascontiguousarray(found.view(np.uint8).reshape(*found.shape, 4)[..., :3])

    def cast(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What each column's ray meets: the tile, how far ahead it is in tiles, whether on a wall that runs up and down; all [N, columns]."""
        ahead = self.headings[self.facing].astype(np.float32)
        rays = ahead[:, None] + self.across[None, :, None] * np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)[:, None]
        place = np.stack([self.x, self.y], axis=1).astype(np.float32)[:, None]
        met = [self.meet(rays, place, axis) for axis in (0, 1)]
        is_side = met[0][1] < met[1][1]
        tile = np.where(is_side, met[0][0], met[1][0])
        distance = np.where(is_side, met[0][1], met[1][1])
        return tile, np.maximum(distance, np.float32(0.01)), is_side

    def meet(self, rays: np.ndarray, place: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
        """The first tile [N, columns] that stops a ray at a line of the grid across `axis` (0: x), and how far ahead."""
        along, sign = np.abs(rays[..., axis]), np.where(rays[..., axis] > 0, np.float32(1), np.float32(-1))
        along = np.maximum(along, np.float32(1e-6))  # a ray beside the lines meets none for a million tiles
        begun = place[..., axis] % 1
        first = np.where(sign > 0, 1 - begun, begun)
        distance = (first[..., None] + self.crossings) / along[..., None]
        beside = place[..., None, 1 - axis] + distance * rays[..., None, 1 - axis]
        line = np.floor(place[..., None, axis]) + sign[..., None] * (1 + self.crossings)
        line, beside = (np.clip(found, -1, self.side).astype(np.int32) + self.margin for found in (line, beside))
        wide = self.tiles.shape[2]
        strides = (1, wide) if axis == 0 else (wide, 1)
        places = (self.every * wide * wide)[:, None, None] + line * strides[0] + beside * strides[1]
        tiles = self.tiles.reshape(-1).take(places)
        index = (tiles != FLOOR).argmax(axis=-1)[..., None]
        return np.take_along_axis(tiles, index, -1)[..., 0], np.take_along_axis(distance, index, -1)[..., 0]

    @property
    def screen_shape(self) -> tuple[int, int, int]:
        return self.canvas.shape

    def screens(self) -> np.ndarray:
        inside, images = slice(self.margin, self.margin + self.side), self.images()
        (position, heading), lit = self.places(), np.ones((self.side, self.side), bool)
        plans = [
            self.canvas.plan(self.tiles[game, inside, inside], position[game], heading[game], lit)
            for game in self.every
        ]
        return np.stack([self.canvas.beside(plan, image) for plan, image in zip(plans, images, strict=True)])
