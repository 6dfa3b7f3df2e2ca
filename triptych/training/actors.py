"""A3C's workers as Ray actors: each plays in a process of its own, on any machine of a cluster, and the learner takes what comes.

Which gradient comes first is up to the machines, so no two such runs are alike, and a resume begins new episodes. A worker
that dies or hangs is replaced; what it was playing is lost, and counted nowhere.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import numpy as np

from triptych.envs import Games, Step
from triptych.frameworks import Learner, xla
from triptych.recipes import Recipe
from triptych.recipes.serialise import to_dict
from triptych.training.asynchronous import Asynchronous, Staleness
from triptych.training.counting import Choice, Tick
from triptych.training.playing import Playing
from triptych.training.remote import THREADS, Answer, RemoteWorker
from triptych.training.sight import Sight
from triptych.training.worker import Gradient
from triptych.utils import install
from triptych.utils.checks import EnvironmentFailed, InputError
from triptych.utils.cluster import Cluster, task_options
from triptych.utils.console import counted, detail, warn
from triptych.utils.failures import first_line
from triptych.utils.state import State

START = 300.0  # seconds for a worker to import its framework, make its games and compile
BEAT = 1.0  # seconds after which the session hears that nothing has come
TRIES = 3  # deaths of a worker in a row, without a rollout, that end the run


@dataclass(frozen=True)
class Crew:
    """Where Ray workers play, and what they learn in.

    Args:
        texts: the user's files by path, which each worker runs before it makes the recipe's parts.
    """

    cluster: Cluster
    framework: str
    texts: Mapping[str, str] = field(default_factory=dict)


class Actors(Asynchronous):
    """The learner of workers that are Ray actors. It plays no games of its own."""

    repeats: ClassVar[bool] = False

    def __init__(self, recipe: Recipe, games: Games, learner: Learner, crew: Crew):
        self.crew, self.ray = crew, crew.cluster.ray
        super().__init__(recipe, games, learner)

    def make_workers(self) -> None:
        """Starts them all, and waits until each can play.

        Raises:
            InputError: one cannot, as a framework is missing where it is, or it was not ready in time.
        """
        count = self.config.workers
        self.actors: dict[int, Any] = {}
        self.playing: dict[Any, int] = {}  # what is awaited, and of which worker; the oldest first
        self.until: dict[int, float] = {}  # when each is given up
        self.failed = dict.fromkeys(range(count), 0)  # deaths in a row
        self.weights: Any = None  # where the store has those of this version
        self.read_at = 0  # steps at which the weights of the last gradient were handed out
        self.seen: Sight | None = None  # the newest that a worker has sent and nobody has asked for
        self.between = True  # nothing that a worker has sent is half counted
        none, nothing = np.empty(0, bool), np.empty(0)
        self.idle = Tick(Choice(nothing, none, None), Step(None, nothing, none, none), none, [], [])
        cores = sum(node.cores for node in self.crew.cluster.nodes())
        if count > cores:
            warn(
                f"workers is {count}, and the cluster has {counted(cores, 'core')}: they take turns on them, and all is slower"
            )
        self.cores = int(count <= cores)  # that each takes
        try:
            self.start_all()
        except BaseException:
            self.close()
            raise

    def start_all(self) -> None:
        """Starts them, and waits until each can play."""
        for number in range(self.config.workers):
            self.actors[number] = self.actor(number, self.cores)
        self.await_all({actor.begin.remote(): number for number, actor in self.actors.items()})

    def await_all(self, waiting: dict[Any, int]) -> None:
        """Waits until each worker has answered that it can play."""
        ready, late = self.ray.wait(list(waiting), num_returns=len(waiting), timeout=START)
        for ref in ready:
            try:
                problem = self.ray.get(ref)
            except self.ray.exceptions.RayError as error:
                problem = f"worker {waiting[ref]} could not start: {cause_of(error)}"
            if problem:
                raise InputError(problem)
        if late:
            raise InputError(
                f"worker {waiting[late[0]]} was not ready within {START:.0f} seconds; allowed: a machine with time for {counted(len(waiting), 'worker')}"
            )

    def actor(self, number: int, cores: int = 0) -> Any:
        """A new worker. One that takes the place of another takes no core of its own: what hangs may still hold it."""
        job = {
            "recipe": to_dict(self.recipe), "trust": True, "framework": self.crew.framework, "texts": dict(self.crew.texts),
            "number": number, "life": self.life, "version": install.version(), "convolutions": xla.CONVOLUTIONS,
        }  # fmt: skip
        options = task_options(cores, THREADS) | {"max_restarts": 0, "scheduling_strategy": "SPREAD"}
        return self.ray.remote(RemoteWorker).options(**options).remote(job)

    @property
    def life(self) -> str:
        """Names a worker that begins now: another one than at step 0 draws other random numbers."""
        return f"{self.counters.steps}-{self.staleness.deaths}" if self.counters.steps or self.staleness.deaths else ""

    def ticks(self) -> Iterator[Tick]:
        """Takes what the workers send, for ever: each step of a rollout, with its last one the update."""
        for number in self.actors.keys() - self.playing.values():
            self.send_on(number, START)
        while True:
            ready, _ = self.ray.wait(list(self.playing), num_returns=1, timeout=BEAT)
            for ref in ready:
                if answer := self.answer_of(ref):
                    yield from self.count(answer)
            self.replace_late()  # also while the others answer
            if not ready:
                yield self.idle

    def send_on(self, number: int, more: float = 0.0) -> None:
        """Has a worker play its next rollout with the newest weights, which are stored once for all of them."""
        if self.weights is None:
            self.weights = self.ray.put(self.learner.get_weights())
        counters = self.counters
        given = (self.weights, counters.updates, counters.steps, self.learner.frozen)
        ref = self.actors[number].play.remote(*given)
        self.playing[ref] = number
        self.until[number] = time.monotonic() + self.config.worker_timeout + more

    def answer_of(self, ref: Any) -> Answer | None:
        """What a worker has sent; None: it has died, and another one plays.

        Raises:
            EnvironmentFailed: its games have.
        """
        number = self.playing[ref]
        try:
            answer: Answer = self.ray.get(ref)
        except self.ray.exceptions.RayError as error:
            self.replace(number, cause_of(error))
            return None
        if answer.failed is not None:
            raise answer.failed
        if answer.problem:  # of one that was begun anew, on another machine
            self.replace(number, answer.problem)
            return None
        self.failed[number] = 0
        self.seen = answer.sight or self.seen
        return answer._replace(ref=ref)

    def replace_late(self) -> None:
        """Gives up workers from which nothing has come in time."""
        now = time.monotonic()
        for number in [number for number in self.playing.values() if self.until[number] < now]:
            self.replace(number, "nothing came from it in time")

    def replace(self, number: int, why: str) -> None:
        """Puts another worker in the place of one that is dead, or as good as that."""
        self.forget(number)
        self.staleness.deaths += 1
        self.failed[number] += 1
        if self.failed[number] >= TRIES:
            problem = f"worker {number} died {TRIES} times without a rollout: {why}"
            raise EnvironmentFailed(self.recipe.env.id, None, 0, problem)
        detail(f"worker {number} is replaced: {why}")
        self.actors[number] = self.actor(number)
        self.send_on(number, START)

    def forget(self, number: int) -> None:
        """Ends a worker; what it may still send is not taken."""
        self.playing = {ref: of for ref, of in self.playing.items() if of != number}
        self.ray.kill(self.actors.pop(number), no_restart=True)

    def count(self, answer: Answer) -> Iterator[Tick]:
        """Counts a rollout step by step, and learns from it with the last one. A run that stops in between keeps the steps alone."""
        number = self.playing.pop(answer.ref)
        self.between = False
        for tick in answer.ticks[:-1]:
            yield self.counted(tick)
        tick = self.counted(answer.ticks[-1])
        self.settle_frozen()
        updates = [] if answer.gradient is None else self.apply(self.completed(answer.gradient))
        if answer.gradient is not None:
            self.read_at = answer.gradient.started
        self.weights = None if updates else self.weights
        self.between = True
        self.send_on(number)
        yield tick._replace(updates=updates)

    def completed(self, gradient: Gradient) -> Gradient:
        """A gradient with zeros for the layers that were frozen where it was taken, and learn by now."""
        weights = self.learner.get_weights() if self.still else {}
        missing = weights.keys() - gradient.tensors.keys() - set(self.learner.frozen)
        if not missing:
            return gradient
        zeros = {name: np.zeros_like(weights[name]) for name in missing}
        return gradient._replace(tensors={**gradient.tensors, **zeros})

    def counted(self, tick: Tick) -> Tick:
        """A worker's step as one of the run."""
        self.counters.steps += int(tick.mask.sum())
        self.counters.greedy_actions += int((tick.choice.by_network & tick.mask).sum())
        return tick._replace(episodes=[self.close_episode(one.reward, one.length) for one in tick.episodes])

    @property
    def learning_rate(self) -> float:
        """That of the last gradient."""
        return self.recipe.learning_rate(self.read_at)

    @property
    def can_checkpoint(self) -> bool:
        return self.between

    def cross_checkpoint(self) -> None:
        """The games go on: a checkpoint holds nothing of them."""
        self.counters.boundaries += 1

    def get_state(self, here: bool = False, torn: bool = False) -> State:
        state = self.state_of_run()
        return state._replace(json=state.json | {"read_at": self.read_at, "staleness": asdict(self.staleness)})

    def set_state(self, state: State) -> None:
        self.set_run(state)
        self.read_at, self.staleness = state.json["read_at"], Staleness(**state.json["staleness"])
        # As they are they would draw what has been drawn already.
        self.await_all({actor.renew.remote(self.life): number for number, actor in self.actors.items()})
        self.weights = None

    def close(self) -> None:
        for number in list(self.actors):
            self.forget(number)
        super().close()

    def players(self) -> list[Playing]:
        return []

    def sight(self) -> Sight | None:
        """What the first worker saw at the end of one of its last rollouts."""
        found, self.seen = self.seen, None
        return found

    def try_out(self) -> None:
        weights, frozen = self.learner.get_weights(), self.learner.frozen
        zeros = {name: np.zeros_like(tensor) for name, tensor in weights.items() if name not in frozen}
        float(self.learner.apply(zeros, 0.0))  # waits for the device


def cause_of(error: Exception) -> str:
    """What a worker died of, in a line."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, Exception):
        return f"{type(cause).__name__}: {first_line(cause)}"
    return f"{type(error).__name__}: {first_line(error)}"
