"""A solver of mazes that shares no code with what draws and plays them: breadth first, tile by tile, in plain Python."""

from __future__ import annotations

from collections import deque
from typing import Any

FLOOR, RED, TEAL = 1, 3, 4
STEPS = ((-1, 0), (0, 1), (1, 0), (0, -1))  # rows and columns: up, right, down, left


def way(tiles: Any, goal: int) -> list[int] | None:
    """Actions (0 forward, 1 left, 2 right) from the start, looking up, to a goal, not crossing the other; None: there is no way."""
    first = (1, 1, 0)
    came: dict[tuple[int, int, int], tuple[tuple[int, int, int], int] | None] = {first: None}
    waiting = deque([first])
    while waiting:
        here = waiting.popleft()
        row, column, facing = here
        if tiles[row][column] == goal:
            actions = []
            while (step := came[here]) is not None:
                here, action = step
                actions.append(action)
            return actions[::-1]
        ahead = (row + STEPS[facing][0], column + STEPS[facing][1], facing)
        free = tiles[ahead[0]][ahead[1]] in (FLOOR, goal)
        turned = [(row, column, (facing + 3) % 4), (row, column, (facing + 1) % 4)]
        for action, there in enumerate([ahead if free else here, *turned]):
            if there not in came:
                came[there] = (here, action)
                waiting.append(there)
    return None
