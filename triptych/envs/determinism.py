"""Whether a game forgets the past when it is reset."""

from __future__ import annotations

import numpy as np

from triptych.envs.config import GameConfig
from triptych.envs.games import Games
from triptych.envs.making import make
from triptych.spec import parts_of


def forgets(config: GameConfig, num_envs: int, threads: int, steps: int = 30) -> bool:
    """Whether `reset(seed=)` forgets everything: a used set of games must repeat what a fresh one does."""
    used, fresh = make(config, num_envs, threads), make(config, num_envs, threads)
    try:
        trace(used, 1, steps)
        return all(np.array_equal(a, b) for a, b in zip(trace(used, 2, steps), trace(fresh, 2, steps), strict=True))
    finally:
        used.close()
        fresh.close()


def trace(games: Games, seed: int, steps: int) -> list[np.ndarray]:
    """Observations (each part of them) and rewards of `steps` seeded random steps."""
    rng = np.random.default_rng(seed)
    seen = list(parts_of(games.reset(seed * games.num_envs + np.arange(games.num_envs))).values())
    for _ in range(steps):
        games.send(rng.integers(games.num_actions, size=games.num_envs))
        step = games.recv()
        seen += [*(part.copy() for part in parts_of(step.obs).values()), step.reward]
    return seen
