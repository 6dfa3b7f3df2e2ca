"""Settings against each other: what a run with them can never do, told before its first step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from triptych.algorithms import a2c, definition, dqn, drqn
from triptych.checkup.findings import Finding, Signal
from triptych.recipes import Recipe
from triptych.spec.batches import Sequence
from triptych.utils.checks import as_period

FLOOR = 0.01  # of the way down from epsilon_start that is left where epsilon counts as having reached its floor
TOO_SOON = 0.02  # of the budget, within which it may not
MOSTLY_RANDOM = (
    0.5  # share of random actions in a run's last steps from which on it has hardly played by what it learned
)
FEWEST_BATCHES = 2  # that a replay should hold

NEVER = Signal(
    "never-trains", "stop", "the run makes no update",
    ("a budget meant for a first try, beside settings meant for the whole run", "a warm-up in frames, not in steps"),
    "steps, algorithm.warm_up, learn_from, update_every, rollout_steps, num_envs",
)  # fmt: skip
EPSILON = Signal("epsilon", "note", "how exploration falls", (), "algorithm.epsilon_start, _end, _steps, _shape, _from")
EARLY_FLOOR = Signal(
    "epsilon-floor-early", "warn", "epsilon is at its floor almost at once",
    (
        "epsilon_steps of another time scale than the run: updates or episodes for steps",
        "steps before the first update, which count for epsilon too",
    ),
    "algorithm.epsilon_steps, epsilon_from, warm_up, learn_from",
)  # fmt: skip
RISING = Signal(
    "epsilon-rises", "warn", "epsilon rises in the run", ("start and end exchanged",), "algorithm.epsilon_start, epsilon_end"
)  # fmt: skip
RANDOM = Signal(
    "epsilon-stays-high", "warn", "the run plays mostly at random to its end",
    ("fewer steps than the schedule was made for", "epsilon_end left at its start"),
    "steps, algorithm.epsilon_steps, epsilon_end",
)  # fmt: skip
NO_COPY = Signal(
    "target-never-copied", "warn", "the budget allows no copy into the target network",
    ("a period in steps where it was meant in updates, or the other way round", "fewer steps than were meant"),
    "steps, algorithm.target_every",
)  # fmt: skip
ALWAYS_COPIED = Signal(
    "target-always-copied", "warn", "the target network is copied at every update, so it steadies nothing",
    ("a period in updates that was meant in steps or episodes",), "algorithm.target_every",
)  # fmt: skip
FEW_STORED = Signal(
    "batch-of-few", "warn", "the first batches are drawn from fewer transitions than they hold",
    ("no warm-up", "a learn_from below the batch size"), "algorithm.batch_size, warm_up, learn_from",
)  # fmt: skip
SMALL_REPLAY = Signal(
    "replay-of-few", "warn", "the replay holds hardly more than a batch",
    ("a replay_size for tests", "sequences that each count for many observations"), "algorithm.replay_size, batch_size",
)  # fmt: skip
NO_VALUE = Signal(
    "value-not-learned", "warn", "the value's loss has no weight",
    ("value_weight set to 0",), "algorithm.value_weight",
)  # fmt: skip
ONE_ADVANTAGE = Signal(
    "advantage-vanishes", "stop", "each minibatch is one step, whose normalised advantage is always 0",
    ("as many minibatches as steps of a rollout",), "algorithm.minibatches, rollout_steps, normalise_advantages",
)  # fmt: skip
LATE = Signal("after-the-end", "note", "a schedule that the run does not see the end of", (), "the setting it names")
ENTROPY = Signal("no-entropy", "note", "no bonus for a policy that is not sure", (), "algorithm.entropy_weight")
MYOPIC = Signal("no-future", "note", "rewards after the next one count nothing", (), "algorithm.gamma")
UPDATES = Signal(
    "updates", "note", "how many updates the run makes", (), "steps, algorithm.update_every, rollout_steps"
)


def judge_settings(recipe: Recipe) -> Iterator[Finding]:
    """What a recipe's settings, taken together, cannot come to; the plain facts that follow from them, as notes."""
    config = recipe.algorithm
    if line := config.unreached(recipe.steps, recipe.num_envs):
        yield Finding(NEVER, line, "updates within the run")
        return
    if config.family == "off-policy":
        yield from off_policy(recipe, cast(dqn.Config, config))
    else:
        yield from on_policy(recipe, cast(a2c.Config, config))
    yield from schedules(recipe)


def off_policy(recipe: Recipe, config: dqn.Config) -> Iterator[Finding]:
    begins = config.steps_before_updates(recipe.num_envs)
    updates = (recipe.steps - begins) // config.update_every
    times = updates * config.batch_size / recipe.steps
    if recipe.episodes is None:
        fed = "sequences" if in_sequences(config) else "transitions"
        told = f"about {updates:,} updates, the first after {begins:,} steps: {times:.2g} {fed} learned from a step"
        yield Finding(UPDATES, told, "")
    yield from exploration(recipe, config, begins)
    yield from target(recipe, config, updates)
    if max(begins, 1) < config.batch_size:
        held = f"batch_size is {config.batch_size}, and updates begin with {max(begins, 1)} stored"
        yield Finding(FEW_STORED, held, f"{config.batch_size} or more, by warm_up or learn_from")
    batch = config.batch_size * (cast(drqn.Config, config).sequence_length if in_sequences(config) else 1)
    if config.replay_size < FEWEST_BATCHES * batch:
        held = f"replay_size is {config.replay_size:,} observations, a batch {batch:,} steps"
        yield Finding(SMALL_REPLAY, held, f"room for {FEWEST_BATCHES} batches at least")


