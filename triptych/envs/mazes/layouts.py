"""Mazes by number: walls, two goals, and which of them is right.

A number, a size and a share of loops give the same maze on every machine and for ever: nothing but whole numbers decides.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

OUTSIDE, FLOOR, WALL, RED, TEAL, GREEN, BLUE = range(7)  # what a tile is; OUTSIDE is also what cannot be seen
SOLID = np.array([False, False, True, False, False, True, True])  # by tile: walls, and the indicator in one
SMALLEST = 7  # tiles a side, walls included
HELD_OUT = 1_000  # of each size: the numbers below, which no training plays
START = 1  # row and column of the start: the corner
INDICATOR = (0, START)  # row and column: a tile of the wall above the start


class Mazes(NamedTuple):
    """K mazes of one size or of several, each in the upper left corner of its array."""

    tiles: np.ndarray  # [K, side, side] uint8, [row, column]
    right: np.ndarray  # [K] uint8: RED or TEAL


def mazes(numbers: np.ndarray, sizes: np.ndarray, loops: float, side: int, is_training: bool) -> Mazes:
    """The mazes of some numbers.

    Args:
        numbers: [K] int64. Those below HELD_OUT are the held-out mazes.
        sizes: [K] tiles a side, walls included; odd.
        loops: share of the walls between cells that are opened beyond what connects all of them.
        side: of the arrays, at least the largest size.
        is_training: draw again what has the walls and goals of a held-out maze.
    """
    found = Mazes(np.zeros((len(numbers), side, side), np.uint8), np.zeros(len(numbers), np.uint8))
    for size in np.unique(sizes):
        waiting, attempt = np.flatnonzero(sizes == size), 0
        while waiting.size:
            drawn, good = carve(numbers[waiting], attempt, int(size), loops)
            if is_training:
                known = held_out(int(size), loops)
                good &= np.array([key not in known for key in keys(drawn)], bool)
            done = waiting[good]
            found.tiles[done, :size, :size], found.right[done] = drawn.tiles[good], drawn.right[good]
            waiting, attempt = waiting[~good], attempt + 1
    return found


@functools.cache
def held_out(size: int, loops: float) -> frozenset[bytes]:
    """What the held-out mazes of a size are known by."""
    numbers = np.arange(HELD_OUT)
    return frozenset(keys(mazes(numbers, np.full(HELD_OUT, size), loops, size, is_training=False)))


def keys(found: Mazes) -> list[bytes]:
    """What each maze is known by: its walls and where which goal lies, whichever is right."""
    tiles = found.tiles.copy()
    tiles[:, *INDICATOR] = WALL
    return [maze.tobytes() for maze in tiles]


def sizes_of(numbers: np.ndarray, low: int, high: np.ndarray) -> np.ndarray:
    """[K] sizes from `low` to `high` [K], each odd one as likely, by the numbers alone."""
    choices = ((np.asarray(high) - low) // 2 + 1).astype(np.uint64)
    return low + 2 * (noise(numbers, 0, 1, stream=1)[:, 0] % choices).astype(np.int64)


MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def mixed(values: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser: each uint64 to another that looks unlike it."""
    values = (values ^ (values >> np.uint64(30))) * MIX[0]
    values = (values ^ (values >> np.uint64(27))) * MIX[1]
    return values ^ (values >> np.uint64(31))


def noise(numbers: np.ndarray, attempt: int, count: int, stream: int = 0) -> np.ndarray:
    """[K, count] uint64 by the numbers [K] alone."""
    start = mixed(numbers.astype(np.uint64) * GOLDEN + np.uint64(2 * attempt + stream))
    return mixed(start[:, None] + np.arange(1, count + 1, dtype=np.uint64) * GOLDEN)


class Grid(NamedTuple):
    """The cells of a maze of one size, and the edges between neighbours: first those to the right, then those below."""

    cells: np.ndarray  # [C, 2] row and column of each cell's tile
    edges: np.ndarray  # [E, 2] row and column of the tile between two cells
    first: np.ndarray  # [E] a cell
    second: np.ndarray  # [E] its neighbour


