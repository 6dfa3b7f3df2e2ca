"""What every run has, whoever plays its games: a learner, counters, and what a checkpoint holds of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from triptych.buffers.store import Store
from triptych.envs import Games
from triptych.frameworks import Learner
from triptych.recipes import Recipe
from triptych.runs.folder import RUNNING
from triptych.spec.batches import Told
from triptych.training.agent import Agent
from triptych.training.counting import Choice as Choice
from triptych.training.counting import Counters as Counters
from triptych.training.counting import Episode as Episode
from triptych.training.counting import Tick
from triptych.training.sight import Sight, sight_of
from triptych.utils.checks import passed
from triptych.utils.console import detail
from triptych.utils.state import State

if TYPE_CHECKING:
    from triptych.training.playing import Playing
    from triptych.training.teacher import Teacher


class Training(ABC):
    """The moving parts of a run at step 0. A subclass says who plays: `Playing` itself, in step, or several workers."""

    overlaps: ClassVar[bool] = False  # whether it learns while the games play
    repeats: ClassVar[bool] = True  # whether the same seeds give the same run
    store: Store | None = None  # rows that checkpoints keep in segments
    teacher: Teacher | None = None  # that looks on
    apart = False  # whether the games are not where `set_state` has put the rest: no checkpoint held them; see `resume_here`

    def __init__(self, recipe: Recipe, games: Games, learner: Learner):
        self.recipe, self.games, self.learner = recipe, games, learner
        self.network = recipe.make_network(games.observation, games.num_actions)
        self.still = recipe.frozen(self.network)  # tensors that are frozen until the recipe thaws them
        self.agent = Agent(learner, self.network, recipe.algorithm.policy)
        self.counters = Counters()
        self.scores: deque[float] = deque(maxlen=RUNNING)
        self.scores_of_teacher = recipe.teacher_plays > 0  # until the student has ended an episode of its own
        self.rngs: dict[str, np.random.Generator] = {}
        self.begin()

    @abstractmethod
    def begin(self) -> None:
        """Makes what plays, and starts the games."""

    @abstractmethod
    def ticks(self) -> Iterator[Tick]:
        """Plays and learns for ever. Yields after each step."""

    @abstractmethod
    def players(self) -> list[Playing]:
        """All that play in this process."""

    def sight(self) -> Sight | None:
        """What the first game shows now, and what the network makes of it; None: there is nothing to be seen."""
        return sight_of(self.players()[0])

    def close_episode(self, reward: float, length: int) -> Episode:
        """The next episode of the run. What a teacher earned is no score of the student's: with its own first one they begin anew."""
        self.counters.episodes += 1
        began, plays = self.counters.steps - length * self.recipe.num_envs, self.recipe.teacher_plays
        taught = began < plays and plays > 0
        if self.scores_of_teacher and not taught:
            self.scores.clear()
            self.scores_of_teacher = False
        if self.scores_of_teacher or not taught:
            self.scores.append(reward)
        mean, most = float(np.mean(self.scores)), max(self.scores)
        return Episode(self.counters.episodes, reward, length, mean, most, taught)

    @abstractmethod
    def try_out(self) -> None:
        """Calls the learner's functions once on zeros, as a run does: they are compiled then. Its weights and moments move."""

    def told(self) -> dict[str, Any]:
        """What summary.json says of it besides."""
        return {}

    def close(self) -> None:
        """Closes the games."""
        self.games.close()

    @property
    def learning_rate(self) -> float:
        """The optimiser's, of an update now."""
        return self.recipe.learning_rate(self.schedules_at)

    @property
    def schedules_at(self) -> int:
        """Steps of the run at which schedules are read, for an update now."""
        return self.counters.steps

    def taught(self, batch: Any) -> Any:
        """A batch with what the teacher makes of it, as long as one teaches; else as it is."""
        weight = self.recipe.teacher_weight_at(self.schedules_at)
        if self.teacher is None or not weight:
            return batch.batch if isinstance(batch, Told) else batch
        return self.teacher.look_at(batch, weight)

    def update(self, batch: Any) -> dict[str, Any]:
        """One update of the learner; its scalars."""
        self.settle_frozen()
        return self.learner.update(batch, self.learning_rate)

    def settle_frozen(self) -> None:
        """Freezes what the recipe wants frozen by now, and lets the rest learn. To be called before each update."""
        wanted = self.frozen_now()
        if set(self.learner.frozen) != set(wanted):
            detail(f"at step {self.counters.steps:,} {', '.join(wanted) or 'no layer'} stays frozen; all else learns")
            self.learner.freeze(wanted)

    def frozen_now(self) -> tuple[str, ...]:
        """The tensors that the recipe wants frozen at this point of the run."""
        return () if passed(self.recipe.thaw_after, self.counters) else self.still

    @property
    def can_checkpoint(self) -> bool:
        """Whether a checkpoint may be taken here: nothing is kept that it would lose."""
        return True

    @abstractmethod
    def row_bytes(self) -> float:
        """What a step of every game takes in memory and in the checkpoints, about; 0: nothing stays."""

    def row_memory(self) -> float:
        """That part of `row_bytes` which lies in this process' memory."""
        return self.row_bytes()

    @abstractmethod
    def get_state(self, here: bool = False, torn: bool = False) -> State:
        """Everything but the store's rows, which are segments of their own.

        Args:
            here: the games are in the middle of their episodes; where they cannot be saved, `resume_here` cuts these.
            torn: the games have failed, and are not asked any more.
        """

    @abstractmethod
    def set_state(self, state: State) -> None:
        """Restores what `get_state` gave; games that cannot be saved are restarted as the checkpoint did."""

    def resume_here(self) -> list[dict[str, Any]]:
        """After `set_state` that left the games `apart`, in the middle of episodes that could not be saved: new ones begin.

        Returns the scalars of the updates that are made before: the cut may fill an actor-critic's rollout.
        """
        return []

    def forget_last(self) -> None:
        """After `set_state` of a run that had ended in an older version, which did not say what came after its last step."""
        return

    @abstractmethod
    def cross_checkpoint(self) -> None:
        """Prepares a checkpoint: games that cannot be saved are truncated (bootstrapped, not counted) and restarted."""

    def state_of_run(self) -> State:
        """Without what the loop knows of the games."""
        counts: dict[str, Any] = {"counters": asdict(self.counters), "scores": list(self.scores)}
        counts |= {"scores_of_teacher": self.scores_of_teacher} if self.recipe.teacher_plays else {}
        rngs = {name: rng.bit_generator.state for name, rng in self.rngs.items()}
        return State({}, counts | {"rngs": rngs}).with_part("learner", State(self.learner_state(), {}))

    def set_run(self, state: State) -> None:
        """Takes up what `state_of_run` gave."""
        saved = state.json
        self.set_learner(state.part("learner").arrays)
        self.counters = Counters(**saved["counters"])
        self.settle_frozen()  # another than the state's where its settings were changed meanwhile
        self.scores.extend(saved["scores"])
        teaches = self.counters.steps < self.recipe.teacher_plays  # where an older version did not say
        self.scores_of_teacher = saved.get("scores_of_teacher", teaches)
        for name, rng in self.rngs.items():
            rng.bit_generator.state = saved["rngs"][name]

    def learner_state(self) -> dict[str, np.ndarray]:
        """What a checkpoint keeps of the learner."""
        return self.learner.get_state()

    def set_learner(self, arrays: dict[str, np.ndarray]) -> None:
        """Takes up what `learner_state` gave."""
        self.learner.set_state(arrays)
