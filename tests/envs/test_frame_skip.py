"""Frame skip of any Gymnasium id: each step is several steps of the environment with one action."""

from __future__ import annotations

import dataclasses
from typing import Any

import gymnasium
import numpy as np
import pytest

from tests.envs.cases.games import Picture, Reward, Side, named
from tests.picture_and_numbers import ID
from triptych import envs
from triptych.cli.main import main
from triptych.envs import EnvConfig, changed
from triptych.envs.gym import Gym
from triptych.recipes import load_recipe
from triptych.recipes.serialise import from_dict, to_dict
from triptych.utils.checks import EnvironmentFailed, InputError

WIDE: dict[str, Any] = {"kwargs": '{"shape": [null, null]}', "size": None, "stack": 1}


class Blinking(Picture):
    """Draws into one array, the square at a place of its own in each frame: no frame alone shows two."""

    def look(self) -> Any:
        if not hasattr(self, "held"):
            self.held = np.zeros((40, 40), np.uint8)
        self.held[:] = 0
        self.held[self.time * 3 : self.time * 3 + 3] = 10 * self.time + 10
        return self.held


gymnasium.register("cases/Blinking-v0", entry_point=Blinking)
BLINKING = f"{__name__}:cases/Blinking-v0"


def played(config: Any, actions: list[int]) -> list[Any]:
    """The steps of one game from seed 7 on."""
    games = envs.make(config, 1)
    games.reset(np.array([7]))
    found = []
    for action in actions:
        games.send(np.array([action]))
        found.append(games.recv())
    games.close()
    return found


def frames_of(env_id: str, actions: list[int], **options: Any) -> list[Any]:
    """What the environment itself returns, a frame at a time."""
    env = gymnasium.make(env_id, disable_env_checker=True, **options)
    env.reset(seed=7)
    found = []
    for action in actions:
        obs, *rest = env.step(action)
        found.append((np.array(obs), *rest))
    return found


def test_a_step_is_the_sum_of_its_frames_and_ends_where_its_episode_does() -> None:
    steps = played(EnvConfig(named(Side), frame_skip=5), [0, 1, 0])
    frames = frames_of(named(Side), [0] * 5 + [1] * 5 + [0] * 2)
    rewards = [float(frame[1]) for frame in frames]
    assert [step.reward[0] for step in steps] == [sum(rewards[:5]), sum(rewards[5:10]), sum(rewards[10:])]
    assert [bool(step.truncated[0]) for step in steps] == [False, False, True], (
        "of twelve frames, the last two are a step"
    )
    for step, last in zip(steps, (4, 9, 11), strict=True):
        assert np.array_equal(step.obs[0], frames[last][0])


def test_a_picture_is_the_last_frame_or_the_larger_of_the_last_two() -> None:
    whole = {**WIDE, "frame_skip": 3}
    frames = [frame[0] for frame in frames_of(BLINKING, [0] * 12, shape=[None, None])]
    for maximum in (False, True):
        steps = played(EnvConfig(BLINKING, **whole, maximum=maximum), [0] * 4)
        for index, step in enumerate(steps):
            last = frames[3 * index + 2]
            wanted = np.maximum(frames[3 * index + 1], last) if maximum else last
            assert np.array_equal(step.obs[0, 0], wanted)


def test_a_step_that_ends_at_its_first_frame_shows_that_one() -> None:
    steps = played(EnvConfig(BLINKING, **WIDE, frame_skip=11, maximum=True), [0, 0])
    assert np.array_equal(steps[1].obs[0, 0], frames_of(BLINKING, [0] * 12, shape=[None, None])[11][0])
    assert steps[1].truncated[0]


@pytest.mark.parametrize("form", ["dict", "tuple", "nested"])
def test_of_several_parts_the_picture_alone_is_joined(form: str) -> None:
    config = EnvConfig(ID, kwargs=f'{{"form": "{form}"}}', size=None, stack=1, frame_skip=2)
    last, joined = (played(dataclasses.replace(config, maximum=maximum), [0])[0].obs for maximum in (False, True))
    first = played(dataclasses.replace(config, frame_skip=1), [0])[0].obs
    pictures = [name for name, part in last.items() if part.ndim == 4]
    assert len(pictures) == 1
    for name, part in joined.items():
        assert np.array_equal(part, np.maximum(first[name], last[name]) if name in pictures else last[name])


