"""A maze seen from above, as far as its agent sees: what lies ahead, and not what a wall hides."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from triptych.envs.mazes.games import GoalSearch, GoalSearchGames
from triptych.envs.mazes.layouts import SOLID, START
from triptych.envs.mazes.screen import AGENT, PALETTE, Canvas
from triptych.utils.checks import check

ABOVE = "triptych/Maze-v0"
DX, DY = np.array([0, 1, 0, -1]), np.array([-1, 0, 1, 0])  # of up, right, down, left
HEADINGS = np.stack([DX, DY], axis=1)


@dataclass(frozen=True)
class Maze(GoalSearch):
    """A maze with two goals, seen from above."""

    kind: ClassVar[str] = "maze"

    # tiles that are seen: ahead, the agent's own row included, and across; None: the whole maze, whatever hides it
    view: tuple[int, int] | None = (15, 5)
    through_walls: bool = False  # see what walls hide

    def __post_init__(self) -> None:
        super().__post_init__()
        view = self.view
        fits = isinstance(view, tuple) and len(view) == 2 and all(isinstance(side, int) for side in view)
        fits = view is None or (fits and min(view) > 0 and max(view) <= 31 and bool(view[1] % 2))
        check(fits, "view", view, "tiles ahead (1 to 31) and across (odd, 1 to 31), or None")


@functools.cache
def sight(ahead: int, across: int) -> np.ndarray:
    """[W, 2, A] which of the A tiles of a view lie on the line to a tile's near face, and which on that to its inner side.

    A tile is seen where one of its lines crosses nothing solid. Tiles are the bits of W uint64, as `bits` has them. A tile
    without such a face has a line that is never free.
    """
    far = np.linspace(0, 1, 64 * (ahead + across))[:, None]
    lines = np.ones((2, ahead * across, ahead * across + 1), bool)  # the last bit is set in all views
    for index, (forward, aside) in enumerate(np.argwhere(np.ones((ahead, across), bool)) - [0, across // 2]):
        near, inner = (forward - 0.51, aside), (forward, aside - 0.51 * np.sign(aside))
        for line, (end, is_there) in enumerate(((near, forward > 0), (inner, aside != 0))):
            if is_there:
                crossed = np.unique(np.rint(far * end).astype(int), axis=0)
                crossed = crossed[(crossed != 0).any(axis=1)] + [0, across // 2]
                lines[line, index] = False
                lines[line, index, crossed @ [across, 1]] = True
    lines[:, across // 2] = False  # the agent's own tile is always seen
    return np.ascontiguousarray(np.moveaxis(bits(lines), -1, 0))


def bits(flags: np.ndarray) -> np.ndarray:
    """[..., W] uint64 of flags [..., A]. Not a product of matrices, whose threads would fight the learner's."""
    width = -(-flags.shape[-1] // 64) * 64
    padded = np.zeros((*flags.shape[:-1], width), bool)
    padded[..., : flags.shape[-1]] = flags
    return np.packbits(padded, axis=-1).view(np.uint64)


class AboveGames(GoalSearchGames):
    """N mazes from above: one step forward, or a quarter turn."""

    action_names = ("forward", "left", "right")
    kept = ("x", "y", "facing")

    def __init__(self, config: Maze, spec: Any, num_envs: int, threads: int):
        ahead, across = config.view or (1, 1)
        self.image_shape = (ahead, across, 3) if config.view else (config.extent, config.extent, 3)
        self.canvas = Canvas(config.extent, self.image_shape)
        super().__init__(config, spec, num_envs, threads, margin=max(ahead, across // 2 + 1))
        self.x, self.y = np.full((2, num_envs), START)  # the tile of the agent: column and row
        self.facing = np.zeros(num_envs, np.int64)  # up, right, down or left
        self.lines = None if config.through_walls or not config.view else sight(ahead, across)
        self.offsets = self.relative(ahead, across)

    def relative(self, ahead: int, across: int) -> np.ndarray:
        """[4, A] by heading: where the tiles of a view lie from the agent's own, in the flat array. The farthest row is the first."""
        forward, aside = (np.argwhere(np.ones((ahead, across), bool)) - [0, across // 2]).T
        rows = [forward * DY[turn] + aside * DY[(turn + 1) % 4] for turn in range(4)]
        columns = [forward * DX[turn] + aside * DX[(turn + 1) % 4] for turn in range(4)]
        return np.array(rows) * self.tiles.shape[2] + np.array(columns)

    def stand(self, games: np.ndarray) -> None:
        self.x[games], self.y[games], self.facing[games] = START, START, 0

    def move(self, actions: np.ndarray, acts: np.ndarray) -> np.ndarray:
        turn = np.where(acts, (actions == 2).astype(np.int64) - (actions == 1), 0)
        self.facing = (self.facing + turn) % 4
        walks = acts & (actions == 0)
        x, y = self.x + walks * DX[self.facing], self.y + walks * DY[self.facing]
        tile = self.tiles[self.every, y + self.margin, x + self.margin]
        free = ~SOLID[tile]
        self.x, self.y = np.where(free, x, self.x), np.where(free, y, self.y)
        return tile

    def places(self) -> tuple[np.ndarray, np.ndarray]:
        return np.stack([self.x, self.y], axis=1) + 0.5, HEADINGS[self.facing]

    @property
    def screen_shape(self) -> tuple[int, int, int]:
        return self.canvas.shape

    def screens(self) -> np.ndarray:
        return np.stack([self.screen(game) for game in range(self.num_envs)])

    def screen(self, game: int) -> np.ndarray:
        """The whole maze, bright where the agent sees it, beside its view."""
        inside = slice(self.margin, self.margin + self.side)
        lit = np.ones(self.tiles.shape[1:], bool)
        if self.config.view is not None:  # type: ignore[attr-defined]
            here = (self.y[game] + self.margin) * lit.shape[1] + self.x[game] + self.margin
            lit = np.zeros_like(lit)
            lit.reshape(-1)[here + self.offsets[self.facing[game]]] = self.seen()[game, ::-1].reshape(-1) > 0
        (position, heading), tiles = self.places(), self.tiles[game, inside, inside]
        plan = self.canvas.plan(tiles, position[game], heading[game], lit[inside, inside])
        return self.canvas.beside(plan, self.images()[game])

    def images(self) -> np.ndarray:
        return self.whole() if self.config.view is None else PALETTE[self.seen()]  # type: ignore[attr-defined]

    def seen(self) -> np.ndarray:
        """[N, ahead, across] tiles, the farthest row first; what is hidden is OUTSIDE."""
        here = (self.y + self.margin) * self.tiles.shape[2] + self.x + self.margin
        flat = self.tiles.reshape(-1)
        tiles = flat[(self.every * self.tiles[0].size + here)[:, None] + self.offsets[self.facing]]
        if self.lines is not None:
            solid = np.ones((len(tiles), tiles.shape[1] + 1), bool)
            solid[:, :-1] = SOLID[tiles]
            hiding = np.zeros(
                (len(tiles), *self.lines.shape[1:]), np.uint64
            )  # what is solid on the two lines to each tile
            for line, word in zip(self.lines, bits(solid).T, strict=True):
                hiding |= line & word[:, None, None]
            tiles = tiles * ((hiding[:, 0] == 0) | (hiding[:, 1] == 0))
        ahead, across = self.config.view  # type: ignore[attr-defined, misc]
        return tiles.reshape(-1, ahead, across)[:, ::-1]

    def whole(self) -> np.ndarray:
        """[N, extent, extent, 3] the maze, up is up, with the agent in it."""
        inside = slice(self.margin, self.margin + self.side)
        found = PALETTE[self.tiles[:, inside, inside]]
        found[self.every, self.y, self.x] = AGENT
        return found
