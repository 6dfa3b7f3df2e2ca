"""The loop of play and learning: a generator of steps. Limits, logs and checkpoints stand around it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np

from triptych.agent import Agent
from triptych.algorithms import ALGORITHMS
from triptych.buffers.frames import FrameStore
from triptych.buffers.replay import UniformReplay
from triptych.envs import Games
from triptych.frameworks import Learner
from triptych.recipes import Recipe
from triptych.seeds import game_seeds, generator
from triptych.spec import dtypes
from triptych.weights import initial_weights

RUNNING = 100  # episodes in the running reward


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


@dataclass
class Training:
    """The moving parts of a run. All of them together are what a checkpoint holds."""

    recipe: Recipe
    games: Games
    learner: Learner
    store: FrameStore
    replay: UniformReplay
    agent: Agent
    rngs: dict[str, np.random.Generator]
    obs: np.ndarray  # [N, *observation], acted on next
    ended: np.ndarray  # [N] bool, obs is an episode's last one
    episode_reward: np.ndarray  # [N] so far
    episode_length: np.ndarray  # [N] so far
    counters: Counters = field(default_factory=Counters)
    scores: deque[float] = field(default_factory=lambda: deque(maxlen=RUNNING))

    def get_state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Arrays and JSON of everything but the store's rows, which are segments of their own."""
        arrays = {f"learner/{name}": array for name, array in self.learner.get_state().items()}
        state: dict[str, Any] = {
            "counters": asdict(self.counters),
            "rngs": {name: rng.bit_generator.state for name, rng in self.rngs.items()},
            "scores": list(self.scores),
            "store": self.store.get_state(),
        }
        if self.games.saves:
            arrays["loop/obs"] = self.obs
            state["games"] = self.games.get_state()
            state["ended"] = self.ended.tolist()
            state["episode_reward"] = self.episode_reward.tolist()
            state["episode_length"] = self.episode_length.tolist()
        return arrays, state

    def set_state(self, arrays: dict[str, np.ndarray], state: dict[str, Any]) -> None:
        """Restores what `get_state` gave; games that cannot be saved are restarted as the checkpoint did."""
        prefix = "learner/"
        self.learner.set_state({k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)})
        self.counters = Counters(**state["counters"])
        self.scores.extend(state["scores"])
        self.store.set_state(state["store"])
        for name, rng in self.rngs.items():
            rng.bit_generator.state = state["rngs"][name]
        if self.games.saves:
            self.games.set_state(state["games"])
            self.obs = arrays["loop/obs"]
            self.ended = np.array(state["ended"], bool)
            self.episode_reward = np.array(state["episode_reward"])
            self.episode_length = np.array(state["episode_length"])
        else:
            self.restart_games()

    def restart_games(self) -> None:
        """Starts every game from the seeds of the current boundary."""
        recipe = self.recipe
        self.obs = self.games.reset(game_seeds(recipe.seed, "games", self.counters.boundaries, recipe.num_envs))
        self.ended[:] = False
        self.episode_reward[:] = 0
        self.episode_length[:] = 0

    def cross_boundary(self) -> None:
        """Prepares a checkpoint: games that cannot be saved are truncated (bootstrapped, not counted) and restarted."""
        self.counters.boundaries += 1
        if not self.games.saves:
            nothing = np.zeros(self.recipe.num_envs)
            self.store.add(self.obs, nothing, nothing, nothing, nothing)
            self.restart_games()


def make_training(recipe: Recipe, games: Games, learner_class: type[Learner]) -> Training:
    """Everything at step 0: weights drawn, target copied, games started."""
    algorithm, config = ALGORITHMS[recipe.algorithm.kind], recipe.algorithm
    network = recipe.make_network(games.observation, games.num_actions)
    weights = initial_weights(network, generator(recipe.seed, "weights"))
    learner = learner_class(network, algorithm.make_loss(config), recipe.optimiser, weights, recipe.precision)
    frames = learner.frames if config.replay_on_device else None
    store = FrameStore(config.replay_size, recipe.num_envs, games.observation, recipe.env.fill, config.compress, frames)
    training = Training(
        recipe=recipe,
        games=games,
        learner=learner,
        store=store,
        replay=UniformReplay(
            store, config.gamma, config.reward, dtypes(recipe.precision)[0], config.life_loss_reward, config.n_step
        ),
        agent=Agent(learner, games.observation),
        rngs={name: generator(recipe.seed, name) for name in ("explore", "sample")},
        obs=np.empty(0),
        ended=np.zeros(recipe.num_envs, bool),
        episode_reward=np.zeros(recipe.num_envs),
        episode_length=np.zeros(recipe.num_envs, np.int64),
    )
    training.restart_games()
    return training


def compile_learner(training: Training) -> float:
    """Calls the compiled functions once on zeros, then puts the learner back; returns the seconds it took."""
    before = training.learner.get_state()
    start = time.perf_counter()
    training.agent.values(training.obs.astype(training.agent.dtype, copy=False))
    aux = training.learner.update(training.replay.example(training.recipe.algorithm.batch_size), 0.0)
    float(aux["loss"])  # waits for the device
    seconds = time.perf_counter() - start
    training.learner.set_state(before)
    return seconds


def run_loop(training: Training) -> Iterator[Tick]:
    """Plays and learns for ever: sends the actions, learns while the games play, receives. Yields after each step."""
    recipe, counters = training.recipe, training.counters
    while True:
        mask = ~training.ended
        epsilon = recipe.algorithm.epsilon(counters.steps)
        actions, greedy = choose(training, epsilon)
        training.games.send(actions)
        updates = learn(training)
        step = training.games.recv()
        training.store.add(training.obs, actions, step.reward, step.terminated, mask, step.lost_life)
        training.obs, training.ended = step.obs, step.terminated | step.truncated
        played = int(mask.sum())
        counters.steps += played
        counters.credit += int((mask & (training.episode_length >= recipe.algorithm.skip_first)).sum())
        counters.greedy_actions += int((greedy & mask).sum())
        episodes = count_episodes(training, step.reward, mask)
        copy_target(training)
        yield Tick(actions, mask, epsilon, episodes, updates)


def choose(training: Training, epsilon: float) -> tuple[np.ndarray, np.ndarray]:
    """Actions [N] and which of them the network chose [N]. The same numbers are drawn whatever epsilon is."""
    rng, games = training.rngs["explore"], training.games
    greedy = rng.random(games.num_envs) >= epsilon
    actions = rng.integers(games.num_actions, size=games.num_envs)
    if greedy.any():
        obs = training.obs.astype(training.agent.dtype, copy=False)
        actions = np.where(greedy, np.argmax(training.agent.values(obs), axis=1), actions)
    return actions, greedy


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
        batch = training.replay.sample(training.rngs["sample"], config.batch_size)
        updates.append(training.learner.update(batch, recipe.learning_rate(counters.steps)))
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
