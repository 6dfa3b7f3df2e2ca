"""An agent that is looked at while it plays: what it thought of its actions, for the bars of a video."""

from __future__ import annotations

from typing import Any

import numpy as np

from triptych.envs.bars import Decision
from triptych.frameworks import numpy_ops
from triptych.training.agent import Agent


def decision_of(agent: Agent, outputs: np.ndarray, action: int) -> Decision:
    """What the head's outputs for one observation [A], of an actor-critic [A + 1], say of the actions."""
    if not agent.is_actor:
        return Decision([float(value) for value in outputs], int(action), False)
    probabilities = np.exp(numpy_ops.log_softmax(outputs[None, :-1].astype(np.float64)))[0]
    return Decision([float(chance) for chance in probabilities], int(action), True, float(outputs[-1]))


class Watched:
    """Plays as its agent does, number by number, and keeps what it has just decided in the first of the games."""

    def __init__(self, agent: Agent):
        self.agent = agent
        self.decision: Decision | None = None

    def predict(self, observation: Any, state: Any = None, episode_start: Any = None) -> tuple[np.ndarray, Any]:
        """Actions [N] for the observations of N games, and the state after them."""
        outputs, state = self.agent.act(observation, state, episode_start)
        actions = self.agent.choose(outputs)
        self.decision = decision_of(self.agent, outputs[0], actions[0])
        return actions, state

    def decided(self) -> Decision | None:
        return self.decision
