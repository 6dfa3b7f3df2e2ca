"""Recipe: everything that decides a run's numbers, besides the framework."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from triptych.algorithms import ALGORITHMS, Config, definition
from triptych.algorithms.schedules import linear_schedule
from triptych.algorithms.teaching import LOSSES, METRIC
from triptych.envs import GameConfig
from triptych.envs.play import LONGEST
from triptych.spec import KINDS, OPTIMISERS, PRECISIONS, Layer, Memory, Network, Observation, Optimiser, Precision
from triptych.spec.neural_map import NoPlaceError
from triptych.spec.reuse import selected
from triptych.utils.checks import InputError, Period, as_period, at_least, check, one_of, period, positive
from triptych.utils.words import likely, plain


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run's numbers, besides the framework. A step is one agent decision in one game."""

    env: GameConfig  # of the kind that its id is of
    network: tuple[Layer, ...]  # the body; the algorithm adds its head
    algorithm: Config  # of one algorithm, with the settings of its kind
    optimiser: Optimiser
    steps: int  # steps after which the run ends, counted over all games
    num_envs: int = 1  # games played side by side
    seed: int = 0  # decides first weights, games and all random choices; the same seed repeats a run
    episodes: int | None = None  # episodes after which the run ends; None: no such limit
    solved_at: float | None = None  # the run ends when the mean of its last 100 episodes passes this score
    best_window: int = 100  # episodes in a row whose mean reward decides which weights are the best
    # how often the weights are tested in training: 5000 (steps), or 200 episodes; 0: never
    evaluate_every: int | Period = 0
    evaluate_games: int = 10  # games of one such test
    evaluate_steps: int = LONGEST  # steps after which such a game is ended and counted as it stands
    # film the first game of each such test, with so many pictures a second; None: no videos
    video_fps: int | None = None
    log_every: int = 1_000  # steps between rows of metrics.csv
    # how often weights are kept besides those of the checkpoints: 5000 steps; None: never
    weights_every: Period | None = None
    # steps between checkpoints; None: 5 % of the run, more where games cannot be saved
    checkpoint_every: int | None = None
    # number type of weights and gradients; bfloat16: of the layers' products alone, the rest float32
    precision: Precision = "float32"
    # layers that stay as they are, by name (dense_1) or kind (conv): no gradient, no moments
    freeze: tuple[str, ...] = ()
    # when frozen layers begin to learn too: 50000 steps, or after so many updates or episodes; None: never
    thaw_after: int | Period | None = None
    # a run (its best weights) or a weights file that teaches: what the network gives is drawn to what that one gives
    teacher: str = ""
    teacher_weight: float = 1.0  # of the distance to the teacher, beside the algorithm's own loss
    teacher_until: int | None = None  # step by which this weight has fallen to 0, in a straight line; None: it stays
    teacher_loss: Literal["kl", "nll", "mse"] = "kl"  # how that distance is measured (docs/how-to/distil.md)
    teacher_temperature: float | None = None  # of the teacher's softmax; None: 0.01 for Q values, 1 for a policy
    teacher_plays: int = 0  # steps at the run's start in which the teacher chooses the actions
    teacher_alone: bool = False  # learn from the teacher alone, not from rewards
    threads: int | None = None  # processor threads of the learner; None: one for each core, at most 8
    source: str = ""  # the user's own Python file that this recipe came from

    def __post_init__(self) -> None:
        positive(self, "steps", "num_envs", "episodes", "best_window", "evaluate_games", "log_every")
        positive(self, "checkpoint_every", "threads", "evaluate_steps", "video_fps")
        at_least(self, 0, "seed")
        period(self, "evaluate_every")
        period(self, "weights_every")
        period(self, "thaw_after")
        check(self.thaw_after != 0, "thaw_after", 0, "above 0")
        nothing = self.thaw_after is None or bool(self.freeze)
        check(nothing, "thaw_after", self.thaw_after, "None, as no layer is frozen: --freeze LAYERS")
        at_least(self, -1e300, "solved_at")
        one_of(self, "precision", PRECISIONS)
        self.algorithm.check(self.num_envs, self.has_memory)
        check_teaching(self)

    @property
    def has_memory(self) -> bool:
        """Whether the network carries something from step to step."""
        return any(isinstance(layer, Memory) for layer in self.network)

    def make_network(self, observation: Observation, num_actions: int) -> Network:
        """The whole network, head included, checked against the observation it will see.

        Raises:
            InputError: a layer cannot take what reaches it.
        """
        network = definition(self.algorithm).network(self.algorithm, observation, self.network, num_actions)
        try:
            self.frozen(network)
        except NoPlaceError as error:
            raise InputError(f"{error} ({self.env.place_hint})" if self.env.place_hint else str(error)) from None
        return network

    def frozen(self, network: Network) -> tuple[str, ...]:
        """The tensors that stay as they are at the run's start.

        Raises:
            InputError: there is no such layer, or nothing would be left to learn.
        """
        tensors = network.tensors()
        found = selected(self.freeze, tensors, "freeze")
        all_of_them = bool(self.freeze) and len(found) == len(tensors)
        check(not all_of_them, "freeze", list(self.freeze), "not all layers, as something must learn")
        return found

    @property
    def metrics(self) -> tuple[str, ...]:
        """The scalars that an update reports, beside the loss."""
        return (*self.algorithm.metrics, METRIC) if self.teacher else self.algorithm.metrics

    @property
    def evaluation_period(self) -> Period | None:
        """Between evaluations; None: there are none."""
        return as_period(self.evaluate_every)

    def teacher_weight_at(self, step: int) -> float:
        """That of the distance to the teacher at `step`; 0 without one."""
        if not self.teacher:
            return 0.0
        end = self.teacher_until
        return self.teacher_weight if end is None else linear_schedule(step, self.teacher_weight, 0.0, end)

    def learning_rate(self, step: int) -> float:
        """The optimiser's rate at `step`: constant, or on a straight line to its final value at the last step."""
        optimiser = self.optimiser
        if optimiser.final_rate is None:
            return optimiser.learning_rate
        return linear_schedule(step, optimiser.learning_rate, optimiser.final_rate, self.steps)

    def warnings(self) -> list[str]:
        """What is allowed but surely not meant, a line each."""
        return self.algorithm.warnings(self.steps, self.num_envs)


