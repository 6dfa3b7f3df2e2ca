"""`import`: weights that another library trained, as a file that `evaluate` plays."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from triptych import envs
from triptych.algorithms import a2c, dqn, ppo
from triptych.experiments.mapping import mapped, read_mapping, read_weights
from triptych.experiments.stable_baselines import Found, read_zip
from triptych.experiments.stable_baselines_file import ALLOWED
from triptych.recipes import Recipe, resolve
from triptych.recipes.serialise import to_dict
from triptych.spec import ActorCritic, Adam, Network, Placed
from triptych.spec.weights import Weights, check_numbers, check_weights, save_weights
from triptych.utils.checks import InputError, check
from triptych.utils.failures import machine_failures
from triptych.utils.files import check_new_file, sha256

CONFIGS: dict[str, Any] = {"dqn": dqn.Config, "a2c": a2c.Config, "ppo": ppo.Config}


@dataclass(frozen=True)
class Imported:
    """What `import_agent` wrote."""

    path: Path
    source: Path
    algorithm: str
    env: str
    network: Network
    weights: int  # numbers in it


@machine_failures()
def import_agent(
    file: str | Path,
    *,
    recipe: str | Recipe | None = None,
    env: str | None = None,
    mapping: str | Path | None = None,
    out: str | Path | None = None,
) -> Imported:
    """Writes the weights of an agent that Stable-Baselines3, or any other program, saved as a weights file of Triptych's.

    Nothing in the file is unpickled. Of Stable-Baselines3's: DQN, A2C and PPO with MlpPolicy or CnnPolicy, and sb3-contrib's RecurrentPPO.

    Args:
        file: the zip; with `mapping` a .safetensors or .npz file, a state dict of PyTorch's, or Flax's bytes.
        recipe: that it becomes an agent of, by name or file: its game, its algorithm, its network, which must be the
            zip's; None: the network is read from the zip, and `env` says the game.
        env: a Gymnasium id; None: the recipe's.
        mapping: a file that says which of its tensors is which of the recipe's, see `triptych.experiments.mapping`.
        out: the weights file; None: beside `file`, under its name.

    Raises:
        InputError: it is no such zip, its network is not the recipe's, or not one for the game; nothing is written then.
    """
    source = Path(file)
    path = source.with_suffix(".safetensors") if out is None else Path(out)
    check(path.suffix == ".safetensors", "out", str(path), "a file that ends on .safetensors")
    check_new_file(path)
    check(path.absolute() != source.absolute(), "out", str(path), "another file than the one that is read")
    if mapping is not None:
        return import_mapped(source, Path(mapping), recipe, env, path)
    if source.is_dir() or source.suffix != ".zip":
        raise InputError(f"FILE is {str(source)!r}; allowed: {ALLOWED}, or another file of weights with --mapping FILE")
    found = read_zip(source)
    made = recipe_of(found, recipe, env)
    games, network = game_of(made)
    check_game(found, network, games, made.env.id, source)
    return write(path, source, made, network, for_bytes(found.weights, network), found.steps)


def import_mapped(source: Path, mapping: Path, recipe: str | Recipe | None, env: str | None, path: Path) -> Imported:
    """What `import_agent` does with a mapping file."""
    if recipe is None:
        raise InputError("as is missing; allowed with --mapping: --as RECIPE, whose layers are those of the file")
    made = resolve(recipe, {} if env is None else {"env": env})
    said = read_mapping(mapping)
    weights = mapped(said, read_weights(source, said.layout), source)
    network = game_of(made)[1]
    missing = [name for name in network.tensors() if name not in weights]
    if missing:
        raise InputError(f"{mapping} has no line for {', '.join(missing)}; allowed: one for each tensor of the network")
    return write(path, source, made, network, weights, None)


def game_of(recipe: Recipe) -> tuple[envs.Games, Network]:
    """The recipe's games, closed again, and the network for them."""
    games = envs.make(recipe.env, 1)
    games.close()
    return games, recipe.make_network(games.observation, games.num_actions)


