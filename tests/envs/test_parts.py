"""Observations of several parts at the games: their names, shapes and dtypes, flicker, and what is refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from tests.picture_and_numbers import ID, SIDE
from triptych import envs
from triptych.envs import EnvConfig
from triptych.envs.determinism import forgets, trace
from triptych.envs.parts import Still, grey
from triptych.envs.single import AsSeen
from triptych.spec import Observation, Part
from triptych.utils.checks import InputError

CONFIG = EnvConfig(ID, size=None, stack=2)


def test_a_dict_is_a_picture_and_numbers() -> None:
    games = envs.make(CONFIG, 3)
    expected = {"picture": Part((2, SIDE, SIDE), "uint8"), "numbers": Part((3,), "float32")}
    assert games.observation == Observation.of(expected)
    assert games.observation.main_name == "picture"
    first = games.reset(np.arange(3))
    assert list(first) == ["numbers", "picture"], "in the order of the names"
    assert {name: (part.shape, part.dtype.name) for name, part in first.items()} == {
        "numbers": ((3, 3), "float32"), "picture": ((3, 2, SIDE, SIDE), "uint8")
    }  # fmt: skip
    raw = [gymnasium.make(ID) for _ in range(3)]
    seen = [env.reset(seed=seed)[0] for seed, env in enumerate(raw)]
    assert np.array_equal(first["numbers"], [one["numbers"] for one in seen])
    assert np.array_equal(first["picture"][:, 1], [one["picture"] for one in seen])
    assert not first["picture"][:, 0].any()
    games.send(np.zeros(3, np.int64))
    step = games.recv()
    assert np.array_equal(step.obs["picture"][:, 0], first["picture"][:, 1]), "stacked; the numbers are not"
    assert not np.array_equal(step.obs["numbers"], first["numbers"])


def test_a_tuple_s_parts_are_its_numbers_and_nested_ones_have_dots() -> None:
    tuples = envs.make(dataclasses.replace(CONFIG, kwargs='{"form": "tuple"}'), 1)
    assert list(tuples.observation.parts) == ["0", "1"]
    assert tuples.observation.main_name == "1"
    nested = envs.make(dataclasses.replace(CONFIG, kwargs='{"form": "nested"}'), 1)
    assert list(nested.observation.parts) == ["felt.0", "felt.1", "seen.screen"]
    obs = nested.reset(np.array([0]))
    assert obs["felt.1"].tolist() == [[1.0, 0.0]], "a choice is one-hot"
    nested.send(np.array([0]))
    assert nested.recv().obs["felt.1"].tolist() == [[0.0, 1.0]]


def test_the_picture_is_made_as_the_config_says() -> None:
    config = dataclasses.replace(CONFIG, crop=(0.0, 0.5, 0.0, 1.0), size=(20, 24), fill="first")
    games = envs.make(config, 1)
    assert games.observation.parts["picture"].shape == (2, 20, 24)
    obs = games.reset(np.array([0]))
    assert np.array_equal(obs["picture"][0, 0], obs["picture"][0, 1])


def test_a_blank_observation_is_blank_in_every_part() -> None:
    games, plain = envs.make(dataclasses.replace(CONFIG, flicker=0.5), 4), envs.make(CONFIG, 4)
    blank = shown = 0
    obs, whole = games.reset(np.arange(4)), plain.reset(np.arange(4))
    for _ in range(20):
        for game in range(4):
            hidden = not obs["numbers"][game].any()
            assert hidden == (not obs["picture"][game, 1].any())
            assert hidden or np.array_equal(obs["numbers"][game], whole["numbers"][game])
            blank, shown = blank + hidden, shown + (not hidden)
        for each in (games, plain):
            each.send(np.zeros(4, np.int64))
        obs, whole = games.recv().obs, plain.recv().obs
    assert blank > 20
    assert shown > 20


def test_what_depends_on_the_seed_alone_is_found_out() -> None:
    assert forgets(CONFIG, 2, 1)
    games = envs.make(CONFIG, 2)
    assert len(trace(games, 0, 5)) == 2 + 5 * 3, "each part of each observation, and the rewards"


def test_vectors_alone_are_one_vector_and_a_picture_alone_is_bare() -> None:
    class Shows(gymnasium.Env):
        def __init__(self, space: Any):
            self.observation_space, self.action_space = space, spaces.Discrete(2)

        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            super().reset(seed=seed)
            return self.observation_space.sample(), {}

    vectors = spaces.Dict({"a": spaces.Box(-1, 1, (2,), np.float32), "b": spaces.Discrete(3)})
    picture = spaces.Box(0, 255, (40, 40, 3), np.uint8)
    for name, space in {"Vectors": vectors, "Picture": spaces.Dict({"only": picture})}.items():
        gymnasium.register(f"test/{name}-v0", entry_point=lambda space=space: Shows(space))
    gymnasium.register(
        "test/TwoPictures-v0", entry_point=lambda: Shows(spaces.Dict({"left": picture, "right": picture}))
    )
    assert envs.make(EnvConfig("test/Vectors-v0"), 1).observation == Observation((5,), "float64")
    games = envs.make(EnvConfig("test/Picture-v0", size=None, stack=1), 1)
    assert games.observation == Observation((1, 40, 40), "uint8")
    assert games.reset(np.array([0])).shape == (1, 1, 40, 40)
    with pytest.raises(InputError, match=r"\['left', 'right'\]; allowed: one, beside vectors"):
        envs.make(EnvConfig("test/TwoPictures-v0"), 1)


def test_one_game_as_the_agent_sees_it_is_a_dict_too() -> None:
    env = AsSeen(envs.make(CONFIG, 1))
    assert isinstance(env.observation_space, spaces.Dict)
    obs, _ = env.reset(seed=3)
    assert obs in env.observation_space
    assert env.step(0)[0] in env.observation_space


def test_an_observation_of_one_part_is_one_array() -> None:
    one = Observation.of({"only": Part((4,), "float32")})
    assert one == Observation((4,), "float32")
    assert (one.shape, one.dtype, one.is_several, str(one)) == ((4,), "float32", False, "(4,)")
    several = Observation.of({"b": Part((4,), "float32"), "a": Part((2,), "float64")})
    assert several.main_name == "a", "the first by name, where there is no picture"
    with pytest.raises(ValueError, match="has no shape or dtype of its own"):
        _ = several.shape


def test_grey_is_gymnasium_s_grey_to_the_byte() -> None:
    screen = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    screen[:2] = [[[255] * 3], [[0] * 3]]
    wrapped = gymnasium.wrappers.GrayscaleObservation(Still(spaces.Box(0, 255, screen.shape, np.uint8)))
    assert np.array_equal(grey(screen), wrapped.observation(screen))
    assert grey(screen).dtype == np.uint8
