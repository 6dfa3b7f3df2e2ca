"""Whether a game reads a setting, and whether this machine can hold what another one asks for."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from triptych import envs
from triptych.algorithms import dqn, drqn
from triptych.buffers.store import FrameStore
from triptych.envs.videos import check_video
from triptych.recipes.recipe import Recipe
from triptych.spec import dtypes
from triptych.utils import machine
from triptych.utils.checks import InputError, check

BROUGHT = {"length", "blind"}  # one toy takes them over from another's recipe, and some reads each


def check_read(config: envs.GameConfig, games: envs.Games) -> None:
    """Refuses settings that were changed though this game never reads them, such as those of pictures where it shows none."""
    unread = envs.unread(config, games.observation) - BROUGHT
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        kept = field.name not in unread or value == field.default
        check(kept, field.name, value, f"nothing but {field.default}, as these games do not read it")


def check_replay(recipe: Recipe, games: envs.Games) -> None:
    """Refuses a replay or rollout that this machine can hardly hold, by an estimate, before anything is written."""
    config, observation = recipe.algorithm, games.observation
    if not isinstance(config, dqn.Config):
        steps, float_ = config.rollout_steps, np.dtype(dtypes(recipe.precision)[0]).itemsize
        size = math.prod(observation.shape) * (1 if observation.dtype == "uint8" else float_)
        # Five floats, an action and four marks beside each observation; the minibatches are a second copy of nearly all.
        check_fits("rollout_steps", steps, 2 * steps * recipe.num_envs * (size + 5 * float_ + 8))
        return
    if config.replay_on_device:  # whose memory only its framework knows
        pictures = observation.is_picture and observation.dtype == "uint8"
        check(pictures, "replay_on_device", True, "False, as this game shows no pictures of bytes")
        return
    network = recipe.make_network(observation, games.num_actions)
    stored = isinstance(config, drqn.Config) and config.stored_state
    state = np.dtype(dtypes(recipe.precision)[0]).itemsize * sum(network.state_sizes) if stored else 0
    need = FrameStore.bytes_for(config.replay_size, recipe.steps, observation, config.compress, state)
    check_fits("replay_size", config.replay_size, need)


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