def in_sequences(config: dqn.Config) -> bool:
    return definition(config).batch is Sequence


class Floor(NamedTuple):
    """Where epsilon ends its fall."""

    step: int
    share: float | None  # of the run; None: its budget is of episodes


def floor_of(recipe: Recipe, config: dqn.Config) -> Floor:
    steps = config.epsilon_steps
    way = steps if config.epsilon_shape == "linear" else math.ceil(steps * -math.log(FLOOR))
    step = max(config.epsilon_from + way, config.warm_up)
    return Floor(step, None if recipe.episodes else step / recipe.steps)


def exploration(recipe: Recipe, config: dqn.Config, begins: int) -> Iterator[Finding]:
    """Epsilon over the run, as its schedule says."""
    start, end = config.epsilon_start, config.epsilon_end
    floor = floor_of(recipe, config)
    last = config.epsilon(recipe.steps - 1)
    if start == end:
        yield Finding(EPSILON, f"epsilon is {start:g} from step {config.warm_up:,} on", "")
    elif start < end:
        yield Finding(RISING, f"from {start:g} to {end:g}", "a fall")
    else:
        yield Finding(EPSILON, sentence(floor, end, last), "")
        told = (
            f"epsilon is {config.epsilon(begins):.3g} at the first update, after {begins:,} steps, and ends at {end:g}"
        )
        if begins and floor.step <= begins:
            yield Finding(EARLY_FLOOR, told, "a fall that goes on while it learns")
        elif floor.share is not None and floor.share < TOO_SOON:
            told = f"at {end:g} after {floor.step:,} of {recipe.steps:,} steps, {floor.share:.2g} of the run"
            yield Finding(EARLY_FLOOR, told, f"a fall over {TOO_SOON:.0%} of the run at least")
    if recipe.episodes is None and last >= MOSTLY_RANDOM:
        told = f"epsilon is {last:.3g} at the run's last step"
        yield Finding(RANDOM, told, f"below {MOSTLY_RANDOM:g} before it ends")


def sentence(floor: Floor, end: float, last: float) -> str:
    """The plain sentence about epsilon that every run is told."""
    if floor.share is None:
        return f"epsilon reaches its floor, {end:g}, after {floor.step:,} steps"
    if floor.share >= 1:
        return f"epsilon does not reach its floor, {end:g}, within the run: it ends at {last:.3g}"
    return f"epsilon reaches its floor, {end:g}, after {100 * floor.share:.2g} % of the run"


def target(recipe: Recipe, config: dqn.Config, updates: int) -> Iterator[Finding]:
    """Whether the target network is copied at all, and not always. Periods in episodes are known only where the budget is."""
    number, unit = config.target_every
    within = {"steps": recipe.steps, "updates": updates, "episodes": recipe.episodes}[unit]
    if within is not None and within < number and not recipe.episodes:
        yield Finding(NO_COPY, f"target_every is {number:,} {unit}, the run {within:,}", "a copy within the run")
    steps = {"steps": number, "updates": number * config.update_every}.get(unit)
    if steps is not None and steps <= config.update_every:
        yield Finding(
            ALWAYS_COPIED, f"every {number:,} {unit}, an update every {config.update_every:,} steps", "less often"
        )


def on_policy(recipe: Recipe, config: a2c.Config) -> Iterator[Finding]:
    games = config.games_at_once(recipe.num_envs)
    epochs, minibatches = config.passes()
    rollouts = recipe.steps // (config.rollout_steps * games)
    if recipe.episodes is None:
        told = f"about {rollouts:,} rollouts of {config.rollout_steps * games:,} steps"
        yield Finding(UPDATES, f"{told}, and {rollouts * epochs * minibatches:,} updates", "")
    if not config.value_weight:
        yield Finding(NO_VALUE, "value_weight is 0", "above 0, as advantages are taken from the value")
    steps = (config.rollout_steps - config.burn_in) * recipe.num_envs / minibatches
    if config.normalise_advantages and steps <= 1:
        yield Finding(
            ONE_ADVANTAGE, f"{steps:g} steps in a minibatch", "more than one, or --algorithm.no-normalise-advantages"
        )
    if not (config.entropy_weight or config.entropy_end):
        yield Finding(ENTROPY, "entropy_weight is 0: nothing keeps the policy from being sure too soon", "")


def schedules(recipe: Recipe) -> Iterator[Finding]:
    """What begins or ends only behind the run's last step."""
    config, steps = cast(Any, recipe.algorithm), recipe.steps
    ends: list[tuple[str, int | None]] = [("teacher_until", recipe.teacher_until)]
    if config.family == "off-policy" and config.prioritised:
        ends.append(("algorithm.beta_steps", config.beta_steps))
    for name, setting in (("thaw_after", recipe.thaw_after), ("evaluate_every", recipe.evaluate_every)):
        number, unit = as_period(setting) or (0, "")
        ends.append((name, number if unit == "steps" else None))
    for name, end in ends:
        if end is not None and end > steps and recipe.episodes is None:
            yield Finding(LATE, f"{name} is {end:,} steps, and the run ends after {steps:,}", "")
    if config.gamma == 0:
        yield Finding(MYOPIC, "gamma is 0: only the reward of the very next step is learned", "")
