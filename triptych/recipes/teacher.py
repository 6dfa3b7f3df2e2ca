"""A teacher's weights: read, and held against the recipe of the student."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from triptych import envs
from triptych.recipes.recipe import Recipe
from triptych.recipes.serialise import from_dict
from triptych.spec import Network
from triptych.spec.weights import Weights, check_numbers, check_weights
from triptych.utils.checks import InputError, check
from triptych.utils.files import read_tensors

ALLOWED = "a run folder, a run's name or its weights"


@dataclass(frozen=True)
class TeacherWeights:
    """What teaches."""

    file: Path
    tensors: Weights
    recipe: Recipe  # it was trained with
    network: Network

    @property
    def gives_values(self) -> bool:
        """Whether its outputs are Q values; else they are logits of a policy."""
        return gives_values(self.recipe)


def read_teacher(student: Recipe, games: envs.Games, file: str | Path = "") -> TeacherWeights:
    """The weights that a recipe names. It runs no code: a network of a user's own layers must be known already.

    Args:
        games: of the student.
        file: where they lie; "": where the recipe says.

    Raises:
        InputError: they cannot be read, or are of another game, of other actions or observations.
    """
    path = Path(file or student.teacher)
    if not path.is_file():
        raise InputError(f"teacher is {student.teacher!r}: no such weights; allowed: {ALLOWED}")
    tensors, metadata = read_tensors(path)
    if metadata is None or "recipe" not in metadata:
        raise InputError(f"teacher is {str(path)!r}, which names no recipe; allowed: weights that triptych wrote")
    recipe = from_dict(metadata["recipe"], path)
    same = recipe.env.id == student.env.id
    check(same, "the teacher's game", recipe.env.id, f"{student.env.id}, the student's")
    actions = actions_of(tensors)
    allowed = f"{games.num_actions}, as the student has"
    check(actions in (None, games.num_actions), "the number of the teacher's actions", actions, allowed)
    network = recipe.make_network(games.observation, games.num_actions)
    where = f"teacher {path}, on the student's observations"
    check_weights(tensors, network, where)
    check_numbers(tensors, str(path))
    check_scale(student, recipe)
    return TeacherWeights(path, tensors, recipe, network)


def actions_of(tensors: Weights) -> int | None:
    """How many actions a network's head is of, by its bias; None: a user's algorithm has a head of its own."""
    found = (tensors.get(f"head/{name}") for name in ("bias", "policy_bias", "advantage_bias"))
    return next((len(bias) for bias in found if bias is not None and bias.ndim == 1), None)


def gives_values(recipe: Recipe) -> bool:
    """Whether what a network of this recipe gives after its training are Q values. One that was distilled by `kl` or `nll` gives logits,
    whatever its algorithm: only differences within an observation were learned."""
    distilled = recipe.teacher_alone and recipe.teacher_loss != "mse"
    return recipe.algorithm.policy == "greedy" and not distilled


def check_scale(student: Recipe, teacher: Recipe) -> None:
    """Refuses to measure Q values against logits by their squared distance."""
    kinds = {True: "Q values", False: "logits"}
    theirs, own = gives_values(teacher), student.algorithm.policy == "greedy"
    allowed = f"kl or nll, as the teacher gives {kinds[theirs]} and the student {kinds[own]}"
    check(student.teacher_loss != "mse" or theirs == own, "teacher_loss", "mse", allowed)
