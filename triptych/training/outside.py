"""A trained agent outside Triptych: it takes what the environment itself gives and answers with members of its action space."""

from __future__ import annotations

from typing import Any

import numpy as np

from triptych.envs import Games
from triptych.envs.raw import Raw, Seen, raw_of
from triptych.frameworks import Learner
from triptych.spec import Network, first_of
from triptych.training.agent import Agent
from triptych.utils.checks import InputError


class Outside(Agent):
    """What `load_agent` gives. See `Agent` for the other arguments.

    Args:
        games: those that it plays, from which it knows their spaces.
    """

    def __init__(self, games: Games, learner: Learner, network: Network, *rest: Any):
        super().__init__(learner, network, *rest)
        self.raw: Raw | None = raw_of(games)
        self.first_action = games.first_action

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = False,
    ) -> tuple[np.ndarray, Any]:
        """Members of the action space for one observation or a batch, and the state to give with the next ones.

        An observation is as `make_env` shows it, or as the environment itself gives it: a choice, a dict or tuple, a picture
        before it is cropped, made grey and stacked. Pictures of the environment's own are stacked on those of `state`; without
        one, each is an episode's first.

        Raises:
            InputError: it is neither.
        """
        memory = state.memory if isinstance(state, Seen) else state
        found = self.read(observation)
        if found is None or self.raw is None:
            actions, state = super().predict(observation, memory, episode_start, deterministic)
            return actions + self.first_action, state
        obs, single = found
        games = len(first_of(obs))
        starts = np.zeros(games, bool) if episode_start is None else np.atleast_1d(np.asarray(episode_start, bool))
        obs, pictures = self.raw.stacked(obs, state.pictures if isinstance(state, Seen) else None, starts)
        actions, memory = super().predict(obs, memory, starts, deterministic)
        state = memory if pictures is None else Seen(pictures, memory)
        return (actions[0] if single else actions) + self.first_action, state

    def read(self, observation: Any) -> tuple[Any, bool] | None:
        """What the environment itself gave, as far as it is that and not what `make_env` shows."""
        if self.raw is None:
            return None
        if not self.raw.is_meant(observation):
            try:
                self.checked(observation)
            except InputError:
                pass
            else:
                return None
        return self.raw.read(observation)
