"""Mazes with two goals (Parisotto & Salakhutdinov 2018): one seen from above, one in the first person.

`layouts` draws mazes by number, `supply` deals them out to games, `games` is what all mazes share, `above` and `raycast` are
what an agent sees and how it moves, `one` makes Gymnasium environments of them.
"""

from __future__ import annotations

from typing import Any

import gymnasium

from triptych.envs.config import Kind
from triptych.envs.mazes.above import ABOVE, AboveGames, Maze
from triptych.envs.mazes.raycast import RAYCAST, MazeRaycast, RaycastGames


def plays_above(spec: Any) -> bool:
    return bool(spec.id == ABOVE)


def plays_raycast(spec: Any) -> bool:
    return bool(spec.id == RAYCAST)


KINDS = (Kind(Maze, plays_above, AboveGames), Kind(MazeRaycast, plays_raycast, RaycastGames))
for name, kind in zip((ABOVE, RAYCAST), KINDS, strict=True):
    own = {"game": kind.make, "config": kind.config}
    gymnasium.register(name, entry_point="triptych.envs.mazes.one:OneMaze", kwargs=own)
