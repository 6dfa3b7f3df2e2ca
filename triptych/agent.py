"""What acts: a network's weights and a policy."""

from __future__ import annotations

from typing import Any

import numpy as np

from triptych.checks import check
from triptych.frameworks import Learner
from triptych.spec import Observation


class Agent:
    """Plays by the largest Q value, or at random with chance `epsilon` unless told to be deterministic.

    Args:
        learner: whose `act` gives the Q values.
        observation: what the network takes: [*observation], or [N, *observation] for N games.
        epsilon: share of random actions.
        rng: draws those; None: a generator of its own.
    """

    def __init__(
        self, learner: Learner, observation: Observation, epsilon: float = 0.0, rng: np.random.Generator | None = None
    ):
        self.learner = learner
        self.observation = observation
        self.epsilon = epsilon
        self.rng = rng or np.random.default_rng(0)

    def values(self, obs: np.ndarray) -> np.ndarray:
        """Q values [N, A] of the observations [N, *observation]."""
        return self.learner.act(obs)[0]

    def predict(
        self,
        observation: np.ndarray,
        state: Any = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = False,
    ) -> tuple[np.ndarray, Any]:
        """Actions for one observation or a batch, and the state of a network with memory (none here).

        This is what Stable-Baselines3's `evaluate_policy` calls.

        Raises:
            InputError: the observation has another shape than the network takes.
        """
        obs = np.asarray(observation)
        single = obs.ndim == len(self.observation.shape)
        batch = obs[None] if single else obs
        check(batch.shape[1:] == self.observation.shape, "observation shape", obs.shape, f"{self.observation.shape}")
        values = self.values(np.ascontiguousarray(batch, self.dtype))
        actions = np.argmax(values, axis=1)
        if not deterministic and self.epsilon > 0:
            random = self.rng.random(len(actions)) < self.epsilon
            actions = np.where(random, self.rng.integers(values.shape[1], size=len(actions)), actions)
        return (actions[0] if single else actions), state

    @property
    def dtype(self) -> str:
        """What the network takes: uint8 pictures, or floats of its precision."""
        return "uint8" if self.observation.dtype == "uint8" else self.learner.precision