def write(path: Path, source: Path, recipe: Recipe, network: Network, weights: Weights, steps: int | None) -> Imported:
    """The weights file, once its tensors are those of the network."""
    check_weights(weights, network, str(source))
    check_numbers(weights, str(source))
    told = {"steps": steps, "updates": None, "imported": {"file": source.name, "sha256": sha256(source)}}
    save_weights(path, weights, {"recipe": to_dict(recipe), **told})
    count = sum(array.size for array in weights.values())
    return Imported(path, source, recipe.algorithm.kind, recipe.env.id, network, count)


def recipe_of(found: Found, recipe: str | Recipe | None, env: str | None) -> Recipe:
    """The recipe that the weights are of.

    Raises:
        InputError: it learns with another algorithm or has another body than the zip, or no game is named.
    """
    if recipe is None:
        if env is None:
            raise InputError(
                "env is missing, as a zip does not say which game it plays; allowed: --env ID, or --as RECIPE"
            )
        config = CONFIGS[found.algorithm](**found.settings)
        games = ppo.Config.minibatches if found.algorithm == "ppo" else 1  # with memory each minibatch has whole games
        return Recipe(envs.EnvConfig(env), found.body, config, Adam(), steps=max(found.steps or 1, 1), num_envs=games)
    made = resolve(recipe, {} if env is None else {"env": env})
    kinds = {"a2c", "ppo", "a3c"} if found.algorithm != "dqn" else {"dqn"}
    known = made.algorithm.kind
    check(known in kinds, "as", str(recipe), f"a recipe of {found.algorithm}, as the file is; this one is of {known}")
    for name, value in found.settings.items():
        own = getattr(made.algorithm, name)
        check(own == value, f"{name} of {str(recipe)!r}", own, f"{value}, as the file has")
    ours, theirs = plain(made.network), plain(found.body)
    if ours != theirs:
        raise InputError(
            f"as is {str(recipe)!r}, whose layers are {words(ours)}; allowed: those of the file, {words(theirs)}"
        )
    return made


def plain(body: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Layers without what only their first weights depend on."""
    return [
        {"kind": layer.kind, **{k: v for k, v in dataclasses.asdict(layer).items() if k != "initialiser"}}
        for layer in body
    ]


def words(layers: list[dict[str, Any]]) -> str:
    said = ("-".join(str(value) for value in layer.values()) for layer in layers)
    return ", ".join(said) or "none"


def check_game(found: Found, network: Network, games: envs.Games, env: str, source: Path) -> None:
    """Refuses a game whose observations or actions are others than the zip says."""
    observation = network.observation
    if observation.is_several:
        raise InputError(
            f"env is {env!r}, whose observations have several parts; allowed: a game of one array, as {source}"
        )
    part = observation.main
    height, width, channels = part.picture_shape if part.is_picture else (0, 0, 0)
    shape = (channels, height, width) if part.is_picture else part.shape
    check(shape == found.shape, f"observations of {env!r}", shape, f"{found.shape}, as {source.name} was trained on")
    actions = games.num_actions
    check(actions == found.actions, f"actions of {env!r}", actions, f"{found.actions}, as {source.name} has")


def for_bytes(weights: Weights, network: Network) -> Weights:
    """Weights for a network that divides its inputs by 255, of one that does not.

    Stable-Baselines3 divides pictures alone, networks here every observation of bytes. So what reads a vector of bytes has
    255 times the weights: all first layers, and those that see the observation beside a memory (`skip`).
    """
    observation = network.observation
    if observation.is_picture or observation.dtype != "uint8":
        return weights
    found = dict(weights)
    divided = np.ones(observation.shape, bool)  # which numbers a layer gets 255 times too small
    for placed in network.placed():
        for name in first_kernels(placed):
            if name in found:  # else the check of all tensors names it
                factor = np.where(divided, 255, 1).astype(found[name].dtype)
                found[name] = found[name] * factor[:, None]
        if not getattr(placed.layer, "skip", False):
            break
        divided = np.concatenate([np.zeros(placed.layer.units, bool), divided])
    return found


def first_kernels(placed: Placed) -> list[str]:
    """The tensors [inputs, ...] of a layer that its inputs are multiplied by."""
    if not isinstance(placed.layer, ActorCritic):
        return [f"{placed.name}/kernel"]
    streams = placed.layer.streams.items()
    return [f"{placed.name}/{name}_{'hidden_1_' if units else ''}kernel" for name, (units, _) in streams]
