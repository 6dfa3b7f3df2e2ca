"""Whether a recipe can be run here: its framework, its games, its network, its memory, its videos. Asked once, by `prepare`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from triptych import envs
from triptych.algorithms import a2c, dqn
from triptych.buffers.rollout import RolloutBuffer
from triptych.buffers.store import States, Store
from triptych.envs.videos import check_video
from triptych.frameworks import check_framework
from triptych.recipes.recipe import Recipe
from triptych.recipes.teacher import TeacherWeights, read_teacher
from triptych.spec import Network, Observation, dtypes
from triptych.spec.registry import check_built
from triptych.utils import machine
from triptych.utils.checks import InputError, check

BROUGHT = {"length", "blind"}  # one toy takes them over from another's recipe, and some reads each


@dataclass(frozen=True)
class Prepared:
    """A recipe that can be run, and what it is run with."""

    recipe: Recipe
    games: envs.Games  # made, not reset; whoever has asked for them closes them
    network: Network
    threads: int
    notes: tuple[str, ...]  # what should be known before a run, a line each
    teacher: TeacherWeights | None = None  # of a recipe that is to be trained and has one


def prepare(
    recipe: Recipe,
    *frameworks: str,
    num_envs: int | None = None,
    threads: int | None = None,
    is_new: bool = True,
    trains: bool = True,
    teacher: Path | None = None,
) -> Prepared:
    """Makes the games of a recipe and asks all that could refuse it, before anything is loaded or written.

    Args:
        frameworks: that it is to run in.
        num_envs: games to make; None: as many as the recipe has.
        threads: of the learner and the games; None: what the recipe or the fixed rule says.
        is_new: False: of a run that is there already, whose settings are what they are.
        trains: False: it is only played.
        teacher: where the recipe's teacher lies; None: where it says.

    Raises:
        InputError: what does not fit, and what is allowed; the games are closed then.
    """
    for framework in frameworks:
        check_framework(framework)
    threads = threads or machine.threads_for(recipe.threads)
    games = envs.make(recipe.env, num_envs or recipe.num_envs, threads)
    try:
        network = recipe.make_network(games.observation, games.num_actions)
        for layer in network.layers:
            for framework in frameworks:
                check_built(framework, type(layer))
        if is_new:
            check_read(recipe.env, games)
        teaching = None
        if trains:
            check_memory(recipe, games)
            check_films(recipe)
            teaching = read_teacher(recipe, games, teacher or "") if recipe.teacher else None
        seen = envs.first_looks(recipe.env) if is_new else []
    except BaseException:
        games.close()
        raise
    notes = (*seen, *recipe.warnings(), *machine.precision_notes(recipe.precision))
    return Prepared(recipe, games, network, threads, notes, teaching)


def check_read(config: envs.GameConfig, games: envs.Games) -> None:
    """Refuses settings that were changed though this game never reads them, such as those of pictures where it shows none."""
    unread = envs.unread(config, games.observation) - BROUGHT
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        kept = field.name not in unread or value == field.default
        check(kept, field.name, value, f"nothing but {field.default}, as these games do not read it")


def check_memory(recipe: Recipe, games: envs.Games) -> None:
    """Refuses a replay or rollout that this machine can hardly hold, by an estimate, before anything is written."""
    if recipe.algorithm.samples_on_device:  # whose memory only its framework knows
        observation = games.observation
        pictures = observation.is_picture and observation.main.dtype == "uint8"
        check(pictures, "replay_on_device", True, "False, as this game shows no pictures of bytes")
        check(not observation.is_several, "replay_on_device", True, "False, as this game shows more than pictures")
        return
    name, need = memory_needed(recipe, games.observation, games.num_actions)
    check_fits(name, getattr(recipe.algorithm, name), need)


def memory_needed(recipe: Recipe, observation: Observation, num_actions: int) -> tuple[str, float]:
    """The setting that decides most of a run's memory, and the bytes that it asks for, about, at the run's end."""
    network, precision = recipe.make_network(observation, num_actions), dtypes(recipe.precision)[0]
    state_size = sum(network.state_sizes)
    taught = (
        num_actions * np.dtype(precision).itemsize if recipe.teacher else 0
    )  # of a step, where the teacher has a memory
    if recipe.algorithm.family == "off-policy":
        replay = cast(dqn.Config, recipe.algorithm)
        states = States(state_size, precision, *replay.states_kept) if replay.stores_state else None
        need = Store.bytes_for(replay.replay_size, recipe.steps, observation, replay.compress, states)
        return "replay_size", need + min(replay.replay_size, recipe.steps) * taught
    config = cast(a2c.Config, recipe.algorithm)
    shape = (config.rollout_steps, config.games_at_once(recipe.num_envs), observation)
    need = RolloutBuffer.bytes_for(*shape, state_size, precision) + shape[0] * shape[1] * taught
    return "rollout_steps", 2 * need  # minibatches are a second copy


def check_fits(name: str, value: int, need: float) -> None:
    """Refuses a setting that needs more bytes than there are."""
    there = machine.memory_total()
    if need > there:
        allowed = f"what fits into this machine's {there / 1e9:.0f} GB"
        raise InputError(f"{name} is {value}: about {need / 1e9:.0f} GB; allowed: {allowed}")


def check_films(recipe: Recipe) -> None:
    """Refuses, before anything is trained, videos that a recipe asks for and that could not be made."""
    if recipe.video_fps and recipe.evaluation_period:
        check_video(recipe.env)