@functools.cache
def grid(size: int) -> Grid:
    across = size // 2
    cells = np.argwhere(np.ones((across, across), bool))
    right, below = cells[cells[:, 1] < across - 1], cells[cells[:, 0] < across - 1]
    edges = np.concatenate([2 * right + [1, 2], 2 * below + [2, 1]])
    first = np.concatenate([right, below]) @ [across, 1]
    second = first + np.repeat([1, across], len(right))
    return Grid(2 * cells + 1, edges, first, second)


def carve(numbers: np.ndarray, attempt: int, size: int, loops: float) -> tuple[Mazes, np.ndarray]:
    """Mazes of a size, and whether each is good: both goals can be reached without crossing the other one."""
    plan, many = grid(size), len(numbers)
    drawn = noise(numbers, attempt, 2 * len(plan.edges) + 3)
    weights, opening, rest = np.split(drawn, [len(plan.edges), 2 * len(plan.edges)], axis=1)
    # Of 2^32 parts, so that the comparison is one of whole numbers.
    is_open = tree(weights >> np.uint64(32), size) | ((opening >> np.uint64(32)) < np.uint64(round(loops * 2**32)))
    goals = distinct(rest[:, :2], len(plan.cells))
    tiles = np.full((many, size, size), WALL, np.uint8)
    tiles[:, plan.cells[:, 0], plan.cells[:, 1]] = FLOOR
    tiles[:, plan.edges[:, 0], plan.edges[:, 1]] = np.where(is_open, FLOOR, WALL)
    every = np.arange(many)
    for goal, tile in enumerate((RED, TEAL)):
        tiles[every, plan.cells[goals[:, goal], 0], plan.cells[goals[:, goal], 1]] = tile
    is_teal = (rest[:, 2] >> np.uint64(63)).astype(bool)
    tiles[:, *INDICATOR] = np.where(is_teal, BLUE, GREEN)
    right = np.where(is_teal, TEAL, RED).astype(np.uint8)
    return Mazes(tiles, right), reached(is_open, goals, size) & reached(is_open, goals[:, ::-1], size)


def tree(weights: np.ndarray, size: int) -> np.ndarray:
    """[K, E] which edges connect all cells: the minimum spanning tree of the weights [K, E], by Prim's algorithm."""
    plan, many = grid(size), np.arange(len(weights))
    joined = np.zeros((len(weights), len(plan.cells)), bool)
    joined[:, 0] = True
    is_open = np.zeros(weights.shape, bool)
    never = np.uint64(2**32)
    for _ in range(len(plan.cells) - 1):
        border = joined[:, plan.first] != joined[:, plan.second]
        edge = np.where(border, weights, never).argmin(axis=1)
        is_open[many, edge] = True
        joined[many, plan.first[edge]] = joined[many, plan.second[edge]] = True
    return is_open


def distinct(drawn: np.ndarray, cells: int) -> np.ndarray:
    """[K, 2] two different cells, neither of them the start's, which is the first."""
    first = 1 + (drawn[:, 0] % np.uint64(cells - 1)).astype(np.int64)
    second = 1 + (drawn[:, 1] % np.uint64(cells - 2)).astype(np.int64)
    return np.stack([first, second + (second >= first)], axis=1)


def reached(is_open: np.ndarray, goals: np.ndarray, size: int) -> np.ndarray:
    """[K] whether a way leads from the start to the first goal that does not cross the second one."""
    across, many = size // 2, np.arange(len(goals))
    right = is_open[:, : is_open.shape[1] // 2].reshape(-1, across, across - 1)
    below = is_open[:, is_open.shape[1] // 2 :].reshape(-1, across - 1, across)
    free = np.ones((len(goals), across, across), bool)
    free[many, goals[:, 1] // across, goals[:, 1] % across] = False
    right, below = right & free[:, :, 1:] & free[:, :, :-1], below & free[:, 1:] & free[:, :-1]
    found, before = np.zeros_like(free), -1
    found[:, 0, 0] = True
    while (now := int(found.sum())) != before:
        before = now
        found[:, :, 1:] |= found[:, :, :-1] & right
        found[:, :, :-1] |= found[:, :, 1:] & right
        found[:, 1:] |= found[:, :-1] & below
        found[:, :-1] |= found[:, 1:] & below
    return found.reshape(len(goals), -1)[many, goals[:, 0]]
