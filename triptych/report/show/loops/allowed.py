"""What the files that train can do; everything else is refused, and nothing is silently left out."""

from __future__ import annotations

from typing import Any

import gymnasium
from gymnasium import spaces

from triptych import envs
from triptych.algorithms import definition
from triptych.envs.atari import Atari
from triptych.envs.cartpole import CartPole
from triptych.envs.gym import Gym
from triptych.envs.registry import find
from triptych.recipes import Recipe
from triptych.report.show.loops.choose import settings_of
from triptych.spec import GRU, LSTM, RNN, Memory, Network
from triptych.utils.checks import check

ALGORITHMS = ("dqn", "drqn", "a2c", "ppo")
MEMORIES = (RNN, GRU, LSTM)
WHOLE = (0.0, 1.0, 0.0, 1.0)
KNOWN = ("gymnasium", "ale_py")  # packages whose ids are there once `import gymnasium` is done


def check_allowed(recipe: Recipe, network: Network) -> None:
    """Refuses recipes that no file can train by itself.

    Raises:
        InputError: names the setting, and what is allowed with --loop.
    """
    check_algorithm(recipe)
    check_network(network)
    check_games(recipe.env)


def check_algorithm(recipe: Recipe) -> None:
    config: Any = recipe.algorithm
    own = not definition(config).make_loss.__module__.startswith("triptych.")
    check(config.kind in ALGORITHMS and not own, "algorithm", config.kind, f"{', '.join(ALGORITHMS)} with --loop")
    for name in ("prioritised", "replay_on_device", "dueling"):
        check(not settings_of(config).get(name), f"algorithm.{name}", True, "False with --loop")
    for name in ("policy_units", "value_units"):
        found = settings_of(config).get(name, ())
        check(not found, f"algorithm.{name}", found, "none with --loop")
    allowed = "float32, float64 with --loop"
    check(recipe.precision in ("float32", "float64"), "precision", recipe.precision, allowed)


def check_network(network: Network) -> None:
    layers = [placed.layer for placed in network.placed()]
    for layer in layers:
        check(type(layer).__module__.startswith("triptych."), "layer", layer.kind, "Triptych's own with --loop")
        memory = isinstance(layer, Memory)
        check(not memory or isinstance(layer, MEMORIES), "memory", layer.kind, "none, rnn, gru, lstm with --loop")
    memories = sum(isinstance(layer, Memory) for layer in layers)
    check(memories < 2, "layers with memory", memories, "one at most with --loop")


def check_games(config: Any) -> None:
    """Refuses games that take more than Gymnasium, or ale-py, to be seen as the recipe wants them."""
    kind, game = config.kind, f"a game of {config.id}"
    check(type(config) in (Atari, CartPole, Gym), "env", config.id, "games of Gymnasium and ale-py with --loop")
    check(not config.flicker, "env.flicker", config.flicker, "0 with --loop")
    if isinstance(config, Atari):
        check(tuple(config.crop) == WHOLE, "env.crop", config.crop, f"{WHOLE} with --loop")
        check(not config.colour, "env.colour", True, "False with --loop")
        return
    check(not config.render, "env.render", True, "False with --loop")
    check(config.frame_skip == 1, "env.frame_skip", config.frame_skip, "1 with --loop, but for Atari")
    maker = find(config.id).entry_point
    home = (maker if isinstance(maker, str) else maker.__module__).partition(".")[0]
    known = ":" in config.id or home.partition(":")[0] in KNOWN
    check(known, "env", config.id, "an id of Gymnasium or ale-py, or MODULE:ID, with --loop")
    games = envs.make(config, 1)
    games.close()
    space: Any = games.envs[0].observation_space  # type: ignore[attr-defined]  # as these kinds have
    vector = isinstance(space, spaces.Box) and len(space.shape) == 1
    check(vector, f"the observation of {game}", space, "a vector of numbers, or Atari's pictures, with --loop")
    check(games.first_action == 0, f"the first action of {game}", games.first_action, "0 with --loop")
    assert isinstance(space, gymnasium.Space), kind
