"""What an environment itself gives, as an agent takes it: for whoever plays a trained agent outside Triptych."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from triptych.envs.flicker import FlickeringGames
from triptych.envs.games import Games
from triptych.envs.gym import GymGames
from triptych.envs.members import WrongError, leaves_of, taken
from triptych.envs.parts import View
from triptych.spec import each, parts_of, whole_of


class Seen(NamedTuple):
    """What a player carries from step to step."""

    pictures: np.ndarray | None  # [N, stack, ...], the newest last; None: nothing is stacked
    memory: Any  # of the network


class Raw:
    """Reads observations in a game's own space, one or a batch, as the agent saw them while it trained.

    Args:
        view: what the agent sees of one.
        part: what of a batch [N, ...] is seen, where that is less.
        fill: what stands in a stack before an episode's first picture (`Screen.fill`).
    """

    def __init__(self, view: View, part: Callable[[Any], Any], fill: str):
        self.view, self.part, self.fill, self.space = view, part, fill, view.space

    def read(self, observation: Any) -> tuple[Any, bool] | None:
        """The parts [N, ...] that an agent sees, pictures not stacked, and whether it was one observation; None: it is none of the space."""
        try:
            ranks = {rank(space, value) for _, space, value in leaves_of(self.space, observation)} - {None}
            if ranks == {1}:
                first = next(value for _, space, value in leaves_of(self.space, observation) if rank(space, value) == 1)
                rows = [self.view(taken(self.space, picked(self.space, observation, row))) for row in range(len(first))]
            else:
                rows = [self.view(taken(self.space, observation))]
        except (WrongError, KeyError, IndexError, TypeError, ValueError):
            return None
        return (self.part(each(lambda *parts: np.stack(parts), *rows)), ranks != {1}) if rows else None

    def is_meant(self, observation: Any) -> bool:
        """Whether a whole number, or several, are choices of the game, and not what a network takes of them."""
        return isinstance(self.space, spaces.Discrete) and np.asarray(observation).dtype.kind in "iu"

    def stacked(self, obs: Any, before: np.ndarray | None, starts: np.ndarray) -> tuple[Any, np.ndarray | None]:
        """Observations with their pictures stacked on those before, and that stack; `starts` [N]: where an episode begins."""
        observation = self.view.observation
        if not observation.is_picture:
            return obs, None
        parts, stack = dict(parts_of(obs)), observation.main.stack
        newest = parts[observation.main_name]
        if before is None or len(before) != len(newest):
            before, starts = np.repeat(newest[:, None], stack, axis=1), np.ones(len(newest), bool)
        pictures = np.concatenate([before[:, 1:], newest[:, None]], axis=1)
        for game in np.flatnonzero(starts):
            pictures[game, :-1] = newest[game] if self.fill == "first" else 0
        return whole_of(parts | {observation.main_name: pictures}), pictures


def rank(space: spaces.Space, value: Any) -> int | None:
    """Axes more than the space has: 1 of a batch; None: of what holds no numbers."""
    shape = () if isinstance(space, spaces.Discrete) else space.shape
    return None if shape is None or isinstance(space, spaces.Text) else np.ndim(value) - len(shape)


def picked(space: spaces.Space, batch: Any, row: int) -> Any:
    """One observation of a batch."""
    if isinstance(space, spaces.Dict):
        return {key: picked(child, batch[key], row) for key, child in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(picked(child, held, row) for child, held in zip(space.spaces, batch, strict=True))
    return batch[row]


def raw_of(games: Games) -> Raw | None:
    """How observations of these games' own environment are read; None: nobody but Triptych plays them so."""
    inner: Any = getattr(games, "games", games) if isinstance(games, FlickeringGames) else games
    if not isinstance(inner, GymGames):
        return None
    return Raw(inner.view, inner.part, inner.fill)
