"""What an agent's choice hangs on: the gradient of the chosen action's value with respect to the observation.

Simonyan et al. 2013, https://arxiv.org/abs/1312.6034, section 3; on Atari as in Wang et al. 2016 (dueling networks). A gradient
says what a small change of a pixel would do to the choice, not why the choice was made.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from triptych.training.agent import Agent


def q_value(xp: Any, outputs: Any, actions: Any) -> Any:
    """Q values [N] of the actions [N], of outputs [N, A]."""
    return xp.select(outputs, actions)


def log_probability(xp: Any, outputs: Any, actions: Any) -> Any:
    """Log probabilities [N] of the actions [N], of an actor-critic's outputs [N, A + 1]."""
    return xp.select(xp.log_softmax(outputs[:, :-1]), actions)


def saliency(
    agent: Agent, obs: Any, actions: np.ndarray, state: np.ndarray | None = None, started: np.ndarray | None = None
) -> np.ndarray:
    """The gradient of each action's Q value, or log probability, with respect to its observation.

    Args:
        obs: [N, *observation], of several parts a dict of them.
        actions: [N].
        state, started: as for `Agent.act`, the state before the observations.

    Returns:
        [N, *part] of the part that enters the network at its front: the picture where there is one. By the unit of what is
        seen, of pixels by one step of 0 to 255.
    """
    score = log_probability if agent.is_actor else q_value
    taken, *carried = agent.taken(obs, state, started)
    return agent.learner.sensitivity(score, taken, np.asarray(actions, np.int64), *carried)
