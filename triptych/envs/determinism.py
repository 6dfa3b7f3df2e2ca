"""Whether a game forgets the past when it is reset."""

from __future__ import annotations

import numpy as np

from triptych.envs.config import GameConfig
from triptych.envs.games import Games
from triptych.envs.making import make


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
    """Observations and rewards of `steps` seeded random steps."""
    rng = np.random.default_rng(seed)
    seen = [games.reset(seed * games.num_envs + np.arange(games.num_envs))]
    for _ in range(steps):
        games.send(rng.integers(games.num_actions, size=games.num_envs))
        step = games.recv()
        seen += [step.obs.copy(), step.reward]
    return seen
