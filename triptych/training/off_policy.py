"""Off-policy training: Q-learning from a replay of what older policies played, while the games play on."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import numpy as np

from triptych.algorithms import definition, dqn
from triptych.buffers.outcomes import Outcomes
from triptych.buffers.prioritised import PrioritisedSampler
from triptych.buffers.replay import Replay, Transitions, UniformSampler
from triptych.buffers.sequences import Sequences
from triptych.buffers.store import Row, States, Store
from triptych.envs import Games, Step
from triptych.frameworks import Learner
from triptych.recipes import Recipe
from triptych.spec import dtypes
from triptych.spec.batches import Transition
from triptych.training.base import Choice
from triptych.training.playing import Playing
from triptych.utils import machine
from triptych.utils.checks import InputError, passed
from triptych.utils.state import State


class OffPolicy(Playing):
    """DQN and DRQN: a store of the stream, a replay that draws from it, a target network that is copied now and then."""

    overlaps = True

    @property
    def config(self) -> dqn.Config:
        return cast(dqn.Config, self.recipe.algorithm)

    store: Store
    replay: Replay

    def make_buffer(self) -> None:
        self.store = make_store(self.recipe, self.games, self.learner, self.state_size)
        self.replay = make_replay(self.store, self.recipe, self.state_size)

    def keep_teacher(self, actions: int, precision: str) -> None:
        self.store.keep_teacher(actions, precision)

    def select_actions(self) -> Choice:
        """Epsilon-greedy. The same numbers are drawn whatever epsilon is."""
        rng, games = self.rngs["explore"], self.games
        epsilon = self.config.epsilon(self.counters.steps)
        greedy = rng.random(games.num_envs) >= epsilon
        actions = rng.integers(games.num_actions, size=games.num_envs)
        state, said = self.state, self.said()
        if greedy.any() or state is not None:  # a memory must see what chance does too
            values, state = self.agent.act(self.obs, state, self.started)
            if self.teacher is not None and self.counters.steps < self.recipe.teacher_plays:
                values = self.teacher.outputs(self.obs) if said is None else said.outputs
            actions = np.where(greedy, np.argmax(values, axis=1), actions)
        return Choice(actions, greedy, state, epsilon, teacher=said)

    def update_while_playing(self) -> list[dict[str, Any]]:
        """Makes the updates that the steps so far have earned."""
        config, counters = self.config, self.counters
        if not config.learns(counters.steps, len(self.replay)):
            counters.credit = 0
            return []
        updates = []
        while counters.credit >= config.update_every:
            counters.credit -= config.update_every
            batch = self.replay.sample(self.rngs["sample"], config.batch_size, config.beta(counters.steps))
            if batch is None:  # no piece of an episode is whole yet: these steps earn nothing, as those of the warm-up
                counters.credit = 0
                break
            updates.append(self.update(self.taught(batch)))
            self.replay.learned(partial(self.learner.to_numpy, updates[-1]["td_error"]))
            counters.updates += 1
        return updates

    def observe(self, choice: Choice, step: Step, mask: np.ndarray) -> None:
        given = (step.reward, step.terminated, mask, step.lost_life, self.state)
        said = None if choice.teacher is None else choice.teacher.outputs
        self.store.add(Row(self.obs, choice.actions, *given, said))
        self.counters.credit += int((mask & (self.episode_length >= self.config.skip_first)).sum())

    def update_after_step(self) -> list[dict[str, Any]]:
        """Copies the online network into the target where a target period has passed."""
        counters = self.counters
        periods = passed(self.config.target_every, counters)
        if periods > counters.target_periods:
            counters.target_periods = periods
            if counters.updates > counters.copied_at:  # else the target is the online network already
                counters.copied_at = counters.updates
                counters.target_copies += 1
                self.learner.sync_target()
        return []

    def example(self) -> Any:
        return self.replay.example(self.config.batch_size)

    def row_bytes(self) -> float:
        return self.store.row_bytes()

    def row_memory(self) -> float:
        return 0 if self.config.replay_on_device else self.row_bytes()

    def profiled(self) -> list[tuple[Any, str, str]]:
        return [(self.store, "add", "store"), (self.replay, "sample", "sample")]

    def cut(self) -> list[dict[str, Any]]:
        nothing = np.zeros(self.recipe.num_envs)
        self.store.add(Row(self.obs, nothing, nothing, nothing, nothing))
        return []

    def forget_last(self) -> None:
        self.store.forget_last()

    def get_state(self, here: bool = False, torn: bool = False) -> State:
        state = super().get_state(here, torn).with_part("store", State({}, self.store.get_state()))
        return state.with_part("replay", self.replay.get_state())

    def set_state(self, state: State) -> None:
        self.replay.set_state(state.part("replay"))
        self.store.set_state(state.json["store"])
        super().set_state(state)


def make_store(recipe: Recipe, games: Games, learner: Learner, state_size: int) -> Store:
    """The store, its frames on the learner's device and the agent's states beside them where the recipe wants that.

    Raises:
        InputError: they do not fit there.
    """
    config, observation = cast(dqn.Config, recipe.algorithm), games.observation
    settings = (config.replay_size, recipe.num_envs, observation, recipe.env.fill, config.compress)
    if config.stores_state:
        return Store(*settings, states=States(state_size, learner.precision, *config.states_kept))
    if not config.replay_on_device:
        return Store(*settings)
    need = Store.bytes_for(config.replay_size, config.replay_size, observation)  # taken at once
    line = f"replay_size is {config.replay_size}: {need / 1e9:.1f} GB on {learner.device}; allowed: what fits there"
    if learner.device == "cpu" and need > machine.memory_total():
        raise InputError(line)
    try:
        return Store(*settings, device=learner.frames)
    except (MemoryError, RuntimeError) as error:
        raise InputError(f"{line} ({type(error).__name__})") from None


def make_replay(store: Store, recipe: Recipe, state_size: int) -> Replay:
    """How the recipe draws, and what a sample is: each is one of two."""
    config, precision = cast(Any, recipe.algorithm), dtypes(recipe.precision)[0]
    outcomes = Outcomes(config.gamma, config.reward, config.life_loss_reward, config.n_step)
    places = store.rows * store.num_envs
    sampler = PrioritisedSampler(places, config.alpha) if config.prioritised else UniformSampler()
    if definition(config).batch is Transition:
        return Replay(store, sampler, Transitions(outcomes, precision))
    length, burn_in = config.sequence_length, config.burn_in
    return Replay(store, sampler, Sequences(outcomes, precision, length, burn_in, state_size, config.stored_state))