def test_a_rendered_screen_is_skipped_and_joined_too() -> None:
    seen = EnvConfig(named(Picture), **WIDE, render=True, frame_skip=2, maximum=True)
    single = dataclasses.replace(seen, frame_skip=1, maximum=False)
    one, two = (step.obs for step in played(single, [0, 0]))
    assert np.array_equal(played(seen, [0])[0].obs, np.maximum(one, two))


def test_a_time_limit_counts_steps_and_the_log_counts_frames() -> None:
    games = envs.make(EnvConfig(named(Side), frame_skip=2, time_limit=3), 1)
    assert games.frames_per_step == 2
    assert games.typical_episode == 3
    steps = played(EnvConfig(named(Side), frame_skip=2, time_limit=3), [0] * 3)
    assert [bool(step.truncated[0]) for step in steps] == [False, False, True]


def test_games_that_are_saved_go_on_as_they_were() -> None:
    config = EnvConfig("CartPole-v1", frame_skip=2)
    games, again = envs.make(config, 1), envs.make(config, 1)
    games.reset(np.array([3]))
    actions = [0, 1, 1, 0, 1, 0, 1]
    for action in actions[:3]:
        games.send(np.array([action]))
        games.recv()
    again.reset(np.array([0]))
    again.set_state(games.get_state())
    for action in actions[3:]:
        for one in (games, again):
            one.send(np.array([action]))
        ours, theirs = games.recv(), again.recv()
        assert np.array_equal(ours.obs, theirs.obs)
        assert ours.reward == theirs.reward == 2


def test_a_frame_within_a_step_is_held_to_what_it_may_return() -> None:
    config = EnvConfig(named(Reward), kwargs='{"form": "none", "begins": 2}', frame_skip=4)
    with pytest.raises(EnvironmentFailed, match="its reward is None; allowed: a number"):
        played(config, [0])
    nan = EnvConfig(named(Reward), kwargs='{"form": "nan", "begins": 2}', frame_skip=4)
    assert played(nan, [0])[0].trouble


@pytest.mark.parametrize(
    ("env_id", "settings", "line"),
    [
        (named(Picture), {**WIDE, "frame_skip": 0}, "frame_skip is 0; allowed: 1 to 10000"),
        (named(Picture), {**WIDE, "maximum": True}, "maximum is True; allowed: False with a frame_skip of 1"),
        (named(Side), {"frame_skip": 2, "maximum": True}, "maximum is True, and .*Side-v0' shows no picture; allowed: False"),
        ("Breakout-v0", {"frame_skip": 4}, "frame_skip is 4; allowed: 1, as Breakout-v0 itself says"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(env_id: str, settings: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError, match=line):
        envs.make(EnvConfig(env_id, **settings), 1)


def test_the_command_line_refuses_it_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["train", "--env", named(Side), "--env.frame-skip", "2", "--env.maximum", "--steps", "10"]
    with pytest.raises(SystemExit, match="2"):
        main(given)
    (line,) = capsys.readouterr().err.splitlines()
    assert "maximum is True" in line


def test_runs_of_before_are_known_again_and_skip_nothing() -> None:
    recipe = dataclasses.replace(load_recipe("cartpole"), env=EnvConfig(named(Side)))
    assert envs.as_before(recipe.env)["frame_skip"] == 4, "every game's, before there were kinds"
    record = to_dict(recipe)
    for name in ("frame_skip", "maximum"):
        del record["env"][name]
    assert from_dict(record).env == recipe.env
    skipping = envs.as_before(dataclasses.replace(recipe.env, frame_skip=2))
    assert skipping["gym.frame_skip"] == 2
    assert skipping["frame_skip"] == 4


def test_a_skip_goes_to_games_that_mean_the_same_by_it() -> None:
    atari = EnvConfig("BreakoutNoFrameskip-v4", frame_skip=3, maximum=True)
    other = changed(atari, {"id": named(Side)})
    assert isinstance(other, Gym)
    assert (other.frame_skip, other.maximum) == (1, False), "an emulator's frames are not its"
    assert changed(EnvConfig(named(Side), frame_skip=3), {"id": "CartPole-v1"}).frame_skip == 3  # type: ignore[attr-defined]
    assert changed(atari, {"id": "Breakout-v0"}).frame_skip == 1  # type: ignore[attr-defined]


def test_what_a_picture_is_made_of_is_told() -> None:
    config = EnvConfig(named(Picture), **WIDE)
    assert envs.told(config)["pictures"] == "as the game gives them"
    skipping = dataclasses.replace(config, frame_skip=4, maximum=True)
    assert envs.told(skipping)["pictures"] == "the larger of a step's last two frames, pixel by pixel"
