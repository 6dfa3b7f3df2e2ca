"""The proof: three frameworks, a process each, the same seed, float64; their logs compared afterwards.

The worker's part (`run`) plays and writes two CSVs; the judge's part (`judge`) reads them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from triptych import envs, frameworks
from triptych.frameworks import Learner, xla
from triptych.recipes import Recipe
from triptych.training.base import Training
from triptych.training.build import make_training
from triptych.training.callbacks.progress import ProgressLine
from triptych.training.loop import Tick
from triptych.utils import machine
from triptych.utils.checks import Period, passed
from triptych.utils.files import line
from triptych.utils.seeds import generator

COLUMNS = ("step", "game", "action", "loss", "epsilon")
TENSOR_COLUMNS = ("step", "updates", "tensor", "norm", "product", "scale")
TENSORS_EVERY: Period = (100, "updates")  # between two looks at the weights
FLOOR = {"updates": 300, "greedy_actions": 500, "target_copies": 2, "rewards": 1}  # fewer prove nothing


def provable(recipe: Recipe, steps: int) -> tuple[Recipe, dict[str, Any]]:
    """The recipe with the numbers replaced that would make the proof empty, and what was replaced.

    Network, loss and optimiser stay. `steps` are counted after the warm-up.
    """
    config = recipe.algorithm
    algorithm = config.provable()
    names = [field.name for field in dataclasses.fields(config)]
    changed = {
        f"algorithm.{name}": getattr(algorithm, name)
        for name in names
        if getattr(algorithm, name) != getattr(config, name)
    }
    steps += algorithm.steps_before_learning
    return in_float64(dataclasses.replace(recipe, algorithm=algorithm), steps, changed)


def in_float64(recipe: Recipe, steps: int, changed: dict[str, Any]) -> tuple[Recipe, dict[str, Any]]:
    """The recipe in float64 with no limit but its steps, and what that changes."""
    proof = dataclasses.replace(recipe, precision="float64", steps=steps, episodes=None, solved_at=None, video_fps=None)
    for name in ("precision", "episodes", "solved_at"):
        if getattr(recipe, name) != getattr(proof, name):
            changed[name] = getattr(proof, name)
    return proof, changed


def run(recipe: Recipe, framework: str, folder: Path, quiet: bool, control: bool = False) -> dict[str, int]:
    """The worker: trains with games of its own and writes `<framework>.csv` and `<framework>-tensors.csv`.

    Args:
        control: it rounds otherwise than the framework does, and writes `control.csv` and `control-tensors.csv`.
    """
    frameworks.use_cpu()
    threads = machine.threads_for(recipe.threads)
    frameworks.set_threads(threads)
    xla.set_convolutions(xla.usual())
    games = envs.make(recipe.env, recipe.num_envs, threads)
    training = make_training(recipe, games, frameworks.load(framework).Learner)
    name = "control" if control else framework
    if control:
        round_otherwise(training.learner)
    with (
        open(folder / f"{name}.csv", "w", encoding="utf-8", newline="") as actions,
        open(folder / f"{name}-tensors.csv", "w", encoding="utf-8", newline="") as tensors,
        ProgressLine(f"lockstep {name:7}", recipe.steps, quiet) as progress,
    ):
        actions.write(line(COLUMNS))
        tensors.write(line(TENSOR_COLUMNS))
        looks, seen = 0, dict.fromkeys(("rewards", "ends", "truncations"), 0)
        losses: list[Any] = []  # of updates that no row has shown yet
        for tick in training.ticks():
            losses += [update["loss"] for update in tick.updates]
            if tick.mask.any():
                write_actions(actions, training, tick, losses)
                losses = []
            if passed(TENSORS_EVERY, training.counters) > looks:
                looks = passed(TENSORS_EVERY, training.counters)
                write_tensors(tensors, training)
            for what, found in zip(
                seen, (tick.step.reward != 0, tick.step.terminated, tick.step.truncated), strict=True
            ):
                seen[what] += int((found & tick.mask).sum())
            progress.show(training.counters, training.scores, bool(tick.updates))
            if training.counters.steps >= recipe.steps:
                break
        write_tensors(tensors, training)
    training.close()
    counters = training.counters
    steps = counters.steps - recipe.algorithm.steps_before_learning
    return {"steps": steps} | {name: getattr(counters, name) for name in FLOOR if name not in seen} | seen


def round_otherwise(learner: Learner) -> None:
    """After each update every trained weight moves by its last bit, up or down: what another framework's rounding may do.

    How far that alone carries a run tells how much it multiplies. It stands for no framework's rounding: sums of
    thousands of products round more, an update that rounds seldom rounds less.
    """
    bits = generator(0, "control")

    def moved(step: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*given: Any) -> Any:
            aux = step(*given)
            state = learner.get_state()
            for name in sorted(state):
                if name.startswith("online/"):
                    up = bits.random(state[name].shape) < 0.5
                    state[name] = np.nextafter(state[name], np.where(up, np.inf, -np.inf))
            learner.set_state(state)
            return aux

        return stepped

    learner.update, learner.apply = moved(learner.update), moved(learner.apply)  # type: ignore[method-assign]


def floors(recipe: Recipe) -> dict[str, int]:
    """How much of what a proof must hold; an actor-critic has no target to copy."""
    return FLOOR if recipe.algorithm.has_target else {**FLOOR, "target_copies": 0}


def write_actions(file: Any, training: Training, tick: Tick, losses: list[Any]) -> None:
    """A row per agent step and game; the first one shows the mean of the losses since the row before."""
    games = np.flatnonzero(tick.mask)
    first = training.counters.steps - len(games) + 1
    loss: Any = np.mean([float(value) for value in losses]) if losses else ""
    for step, game in enumerate(games, start=first):
        file.write(line([step, game, int(tick.actions[game]), loss, tick.epsilon]))
        loss = ""


def write_tensors(file: Any, training: Training) -> None:
    """Each tensor's norm, its product with a fixed seeded vector, and the scale on which both are told apart.

    That is the norm itself; Adam's mean gradient may cancel to nearly 0, so it is told on the scale of the gradients' size.
    """
    state = training.learner.get_state()
    for name, array in sorted(state.items()):
        if name.startswith("target/") or array.ndim == 0:
            continue
        flat = array.ravel().astype(np.float64)
        product = float(flat @ generator(0, name).standard_normal(flat.size))
        norm = float(np.linalg.norm(flat))
        squares = state.get(name.replace("adam/m/", "adam/v/"), array) if name.startswith("adam/m/") else None
        scale = norm if squares is None else float(np.sqrt(np.sum(squares)))
        file.write(line([training.counters.steps, training.counters.updates, name, norm, product, scale]))
