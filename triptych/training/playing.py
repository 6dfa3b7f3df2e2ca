"""A training that plays games of its own, all of them in step: how it chooses, what it keeps of a step, and their checkpoints."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from triptych.envs import Step
from triptych.spec import found_under, under
from triptych.training.base import Training
from triptych.training.counting import Choice, Episode, Said, Tick
from triptych.training.loop import run_loop
from triptych.training.teacher import Teacher
from triptych.utils.seeds import game_seeds, generator
from triptych.utils.state import State


class Playing(Training):
    """Off-policy and on-policy training, and each of A3C's workers.

    A subclass says how actions are chosen, what is kept of a step, and when and from what the learner learns.
    """

    generators: ClassVar[tuple[str, ...]] = ("explore", "sample")

    def begin(self) -> None:
        recipe = self.recipe
        self.state_size = sum(self.network.state_sizes)
        self.rngs = {name: generator(recipe.seed, self.stream(name)) for name in self.generators}
        self.obs: Any = np.empty(0)  # [N, *observation], acted on next; of several parts a dict of them
        self.ended = np.zeros(recipe.num_envs, bool)  # [N] obs is an episode's last one
        self.started = np.ones(recipe.num_envs, bool)  # [N] obs is an episode's first one
        self.state = self.agent.initial_state(recipe.num_envs)  # [N, S] before obs; None: there is no memory
        self.episode_reward = np.zeros(recipe.num_envs)  # [N] so far
        self.episode_length = np.zeros(recipe.num_envs, np.int64)  # [N] so far
        self.teacher_state: np.ndarray | None = None  # [N, S] before obs, of a teacher with memory
        self.make_buffer()
        self.restart_games()

    def follow(self, teacher: Teacher) -> None:
        """A teacher looks on from now on, at step 0. What one with memory gives is kept with each step."""
        self.teacher, self.teacher_state = teacher, teacher.initial_state(self.recipe.num_envs)
        if teacher.remembers:
            self.keep_teacher(self.games.num_actions, self.learner.precision)

    @abstractmethod
    def keep_teacher(self, actions: int, precision: str) -> None:
        """Makes room for what a teacher gives, one number an action, beside the steps."""

    def said(self) -> Said | None:
        """What a teacher with memory gives for `obs`; None: there is none, or its time is up."""
        if self.teacher is None or self.teacher_state is None:
            return None
        teaches = self.recipe.teacher_weight_at(self.schedules_at) or self.steps_of_run < self.recipe.teacher_plays
        return self.teacher.say(self.obs, self.teacher_state, self.started) if teaches else None

    @property
    def steps_of_run(self) -> int:
        """By which schedules go."""
        return self.counters.steps

    @property
    def player(self) -> Playing:
        """Whose games take the next step."""
        return self

    def ticks(self) -> Iterator[Tick]:
        return run_loop(self)

    def players(self) -> list[Playing]:
        return [self]

    def stream(self, name: str) -> str:
        """The name of one of its streams of random numbers."""
        return name

    @abstractmethod
    def make_buffer(self) -> None:
        """Makes what keeps the steps that are learned from.

        Raises:
            InputError: it does not fit where it should lie.
        """

    @abstractmethod
    def select_actions(self) -> Choice:
        """The next step's actions."""

    def update_while_playing(self) -> list[dict[str, Any]]:
        """Updates that are made while the games play; their scalars."""
        return []

    @abstractmethod
    def observe(self, choice: Choice, step: Step, mask: np.ndarray) -> None:
        """Takes a step in, before `obs` and all that belongs to it are the next ones.

        Where `mask` [N] is False there is nothing to learn from: a game only restarted, or its step was not finite.
        """

    @abstractmethod
    def update_after_step(self) -> list[dict[str, Any]]:
        """Updates and whatever else is due when a step is over and `obs` is the next one; their scalars."""

    def advance(self, choice: Choice, step: Step, mask: np.ndarray) -> list[Episode]:
        """Makes what the games show now the next thing to act on; returns the episodes that ended, in the order of the games.

        `mask` [N] is False where a game only restarted: no action was taken there.
        """
        self.obs, self.state, self.started = step.obs, choice.state, self.ended
        if choice.teacher is not None:
            self.teacher_state = choice.teacher.state
        if step.broken is not None:  # what comes after it begins anew, in the eyes of the learner
            self.started = self.started | step.broken
        self.ended = step.terminated | step.truncated
        self.counters.steps += int(mask.sum())
        self.counters.greedy_actions += int((choice.by_network & mask).sum())
        return self.count_episodes(step.reward, mask)

    def count_episodes(self, rewards: np.ndarray, mask: np.ndarray) -> list[Episode]:
        """Adds the step to the games' scores and closes the episodes that ended with it."""
        self.episode_reward += rewards * mask
        self.episode_length += mask
        episodes = []
        for game in np.flatnonzero(self.ended):
            episodes.append(self.close_episode(float(self.episode_reward[game]), int(self.episode_length[game])))
            self.episode_reward[game], self.episode_length[game] = 0, 0
        return episodes

    def try_out(self) -> None:
        self.agent.act(self.obs, self.state, self.started)
        aux = self.learner.update(self.taught(self.example()), 0.0)
        float(aux["loss"])  # waits for the device

    def cut(self) -> list[dict[str, Any]]:
        """A checkpoint truncates the games' episodes here; returns the scalars of updates that this makes."""
        return []

    @abstractmethod
    def example(self) -> Any:
        """A batch of zeros."""

    @abstractmethod
    def profiled(self) -> list[tuple[Any, str, str]]:
        """What `--profile` clocks beside the games and the learner: an object, its method, and which part of a run that is."""

    def get_state(self, here: bool = False, torn: bool = False) -> State:
        state = self.state_of_run()
        if self.games.saves and not torn:
            return self.with_loop(state, {"games": self.games.get_state()})
        return self.with_loop(state, {}) if here or torn else state

    def with_loop(self, state: State, games: dict[str, Any]) -> State:
        """With what the loop knows of the games, and with what they are given as."""
        memories = {"state": self.state, "teacher_state": self.teacher_state}
        arrays = under("obs", self.obs) | {name: state for name, state in memories.items() if state is not None}
        loop: dict[str, Any] = {
            "ended": self.ended.tolist(),
            "started": self.started.tolist(),
            "episode_reward": self.episode_reward.tolist(),
            "episode_length": self.episode_length.tolist(),
        } | games
        return State(state.arrays, state.json | loop).with_part("loop", State(arrays, {}))

    def set_state(self, state: State) -> None:
        saved = state.json
        self.set_run(state)
        self.apart = "ended" in saved and "games" not in saved
        if "ended" not in saved:
            self.restart_games()
            return
        loop = state.part("loop").arrays
        self.obs = found_under("obs", loop, self.games.observation)
        self.ended, self.started = np.array(saved["ended"], bool), np.array(saved["started"], bool)
        if self.state is not None:
            self.state = loop["state"]
        if self.teacher_state is not None:
            self.teacher_state = loop["teacher_state"]
        self.episode_reward = np.array(saved["episode_reward"])
        self.episode_length = np.array(saved["episode_length"])
        if "games" in saved:
            self.games.set_state(saved["games"])

    def resume_here(self) -> list[dict[str, Any]]:
        updates = self.cut()
        self.restart_games("cut", self.counters.steps)
        self.apart = False
        return updates

    def restart_games(self, name: str = "games", number: int | None = None) -> None:
        """Starts every game from the seeds of the current checkpoint, or from those of another name and number."""
        number = self.counters.boundaries if number is None else number
        self.obs = self.games.reset(game_seeds(self.recipe.seed, self.stream(name), number, self.recipe.num_envs))
        self.ended[:], self.started[:] = False, True
        if self.state is not None:
            self.state = np.zeros_like(self.state)
        if self.teacher_state is not None:
            self.teacher_state = np.zeros_like(self.teacher_state)
        self.episode_reward[:] = 0
        self.episode_length[:] = 0

    def cross_checkpoint(self) -> None:
        """Prepares a checkpoint: games that cannot be saved are truncated (bootstrapped, not counted) and restarted.

        It makes no update: it is called where `can_checkpoint`, so that no rollout has begun.
        """
        self.counters.boundaries += 1
        if not self.games.saves:
            self.cut()
            self.restart_games()