def check_teaching(recipe: Recipe) -> None:
    """Refuses settings of a teacher that say nothing, or contradict each other."""
    positive(recipe, "teacher_weight", "teacher_until", "teacher_temperature")
    at_least(recipe, 0, "teacher_plays")
    one_of(recipe, "teacher_loss", LOSSES)
    for field in dataclasses.fields(recipe):
        value = getattr(recipe, field.name)
        said = field.name.startswith("teacher_") and value != field.default
        check(bool(recipe.teacher) or not said, field.name, value, f"{field.default}, as nobody teaches: --teacher RUN")
    until, plays, alone = recipe.teacher_until, recipe.teacher_plays, recipe.teacher_alone
    check(until is None or not alone, "teacher_until", until, "None, as nothing is learned but from the teacher")
    own = recipe.algorithm.policy == "sample" and not alone
    allowed = f"0, as {recipe.algorithm.kind} learns from what it plays itself; or --teacher-alone"
    check(not (own and plays), "teacher_plays", plays, allowed)
    on_device = bool(recipe.teacher) and recipe.algorithm.samples_on_device
    check(not on_device, "algorithm.replay_on_device", True, "False, as a teacher looks on")


def with_memory(body: tuple[Layer, ...], kind: str) -> tuple[Layer, ...]:
    """The layers with another kind of memory, or none, where theirs is; at the end where they have none."""
    known = ("none", *KINDS)
    kind = next((name for name in known if plain(name) == plain(str(kind))), kind)
    check(kind in known, "memory", kind, ", ".join(known) + likely(str(kind), known))
    places = [index for index, layer in enumerate(body) if isinstance(layer, Memory)]
    if kind == "none":
        return tuple(layer for layer in body if not isinstance(layer, Memory))
    check(len(places) < 2, "memory", kind, "none, as this network has several: change its layers")
    index = places[0] if places else len(body)
    before, old, after = body[:index], body[index : index + 1], body[index + 1 :]
    names = [field.name for field in dataclasses.fields(KINDS[kind])]
    new: Any = KINDS[kind](**{name: getattr(memory, name) for memory in old for name in names if hasattr(memory, name)})
    return (*before, new, *after)


def with_kind(optimiser: Optimiser, kind: str) -> Optimiser:
    """An optimiser of another kind, with the settings that all kinds have; those of its own are as they are by default."""
    kind = next((name for name in OPTIMISERS if plain(name) == plain(str(kind))), kind)
    check(kind in OPTIMISERS, "optimiser.kind", kind, ", ".join(OPTIMISERS) + likely(str(kind), OPTIMISERS))
    if kind == optimiser.kind:
        return optimiser
    shared = {field.name: getattr(optimiser, field.name) for field in dataclasses.fields(Optimiser)}
    return OPTIMISERS[kind](**shared)


def with_algorithm(config: Config, kind: str) -> Config:
    """An algorithm of another kind with these settings; those that it alone has are as they are by default.

    Raises:
        InputError: neither of the two inherits the other one's settings.
    """
    kinds = {name: one.config for name, one in ALGORITHMS.items()}
    allowed = [name for name, one in kinds.items() if issubclass(one, type(config)) or isinstance(config, one)]
    check(kind in allowed, "algorithm", kind, f"{', '.join(allowed)} in place of {config.kind}{likely(kind, allowed)}")
    shared = {field.name for field in dataclasses.fields(kinds[kind])}
    mine = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    return kinds[kind](**{name: value for name, value in mine.items() if name in shared})
