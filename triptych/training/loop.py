"""The loop of play and learning: a generator of steps. Limits, logs and checkpoints stand around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from triptych.training.base import Training


class Episode(NamedTuple):
    """One ended episode, and what the last 100 came to with it."""

    number: int  # from 1
    reward: float  # sum of raw rewards
    length: int  # steps
    running_reward: float  # mean of the last 100
    max_reward: float  # of the last 100


class Tick(NamedTuple):
    """What one iteration did: a step of every game, and the updates it earned."""

    actions: np.ndarray  # [N]
    mask: np.ndarray  # [N] bool, False where the game only restarted
    epsilon: float
    episodes: list[Episode]  # that ended, in the order of the games
    updates: list[dict[str, Any]]  # their scalars, on the device


def run_loop(training: Training) -> Iterator[Tick]:
    """Plays and learns for ever: sends the actions, learns while the games play, receives. Yields after each step."""
    counters = training.counters
    while True:
        mask = ~training.ended
        choice = training.choose()
        training.games.send(choice.actions)
        updates = training.learn_meanwhile()
        step = training.games.recv()
        training.keep(choice, step, mask)
        training.obs, training.state, training.started = step.obs, choice.state, training.ended
        training.ended = step.terminated | step.truncated
        counters.steps += int(mask.sum())
        counters.greedy_actions += int((choice.by_network & mask).sum())
        episodes = count_episodes(training, step.reward, mask)
        updates += training.learn_after()
        yield Tick(choice.actions, mask, choice.epsilon, episodes, updates)


def count_episodes(training: Training, rewards: np.ndarray, mask: np.ndarray) -> list[Episode]:
    """Adds the step to the games' scores and closes the episodes that ended with it."""
    training.episode_reward += rewards * mask
    training.episode_length += mask
    episodes = []
    for game in np.flatnonzero(training.ended):
        reward, length = float(training.episode_reward[game]), int(training.episode_length[game])
        training.episode_reward[game], training.episode_length[game] = 0, 0
        training.counters.episodes += 1
        scores = training.scores
        scores.append(reward)
        episodes.append(Episode(training.counters.episodes, reward, length, float(np.mean(scores)), max(scores)))
    return episodes
