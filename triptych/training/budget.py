"""What a run will need, told before it begins: memory, disk, and how far apart its checkpoints lie."""

from __future__ import annotations

from collections.abc import Iterator

from triptych.envs import Games
from triptych.recipes import Recipe
from triptych.training.base import Training
from triptych.utils import machine
from triptych.utils.console import counted

TYPICAL_EPISODES = 20  # of each game between two checkpoints that cut games, so that about one episode in 20 is cut
OVERDUE = 600.0  # seconds without a checkpoint after which one is written wherever the run is
SHARE = 20  # checkpoints of a run, where games need not be cut
KEPT_FILES = (
    2 + 2 * 5
)  # best and latest weights; two checkpoints with weights, target, two moments and the best weights


def interval(recipe: Recipe, games: Games) -> int:
    """Steps between checkpoints: 5 % of the run; where games are cut, at least 20 typical episodes a game."""
    if recipe.checkpoint_every:
        return recipe.checkpoint_every
    cut = (
        0 if games.saves else TYPICAL_EPISODES * games.typical_episode * recipe.algorithm.games_at_once(recipe.num_envs)
    )
    return max(1, recipe.steps // SHARE, cut)


def kept_weights(recipe: Recipe) -> int:
    """How many files `weights_every` asks for; updates and unlimited episodes are guessed at none."""
    number, unit = recipe.weights_every or (1, "updates")
    total = {"steps": recipe.steps, "episodes": recipe.episodes}.get(unit)
    return (total or 0) // number


def needs(training: Training) -> tuple[float, float]:
    """Bytes of memory and of disk that the run will take at its end, about."""
    recipe, store = training.recipe, training.store
    rows = min(store.rows, recipe.steps // recipe.num_envs + 1) if store else 0
    weights = sum(array.nbytes for array in training.learner.get_weights().values())
    checkpoints = max(1, recipe.steps // interval(recipe, training.games))
    disk = rows * training.row_bytes() + weights * (checkpoints + kept_weights(recipe) + KEPT_FILES)
    return machine.memory_now() + rows * training.row_memory(), disk


def introduction(training: Training, framework: str, threads: int) -> Iterator[str]:
    """What runs where, and what it will need, a line each."""
    recipe, games = training.recipe, training.games
    memory, disk = needs(training)
    every = interval(recipe, games)
    checkpoints = "a checkpoint at the end" if every >= recipe.steps else f"a checkpoint every {every:,} steps"
    checkpoints += f" and after {OVERDUE / 60:.0f} minutes without one"
    count = sum(array.size for array in training.learner.get_weights().values())
    device, seen = training.learner.device, games.observation
    at_once = recipe.algorithm.games_at_once(recipe.num_envs)
    yield f"game      {recipe.env.id}: {at_once} at once, {games.num_actions} actions, observation {seen}"
    yield f"network   {count:,} weights, {recipe.precision}"
    yield f"device    {device}: {framework}, {counted(threads, 'thread')}, {machine.processor()}"
    note = machine.gpu_note(framework)
    if note:
        yield note
    yield f"needs     about {memory / 1e6:,.0f} MB of memory and {disk / 1e6:,.0f} MB of disk; {checkpoints}"
