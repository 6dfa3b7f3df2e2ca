"""Atari ids that draw their frame skip: the wrappers are those of the vector environment, and without them Gymnasium's game."""

from __future__ import annotations

import dataclasses
from typing import Any

import gymnasium
import numpy as np
import pytest

from triptych.envs import PLAIN, EnvConfig, changed, find, make, told
from triptych.envs.atari import Atari, AtariGames
from triptych.envs.emulator import Emulator
from triptych.envs.emulator import make as make_emulator

STEPS = 900  # of random play: four ends of Breakout, one of them at a step's last frame


def both(env_id: str, frame_skip: int = 4, **settings: Any) -> tuple[Any, Any]:
    """The same game by the vector environment and by ours, one frame skip for both, whole screens."""
    spec = find(env_id)
    shared = {"size": None, "stack": 2, "noop_max": 0, **settings}
    ours = Emulator(env_id, kwargs=f'{{"frameskip": {frame_skip}}}', **shared)
    return AtariGames(Atari(env_id, frame_skip=frame_skip, **shared), spec, 1, 1), make_emulator(ours, spec, 1, 1)


@pytest.mark.parametrize("env_id", ["BreakoutNoFrameskip-v4", "KungFuMasterNoFrameskip-v4", "PongNoFrameskip-v4"])
@pytest.mark.parametrize("settings", [{}, {"fire": False}, {"colour": True}, {"frame_skip": 3}])
def test_the_wrappers_are_the_vector_environments(env_id: str, settings: dict[str, Any]) -> None:
    """Every pixel, reward and end of random play, where the skip is fixed and no action is repeated by chance."""
    theirs, ours = both(env_id, **settings)
    rng = np.random.default_rng(1)
    assert np.array_equal(theirs.reset(np.array([3])), ours.reset(np.array([3])))
    for _ in range(STEPS if "Breakout" in env_id else 150):
        action = rng.integers(theirs.num_actions, size=1)
        theirs.send(action)
        ours.send(action)
        a, b = theirs.recv(), ours.recv()
        assert np.array_equal(a.obs, b.obs)
        assert np.array_equal(a.reward, b.reward)
        assert np.array_equal(a.terminated, b.terminated)
    theirs.close()
    ours.close()


def test_without_maximum_a_picture_is_the_last_frame() -> None:
    theirs, ours = both("BreakoutNoFrameskip-v4", maximum=False)
    rng = np.random.default_rng(1)
    assert np.array_equal(theirs.reset(np.array([3])), ours.reset(np.array([3])))
    for _ in range(100):
        action = rng.integers(theirs.num_actions, size=1)
        theirs.send(action)
        ours.send(action)
        assert np.array_equal(theirs.recv().obs, ours.recv().obs)


@pytest.mark.parametrize("env_id", ["KungFuMaster-v0", "Breakout-v4"])
def test_plain_is_gymnasiums_own_game(env_id: str) -> None:
    """Drawn skips and repeated actions too, bit by bit, over the ends of games."""
    games = make(changed(EnvConfig(env_id), {**PLAIN, "size": None, "stack": 1}), 1)
    env = gymnasium.make(find(env_id), obs_type="grayscale")
    rng = np.random.default_rng(0)
    assert np.array_equal(games.reset(np.array([5]))[0, 0], env.reset(seed=5)[0])
    ended, ends = False, 0
    for _ in range(1_200 if "Breakout" in env_id else 200):
        action = int(rng.integers(games.num_actions))
        games.send(np.array([action]))
        step = games.recv()
        if ended:
            obs, reward, terminated = env.reset()[0], 0.0, False
        else:
            obs, reward, terminated, _, _ = env.step(action)
        assert np.array_equal(step.obs[0, 0], obs)
        assert (step.reward[0], step.terminated[0]) == (reward, terminated)
        ended, ends = terminated, ends + terminated
    assert ends >= 2 or env_id != "Breakout-v4"
    games.close()


@pytest.mark.parametrize(("fire", "frames"), [(True, range(1, 30)), (False, range(30))])
def test_idle_frames_are_0_to_29_and_fire_is_one_of_them(fire: bool, frames: range) -> None:
    """By the emulator's own count, in games that begin one after the other."""
    seeds = [3, *[None] * 239]
    theirs, ours = both("BreakoutNoFrameskip-v4", fire=fire, noop_max=30)
    vector = [
        int(theirs.envs.reset(seed=None if seed is None else np.array([seed]))[1]["episode_frame_number"][0])
        for seed in seeds
    ]
    single = [ours.envs[0].reset(seed=seed)[1]["episode_frame_number"] for seed in seeds]
    assert set(vector) == set(single) == set(frames)
    assert told(EnvConfig("Breakout-v4", fire=fire))["start"].startswith("a seed a game, 0 to 29 idle frames")
    theirs.close()
    ours.close()


def test_what_is_told() -> None:
    config = EnvConfig("BreakoutNoFrameskip-v4")
    assert told(config) == {
        "start": "a seed a game, 0 to 29 idle frames, FIRE in place of the first where the game has it",
        "pictures": "the larger of a step's last two frames, pixel by pixel",
    }
    assert told(changed(config, {"id": "Breakout-v4", **PLAIN})) == {
        "start": "a seed a game",
        "pictures": "a step's last frame",
    }
    assert told(changed(config, {"noop_max": 1}))["start"] == "a seed a game, FIRE for one frame where the game has it"
    assert told(EnvConfig("CartPole-v1")) == {"start": "a seed a game", "pictures": "as the game gives them"}


def test_what_the_training_had_is_brought_along() -> None:
    trained = EnvConfig("KungFuMasterNoFrameskip-v4", noop_max=7, size=42, fire=False, frame_skip=3)
    assert changed(trained, {"id": "KungFuMaster-v0"}) == Emulator("KungFuMaster-v0", size=42, noop_max=7, fire=False)
    assert dataclasses.replace(trained, frame_skip=4) == changed(
        Emulator(trained.id, size=42, noop_max=7, fire=False), {}
    )


def test_a_time_limit_counts_steps_and_not_frames() -> None:
    games = make(EnvConfig("Breakout-v4", time_limit=6), 1)
    games.reset(np.array([1]))
    cut = []
    for _ in range(6):
        games.send(np.zeros(1, int))
        cut.append(bool(games.recv().truncated[0]))
    assert cut == [False] * 5 + [True]
    games.close()
