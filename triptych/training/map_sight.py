"""What an agent's neural map holds and where the agent looks in it, worked out in NumPy beside it, for pictures of one game."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from triptych.spec import Adam, Memory, Network, NeuralMap, Observation, parts_of, whole_of
from triptych.training.agent import Agent


class MapSight(NamedTuple):
    """A map at one step, rows first, before the step writes into it."""

    strength: np.ndarray  # [H, W] the norm of each place's channels: 0 where nothing was written
    looks: np.ndarray | None  # [H, W] how much each place weighs in the context; None: it asks for none
    place: tuple[int, int]  # column and row that the step writes to


class MapReader:
    """Reads the map of an agent with one.

    Args:
        agent: whose learner has the weights.
        network: the whole of it.
    """

    def __init__(self, agent: Agent, network: Network):
        placed = list(network.placed())
        index = next(index for index, one in enumerate(placed) if isinstance(one.layer, NeuralMap))
        weights = agent.learner.get_weights()
        self.spec: NeuralMap = placed[index].layer
        self.offset = sum(one.state_size or 0 for one in placed[:index])  # where its state begins in a game's
        self.own = {
            name.partition("/")[2]: array
            for name, array in weights.items()
            if name.startswith(f"{placed[index].name}/")
        }
        # What enters the map is the output of the layers below: a network of their own, which is not told the place.
        parts = {name: part for name, part in network.observation.parts.items() if name != NeuralMap.part}
        self.below = Network(Observation.of(parts), network.layers[:index])
        renamed = {
            f"{here.name}/{key}": weights[f"{there.name}/{key}"]
            for here, there in zip(self.below.placed(), placed, strict=False)
            for key in here.layer.tensors(here.input_shape)
        }
        learner: Any = type(agent.learner)
        self.front = Agent(learner(self.below, None, Adam(), renamed, agent.learner.precision), self.below)

    def __call__(self, obs: Any, state: np.ndarray | None, starts: bool) -> MapSight:
        """Of one game's observation [1, ...] and the state [1, S] before it; `starts`: an episode begins here."""
        spec, size = self.spec, self.spec.size
        count = spec.state_size(())
        row = np.zeros(count) if state is None or starts else state[0, self.offset : self.offset + count].astype(float)
        grid, before = np.split(row, [size * size * spec.channels])
        grid, cell = grid.reshape(size, size, spec.channels), cell_of(parts_of(obs)[NeuralMap.part][0], size)
        if spec.egocentric:
            grid = shifted(grid, (cell - before[:2]) * before[2])
            cell = np.full(2, size // 2)
        looks = self.looks(obs, grid) if spec.context else None
        return MapSight(np.linalg.norm(grid, axis=2), looks, (int(cell[0]), int(cell[1])))

    def looks(self, obs: Any, grid: np.ndarray) -> np.ndarray:
        """[H, W] the softmax of the scores of all places."""
        seen = whole_of({name: parts_of(obs)[name] for name in parts_of(obs) if name != NeuralMap.part})
        one_array = seen if self.below.observation.is_several else next(iter(parts_of(seen).values()))
        features = self.front.act(one_array)[0][0]
        query = np.concatenate([features, read(self.own, grid)]) @ self.own["query_kernel"]
        scores = grid @ query
        chances = np.exp(scores - scores.max())
        return np.asarray(chances / chances.sum())


def can_read(network: Network) -> bool:
    """Whether a network has one map, above layers without memory."""
    memories = [index for index, layer in enumerate(network.layers) if isinstance(layer, Memory)]
    return bool(memories) and isinstance(network.layers[memories[0]], NeuralMap) and memories[0] > 0


def cell_of(position: np.ndarray, size: int) -> np.ndarray:
    """Column and row of a position from 0 to 1."""
    edges = (np.arange(1, size) / size).astype(np.float32)
    return np.asarray((position[:, None] >= edges).sum(axis=1))


def shifted(grid: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """The map moved against an agent that has moved by so many columns and rows [2]; zeros where nothing was."""
    size, (columns, rows) = len(grid), moved.astype(int)
    found = np.zeros_like(grid)
    for row in range(max(0, -rows), min(size, size - rows)):
        for column in range(max(0, -columns), min(size, size - columns)):
            found[row, column] = grid[row + rows, column + columns]
    return found


def read(weights: dict[str, np.ndarray], grid: np.ndarray) -> np.ndarray:
    """What the reading network makes of the map [H, W, C]: [C]."""
    x = grid
    for index in (1, 2, 3):
        padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))[::2, ::2]  # type: ignore[call-overload]
        x = np.einsum("hwcij,ijcf->hwf", windows, weights[f"read_{index}_kernel"]) + weights[f"read_{index}_bias"]
        x = np.maximum(x, 0)
    return np.asarray(x.ravel() @ weights["read_kernel"] + weights["read_bias"])
