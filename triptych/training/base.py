"""The moving parts that every run has, and what happens in a step. All of them together are what a checkpoint holds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, ClassVar

import numpy as np

from triptych.buffers.store import Store
from triptych.envs import Games, Step
from triptych.frameworks import Learner
from triptych.recipes import Recipe
from triptych.runs.folder import RUNNING
from triptych.spec import found_under, under
from triptych.training.agent import Agent
from triptych.training.counting import Choice as Choice
from triptych.training.counting import Counters as Counters
from triptych.training.counting import Episode as Episode
from triptych.training.counting import Tick
from triptych.utils.seeds import game_seeds, generator
from triptych.utils.state import State


class Training(ABC):
    """The moving parts of a run at step 0: a learner, games that are started.

    A subclass says how actions are chosen, what is kept of a step, and when and from what the learner learns.
    """

    generators: ClassVar[tuple[str, ...]] = ("explore", "sample")
    overlaps: ClassVar[bool] = False  # whether it learns while the games play
    repeats: ClassVar[bool] = True  # whether the same seeds give the same run
    store: Store | None = None  # rows that checkpoints keep in segments
    apart = False  # whether the games are not where `set_state` has put the rest: no checkpoint held them; see `resume_here`

    def __init__(self, recipe: Recipe, games: Games, learner: Learner):
        self.recipe, self.games, self.learner = recipe, games, learner
        self.network = recipe.make_network(games.observation, games.num_actions)
        self.agent = Agent(learner, self.network, recipe.algorithm.policy)
        self.counters = Counters()
        self.scores: deque[float] = deque(maxlen=RUNNING)
        self.begin()

    def begin(self) -> None:
        """Makes what plays, and starts the games."""
        recipe = self.recipe
        self.state_size = sum(self.network.state_sizes)
        self.rngs = {name: generator(recipe.seed, self.stream(name)) for name in self.generators}
        self.obs: Any = np.empty(0)  # [N, *observation], acted on next; of several parts a dict of them
        self.ended = np.zeros(recipe.num_envs, bool)  # [N] obs is an episode's last one
        self.started = np.ones(recipe.num_envs, bool)  # [N] obs is an episode's first one
        self.state = self.agent.initial_state(recipe.num_envs)  # [N, S] before obs; None: there is no memory
        self.episode_reward = np.zeros(recipe.num_envs)  # [N] so far
        self.episode_length = np.zeros(recipe.num_envs, np.int64)  # [N] so far
        self.make_buffer()
        self.restart_games()

    @property
    def player(self) -> Training:
        """Whose games take the next step: its own; of several workers the one whose turn it is."""
        return self

    def ticks(self) -> Iterator[Tick] | None:
        """Its own steps, where the games are played elsewhere; None: the loop plays them here."""
        return None

    def players(self) -> list[Training]:
        """All that play."""
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

    def close_episode(self, reward: float, length: int) -> Episode:
        """The next episode of the run."""
        self.counters.episodes += 1
        self.scores.append(reward)
        mean, most = float(np.mean(self.scores)), max(self.scores)
        return Episode(self.counters.episodes, reward, length, mean, most)

    def try_out(self) -> None:
        """Calls the learner's functions once on zeros, as a run does: they are compiled then. Its weights and moments move."""
        self.agent.act(self.obs, self.state, self.started)
        aux = self.learner.update(self.example(), 0.0)
        float(aux["loss"])  # waits for the device

    def told(self) -> dict[str, Any]:
        """What summary.json says of it besides."""
        return {}

    def close(self) -> None:
        """Closes the games."""
        self.games.close()

    @property
    def learning_rate(self) -> float:
        """The optimiser's, of an update now."""
        return self.recipe.learning_rate(self.counters.steps)

    @property
    def can_checkpoint(self) -> bool:
        """Whether a checkpoint may be taken here: nothing is kept that it would lose."""
        return True

    @abstractmethod
    def example(self) -> Any:
        """A batch of zeros."""

    @abstractmethod
    def profiled(self) -> list[tuple[Any, str, str]]:
        """What `--profile` clocks beside the games and the learner: an object, its method, and which part of a run that is."""

    @abstractmethod
    def row_bytes(self) -> float:
        """What a step of every game takes in memory and in the checkpoints, about; 0: nothing stays."""

    def row_memory(self) -> float:
        """That part of `row_bytes` which lies in this process' memory."""
        return self.row_bytes()

    def cut(self) -> list[dict[str, Any]]:
        """A checkpoint truncates the games' episodes here; returns the scalars of updates that this makes."""
        return []

    def get_state(self, here: bool = False, torn: bool = False) -> State:
        """Everything but the store's rows, which are segments of their own.

        Args:
            here: the games are in the middle of their episodes; where they cannot be saved, `resume_here` cuts these.
            torn: the games have failed, and are not asked any more.
        """
        state = self.state_of_run()
        if self.games.saves and not torn:
            return self.with_loop(state, {"games": self.games.get_state()})
        return self.with_loop(state, {}) if here or torn else state

    def state_of_run(self) -> State:
        """Without what the loop knows of the games."""
        counts = {"counters": asdict(self.counters), "scores": list(self.scores)}
        rngs = {name: rng.bit_generator.state for name, rng in self.rngs.items()}
        return State({}, counts | {"rngs": rngs}).with_part("learner", State(self.learner_state(), {}))

    def set_run(self, state: State) -> None:
        """Takes up what `state_of_run` gave."""
        saved = state.json
        self.set_learner(state.part("learner").arrays)
        self.counters = Counters(**saved["counters"])
        self.scores.extend(saved["scores"])
        for name, rng in self.rngs.items():
            rng.bit_generator.state = saved["rngs"][name]

    def learner_state(self) -> dict[str, np.ndarray]:
        """What a checkpoint keeps of the learner."""
        return self.learner.get_state()

    def set_learner(self, arrays: dict[str, np.ndarray]) -> None:
        """Takes up what `learner_state` gave."""
        self.learner.set_state(arrays)

    def with_loop(self, state: State, games: dict[str, Any]) -> State:
        """With what the loop knows of the games, and with what they are given as."""
        arrays = under("obs", self.obs) | ({} if self.state is None else {"state": self.state})
        loop: dict[str, Any] = {
            "ended": self.ended.tolist(),
            "started": self.started.tolist(),
            "episode_reward": self.episode_reward.tolist(),
            "episode_length": self.episode_length.tolist(),
        } | games
        return State(state.arrays, state.json | loop).with_part("loop", State(arrays, {}))

    def set_state(self, state: State) -> None:
        """Restores what `get_state` gave; games that cannot be saved are restarted as the checkpoint did."""
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
        self.episode_reward = np.array(saved["episode_reward"])
        self.episode_length = np.array(saved["episode_length"])
        if "games" in saved:
            self.games.set_state(saved["games"])

    def resume_here(self) -> list[dict[str, Any]]:
        """After `set_state` that left the games `apart`, in the middle of episodes that could not be saved: new ones begin.

        Returns the scalars of the updates that are made before: the cut may fill an actor-critic's rollout.
        """
        updates = self.cut()
        self.restart_games("cut", self.counters.steps)
        self.apart = False
        return updates

    def forget_last(self) -> None:
        """After `set_state` of a run that had ended in an older version, which did not say what came after its last step."""
        return

    def restart_games(self, name: str = "games", number: int | None = None) -> None:
        """Starts every game from the seeds of the current checkpoint, or from those of another name and number."""
        number = self.counters.boundaries if number is None else number
        self.obs = self.games.reset(game_seeds(self.recipe.seed, self.stream(name), number, self.recipe.num_envs))
        self.ended[:], self.started[:] = False, True
        if self.state is not None:
            self.state = np.zeros_like(self.state)
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
