"""Short runs in which faults show: recipes of the catalogue, cut to seconds, each with what some faults need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from triptych.recipes import Recipe, load_recipe
from triptych.recipes.override import override


def short(name: str, **changes: Any) -> Callable[[], Recipe]:
    """A recipe with other settings; dots as double underscores."""
    given = {key.replace("__", "."): value for key, value in changes.items()}
    return lambda: override(load_recipe(name), given)


DQN = {
    "steps": 4_000,
    "num_envs": 4,
    "warm_up": 500,
    "algorithm__epsilon_steps": 2_000,
    "algorithm__update_every": 3,
    "evaluate_every": 2_000,
    "evaluate_games": 4,
    "best_window": 5,
    "log_every": 250,
}
GAMES_8 = {"evaluate_every": 4_000, "evaluate_games": 4, "log_every": 250}

SHORT: dict[str, Callable[[], Recipe]] = {
    "cartpole": short("cartpole", **DQN),
    # So many steps of one game that some episode should have ended.
    "cartpole-alone": short(
        "cartpole", steps=12_000, warm_up=500, algorithm__update_every=20, evaluate_every=0, log_every=500
    ),
    # Most episodes are cut, the ring of observations goes round often, and returns are of three steps.
    "cartpole-cut": short(
        "cartpole", **DQN, env__time_limit=20, algorithm__replay_size=1_000, algorithm__n_step=3, seed=1
    ),
    "cartpole-switches": short(
        "cartpole",
        **DQN,
        algorithm__prioritised=True,
        algorithm__dueling=True,
        algorithm__n_step=3,
        algorithm__beta_steps=5_000,
    ),
    "cartpole-resumed": short("cartpole", **DQN, checkpoint_every=2_000),
    "cartpole-ppo": short("cartpole-ppo", steps=8_000, env__time_limit=60, algorithm__entropy_weight=0.01, **GAMES_8),
    # So many games that chance plays some whole episodes before the first update, and steps in which it is learned.
    "cartpole-ppo-16": short("cartpole-ppo", steps=30_000, num_envs=16, env__time_limit=60, **GAMES_8),
    "cartpole-a2c": short("cartpole-a2c", steps=8_000, env__time_limit=60, algorithm__entropy_weight=0.01, **GAMES_8),
    "cartpole-a3c": short("cartpole-a3c", steps=8_000, env__time_limit=60, **GAMES_8),
    "repeat-previous": short(
        "repeat-previous",
        steps=8_000,
        num_envs=4,
        warm_up=1_000,
        algorithm__stored_state=True,
        algorithm__epsilon_steps=3_000,
        evaluate_every=4_000,
        evaluate_games=4,
        log_every=250,
    ),
    "memory-chain-ppo": short("memory-chain-ppo", steps=6_600, env__length=10, algorithm__rollout_steps=33, **GAMES_8),
    # Lives are lost within seconds, and that is a loss.
    "breakout-short": short(
        "breakout-tuned",
        steps=1_000,
        num_envs=4,
        warm_up=200,
        batch_size=16,
        algorithm__update_every=8,
        algorithm__replay_size=1_200,
        algorithm__epsilon_from=200,
        algorithm__epsilon_steps=600,
        algorithm__target_every=(200, "steps"),
        evaluate_every=0,
        log_every=100,
    ),
    "space-invaders": short(
        "space-invaders-tuned",
        steps=1_000,
        num_envs=4,
        env__time_limit=80,
        warm_up=200,
        batch_size=16,
        algorithm__update_every=4,
        algorithm__replay_size=1_200,
        algorithm__life_loss_reward=-1.0,
        algorithm__epsilon_steps=600,
        algorithm__target_every=(200, "steps"),
        evaluate_every=0,
        log_every=100,
    ),
}
RESUMED = {"cartpole-resumed": 3_100}  # steps after which the session pauses and another one goes on
