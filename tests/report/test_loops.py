"""The files of `show --loop`: each trains as Triptych does, is lint-clean and short, and what it cannot do is refused."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from triptych import envs, frameworks
from triptych.recipes import Recipe, load_recipe
from triptych.recipes.override import override
from triptych.report.show.build import loops, network_of, write
from triptych.training.build import make_training

STEPS = 1_000
SMALL = {"precision": "float64", "steps": STEPS, "evaluate_every": 0}
OFF_POLICY = {"algorithm.warm_up": 100, "algorithm.epsilon_steps": 500, "algorithm.replay_size": 600, "batch_size": 8}
RECIPES: dict[str, Recipe] = {
    "dqn": override(
        load_recipe("cartpole"),
        {
            **SMALL,
            **OFF_POLICY,
            "network.0.units": 24,
            "network.1.units": 16,
            "num_envs": 2,
            "algorithm.update_every": 4,
        },
    ),
    "drqn": override(
        load_recipe("drqn-cartpole"),
        {
            **SMALL,
            **OFF_POLICY,
            "algorithm.sequence_length": 6,
            "algorithm.burn_in": 2,
            "algorithm.n_step": 2,
            "network.1.units": 8,
        },
    ),
    "a2c": override(
        load_recipe("cartpole-a2c"),
        {**SMALL, "algorithm.rollout_steps": 4, "algorithm.entropy_weight": 0.01, "algorithm.entropy_end": 0.0},
    ),
    "ppo": override(
        load_recipe("cartpole-ppo"), {**SMALL, "algorithm.epochs": 3, "algorithm.normalise_advantages": True}
    ),
}


class Trained(NamedTuple):
    """What a run did."""

    actions: np.ndarray  # [steps, N]
    losses: np.ndarray  # [updates]


def by_triptych(recipe: Recipe, framework: str) -> Trained:
    training = make_training(recipe, envs.make(recipe.env, recipe.num_envs), frameworks.load(framework).Learner)
    actions, losses = [], []
    for tick in training.ticks():
        actions.append(tick.actions)
        losses += [float(update["loss"]) for update in tick.updates]
        if training.counters.steps >= recipe.steps:
            training.close()
            return Trained(np.array(actions), np.array(losses))
    raise AssertionError


def by_itself(file: Path, monkeypatch: pytest.MonkeyPatch, *flags: str) -> Trained:
    """Runs a file as Python does, and writes down what its games and its agent are told."""
    monkeypatch.setattr(sys, "argv", [str(file), "--runs-dir", str(file.parent / "runs"), *flags])
    defined, main = file.read_text().split('if __name__ == "__main__":\n')
    monkeypatch.setitem(sys.modules, "loop", type(sys)("loop"))  # where Flax looks its modules up
    module: dict[str, Any] = sys.modules["loop"].__dict__
    module["__file__"] = str(file)
    exec(compile(defined, file.name, "exec"), module)
    actions: list[np.ndarray] = []
    losses: list[float] = []
    make_games, update = module["make_games"], module["Agent"].update

    def watched_games(count: int) -> Any:
        games = make_games(count)
        step = games.step
        if not actions:  # those that are learned from come first
            games.step = lambda chosen: (actions.append(np.array(chosen)), step(chosen))[1]
        return games

    def watched_update(self: Any, *given: Any) -> Any:
        logged = update(self, *given)
        losses.append(float(logged["loss"]))
        return logged

    module["make_games"], module["Agent"].update = watched_games, watched_update
    exec(compile(textwrap.dedent(main), file.name, "exec"), module)
    return Trained(np.array(actions), np.array(losses))


@pytest.mark.parametrize("framework", list(frameworks.FRAMEWORKS))
@pytest.mark.parametrize("algorithm", RECIPES)
def test_a_file_trains_as_triptych_does(
    algorithm: str, framework: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = RECIPES[algorithm]
    paths = {path.stem: path for path in write(loops(recipe, network_of(recipe), algorithm), tmp_path)}
    if framework == "jax":
        import jax

        with jax.numpy_rank_promotion("allow"):  # what the tests of our own code forbid
            found = by_itself(paths[f"{algorithm}_{framework}"], monkeypatch)
    else:
        found = by_itself(paths[f"{algorithm}_{framework}"], monkeypatch)
    wanted = by_triptych(recipe, framework)
    np.testing.assert_array_equal(found.actions, wanted.actions)
    np.testing.assert_allclose(found.losses, wanted.losses, rtol=1e-7)
    assert len(wanted.losses) > 20
