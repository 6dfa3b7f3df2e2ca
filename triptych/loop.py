"""The loop of play and learning: a generator of steps. Limits, logs and checkpoints stand around it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from triptych.training import Training


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
    recipe, counters = training.recipe, training.counters
    while True:
        mask = ~training.ended
        epsilon = recipe.algorithm.epsilon(counters.steps)
        actions, greedy, state = choose(training, epsilon)
        training.games.send(actions)
        updates = learn(training)
        step = training.games.recv()
        training.store.add(training.obs, actions, step.reward, step.terminated, mask, step.lost_life, training.state)
        training.obs, training.state, training.started = step.obs, state, training.ended
        training.ended = step.terminated | step.truncated
        played = int(mask.sum())
        counters.steps += played
        counters.credit += int((mask & (training.episode_length >= recipe.algorithm.skip_first)).sum())
        counters.greedy_actions += int((greedy & mask).sum())
        episodes = count_episodes(training, step.reward, mask)
        copy_target(training)
        yield Tick(actions, mask, epsilon, episodes, updates)


def choose(training: Training, epsilon: float) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Actions [N], which of them the network chose [N], and its state then. The same numbers are drawn whatever epsilon is."""
    rng, games = training.rngs["explore"], training.games
    greedy = rng.random(games.num_envs) >= epsilon
    actions = rng.integers(games.num_actions, size=games.num_envs)
    state = training.state
    if greedy.any() or state is not None:  # a memory must see what chance does too
        values, state = training.agent.act(training.obs, state, training.started)
        actions = np.where(greedy, np.argmax(values, axis=1), actions)
    return actions, greedy, state


def learn(training: Training) -> list[dict[str, Any]]:
    """Makes the updates that the steps so far have earned."""
    recipe, counters = training.recipe, training.counters
    config = recipe.algorithm
    if not config.learns(counters.steps, len(training.replay)):
        counters.credit = 0
        return []
    updates = []
    while counters.credit >= config.update_every:
        counters.credit -= config.update_every
        batch = training.replay.sample(training.rngs["sample"], config.batch_size, config.beta(counters.steps))
        updates.append(training.learner.update(batch, recipe.learning_rate(counters.steps)))
        training.replay.learned(partial(training.learner.to_numpy, updates[-1]["td_error"]))
        counters.updates += 1
    return updates


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


def copy_target(training: Training) -> None:
    """Copies the online network into the target where a target period has passed."""
    counters = training.counters
    number, unit = training.recipe.algorithm.target_every
    periods = getattr(counters, unit) // number
    if periods > counters.target_periods:
        counters.target_periods = periods
        if counters.updates > counters.copied_at:  # else the target is the online network already
            counters.copied_at = counters.updates
            counters.target_copies += 1
            training.learner.sync_target()
