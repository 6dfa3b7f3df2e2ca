"""What a run counts, and what one step of it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from triptych.envs import Step


@dataclass
class Counters:
    """What has happened since the run's start."""

    steps: int = 0  # agent decisions, over all games
    updates: int = 0  # optimiser steps
    episodes: int = 0  # ended, not counting those that a checkpoint cut
    target_copies: int = 0  # after the one at step 0
    target_periods: int = 0  # target periods that have passed
    copied_at: int = 0  # updates at the last copy
    credit: int = 0  # steps that no update has used yet
    greedy_actions: int = 0  # chosen by the network
    boundaries: int = 0  # checkpoints, the one at step 0 included


class Said(NamedTuple):
    """What a teacher with memory gives for what the games show."""

    outputs: np.ndarray  # [N, A], Q values or logits
    state: np.ndarray  # [N, S] of its network after it


class Choice(NamedTuple):
    """What is done in one step of every game."""

    actions: np.ndarray  # [N]
    by_network: np.ndarray  # [N] bool, else by chance
    state: np.ndarray | None  # [N, S] of the network after it; None: it has no memory
    epsilon: float = 0.0  # the share of actions by chance
    log_prob: np.ndarray | None = None  # [N] of the actions under the policy that drew them
    value: np.ndarray | None = None  # [N] of what they were chosen at
    teacher: Said | None = None  # of a teacher with memory, as long as it teaches


class Episode(NamedTuple):
    """One ended episode, and what the last 100 came to with it."""

    number: int  # from 1
    reward: float  # sum of raw rewards
    length: int  # steps
    running_reward: float  # mean of the last 100
    max_reward: float  # of the last 100
    taught: bool = False  # a teacher played it, or began it


class Tick(NamedTuple):
    """What one iteration did: a step of every game (of one worker's, where there are several), and the updates it earned."""

    choice: Choice  # what was done, and why
    step: Step  # what the games returned; of Ray workers without the observations, which stay where they are
    mask: np.ndarray  # [N] bool, False where the game only restarted
    episodes: list[Episode]  # that ended, in the order of the games
    updates: list[dict[str, Any]]  # their scalars, on the device

    @property
    def actions(self) -> np.ndarray:
        """[N]"""
        return self.choice.actions

    @property
    def epsilon(self) -> float:
        """The share of actions by chance."""
        return self.choice.epsilon
