"""Whether a game reads a setting, and whether this machine can hold what another one asks for."""

from __future__ import annotations

from triptych import envs
from triptych.algorithms import dqn, drqn
from triptych.buffers.rollout import RolloutBuffer
from triptych.buffers.store import FrameStore
from triptych.envs.videos import check_video
from triptych.recipes.recipe import Recipe
from triptych.spec import dtypes
from triptych.utils import machine
from triptych.utils.checks import InputError, check


def check_read(config: envs.EnvConfig, games: envs.Games) -> None:
    """Refuses sticky actions where no game would repeat any."""
    unread = config.sticky is not None and "sticky" in envs.unread(config, games.observation)
    check(not unread, "sticky", config.sticky, "nothing, as these games do not read it")


def check_replay(recipe: Recipe, games: envs.Games) -> None:
    """Refuses a replay or rollout that this machine can hardly hold, by an estimate, before anything is written."""
    config, observation, precision = recipe.algorithm, games.observation, dtypes(recipe.precision)[0]
    if not isinstance(config, dqn.Config):
        shape = (config.rollout_steps, recipe.num_envs, observation)
        whole = RolloutBuffer.bytes_for(*shape, state_size(recipe, games), precision)
        check_fits("rollout_steps", config.rollout_steps, 2 * whole)  # the minibatches are a second copy
        return
    if config.replay_on_device:  # whose memory only its framework knows
        pictures = observation.is_picture and observation.main.dtype == "uint8"
        check(pictures, "replay_on_device", True, "False, as this game shows no pictures of bytes")
        check(not observation.is_several, "replay_on_device", True, "False, as this game shows more than pictures")
        return
    state = (state_size(recipe, games), precision)
    kept = state if isinstance(config, drqn.Config) and config.stored_state else None
    need = FrameStore.bytes_for(config.replay_size, recipe.steps, observation, config.compress, kept)
    check_fits("replay_size", config.replay_size, need)


def state_size(recipe: Recipe, games: envs.Games) -> int:
    """Numbers of a game's state that the recipe's network carries from step to step."""
    return sum(recipe.make_network(games.observation, games.num_actions).state_sizes)


def check_fits(name: str, value: int, need: float) -> None:
    """Refuses a setting that needs more bytes than there are."""
    there = machine.memory_total()
    if need > there:
        allowed = f"what fits into this machine's {there / 1e9:.0f} GB"
        raise InputError(f"{name} is {value}: about {need / 1e9:.0f} GB; allowed: {allowed}")


def check_films(recipe: Recipe) -> None:
    """Refuses, before anything is trained, films that a recipe asks for and that could not be made."""
    if recipe.video_fps and recipe.evaluation_period:
        check_video(recipe.env)
