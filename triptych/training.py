"""The moving parts of a run, made at step 0 and saved together."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from triptych import machine
from triptych.agent import Agent
from triptych.algorithms import ALGORITHMS, drqn
from triptych.buffers.frames import FrameStore
from triptych.buffers.priorities import PrioritisedReplay
from triptych.buffers.replay import UniformReplay
from triptych.buffers.sequences import PrioritisedSequenceReplay, SequenceReplay
from triptych.checks import InputError
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
    started: np.ndarray  # [N] bool, obs is an episode's first one
    state: np.ndarray | None  # [N, S] of the network before obs; None: it has no memory
    episode_reward: np.ndarray  # [N] so far
    episode_length: np.ndarray  # [N] so far
    counters: Counters = field(default_factory=Counters)
    scores: deque[float] = field(default_factory=lambda: deque(maxlen=RUNNING))

    def get_state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Arrays and JSON of everything but the store's rows, which are segments of their own."""
        arrays = {f"learner/{name}": array for name, array in self.learner.get_state().items()}
        priorities, replay = self.replay.get_state()
        arrays |= {f"replay/{name}": array for name, array in priorities.items()}
        state: dict[str, Any] = {
            "counters": asdict(self.counters),
            "rngs": {name: rng.bit_generator.state for name, rng in self.rngs.items()},
            "scores": list(self.scores),
            "store": self.store.get_state(),
            "replay": replay,
        }
        if self.games.saves:
            arrays["loop/obs"] = self.obs
            state["games"] = self.games.get_state()
            state["ended"], state["started"] = self.ended.tolist(), self.started.tolist()
            if self.state is not None:
                arrays["loop/state"] = self.state
            state["episode_reward"] = self.episode_reward.tolist()
            state["episode_length"] = self.episode_length.tolist()
        return arrays, state

    def set_state(self, arrays: dict[str, np.ndarray], state: dict[str, Any]) -> None:
        """Restores what `get_state` gave; games that cannot be saved are restarted as the checkpoint did."""
        self.learner.set_state(part_of(arrays, "learner/"))
        self.replay.set_state(part_of(arrays, "replay/"), state.get("replay", {}))
        self.counters = Counters(**state["counters"])
        self.scores.extend(state["scores"])
        self.store.set_state(state["store"])
        for name, rng in self.rngs.items():
            rng.bit_generator.state = state["rngs"][name]
        if self.games.saves:
            self.games.set_state(state["games"])
            self.obs = arrays["loop/obs"]
            self.ended = np.array(state["ended"], bool)
            if self.state is not None:
                self.started, self.state = np.array(state["started"], bool), arrays["loop/state"]
            self.episode_reward = np.array(state["episode_reward"])
            self.episode_length = np.array(state["episode_length"])
        else:
            self.restart_games()

    def restart_games(self) -> None:
        """Starts every game from the seeds of the current boundary."""
        recipe = self.recipe
        self.obs = self.games.reset(game_seeds(recipe.seed, "games", self.counters.boundaries, recipe.num_envs))
        self.ended[:], self.started[:] = False, True
        if self.state is not None:
            self.state = np.zeros_like(self.state)
        self.episode_reward[:] = 0
        self.episode_length[:] = 0

    def cross_boundary(self) -> None:
        """Prepares a checkpoint: games that cannot be saved are truncated (bootstrapped, not counted) and restarted."""
        self.counters.boundaries += 1
        if not self.games.saves:
            nothing = np.zeros(self.recipe.num_envs)
            self.store.add(self.obs, nothing, nothing, nothing, nothing)
            self.restart_games()


def part_of(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """The arrays whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def make_training(recipe: Recipe, games: Games, learner_class: type[Learner]) -> Training:
    """Everything at step 0: weights drawn, target copied, games started."""
    algorithm, config = ALGORITHMS[recipe.algorithm.kind], recipe.algorithm
    network = recipe.make_network(games.observation, games.num_actions)
    weights = initial_weights(network, generator(recipe.seed, "weights"))
    learner = learner_class(network, algorithm.make_loss(config), recipe.optimiser, weights, recipe.precision)
    store = make_store(recipe, games, learner, sum(network.state_sizes))
    training = Training(
        recipe=recipe,
        games=games,
        learner=learner,
        store=store,
        replay=make_replay(store, recipe, sum(network.state_sizes)),
        agent=Agent(learner, network),
        rngs={name: generator(recipe.seed, name) for name in ("explore", "sample")},
        obs=np.empty(0),
        ended=np.zeros(recipe.num_envs, bool),
        started=np.ones(recipe.num_envs, bool),
        state=Agent(learner, network).no_state(recipe.num_envs),
        episode_reward=np.zeros(recipe.num_envs),
        episode_length=np.zeros(recipe.num_envs, np.int64),
    )
    training.restart_games()
    return training


def make_store(recipe: Recipe, games: Games, learner: Learner, state_size: int) -> FrameStore:
    """The store, its frames on the learner's device and the agent's states beside them where the recipe wants that.

    Raises:
        InputError: they do not fit there.
    """
    config, observation = recipe.algorithm, games.observation
    settings = (config.replay_size, recipe.num_envs, observation, recipe.env.fill, config.compress)
    if isinstance(config, drqn.Config) and config.stored_state:
        return FrameStore(*settings, state=(state_size, learner.precision))
    if not config.replay_on_device:
        return FrameStore(*settings)
    need = FrameStore.bytes_for(config.replay_size, config.replay_size, observation)  # taken at once
    line = f"replay_size is {config.replay_size}: {need / 1e9:.1f} GB on {learner.device}; allowed: what fits there"
    if learner.device == "cpu" and need > machine.memory_total():
        raise InputError(line)
    try:
        return FrameStore(*settings, device=learner.frames)
    except (MemoryError, RuntimeError) as error:
        raise InputError(f"{line} ({type(error).__name__})") from None


def make_replay(store: FrameStore, recipe: Recipe, state_size: int) -> UniformReplay:
    config, precision = recipe.algorithm, dtypes(recipe.precision)[0]
    settings = (config.gamma, config.reward, precision, config.life_loss_reward, config.n_step)
    if isinstance(config, drqn.Config):
        state = (state_size, config.stored_state)
        sequences: dict[str, Any] = {"length": config.sequence_length, "burn_in": config.burn_in, "state": state}
        if config.prioritised:
            return PrioritisedSequenceReplay(store, *settings, **sequences, alpha=config.alpha)
        return SequenceReplay(store, *settings, **sequences)
    if config.prioritised:
        return PrioritisedReplay(store, *settings, alpha=config.alpha)
    return UniformReplay(store, *settings)


def compile_learner(training: Training) -> float:
    """Calls the compiled functions once on zeros, then puts the learner back; returns the seconds it took."""
    before = training.learner.get_state()
    start = time.perf_counter()
    training.agent.act(training.obs, training.state, training.started)
    aux = training.learner.update(training.replay.example(training.recipe.algorithm.batch_size), 0.0)
    float(aux["loss"])  # waits for the device
    seconds = time.perf_counter() - start
    training.learner.set_state(before)
    return seconds
