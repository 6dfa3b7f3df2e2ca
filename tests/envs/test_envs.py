"""Games: NEXT_STEP order, stacks, saving, seeds, and what is refused."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from triptych.envs import EnvConfig, find, fixed, forgets, make
from triptych.envs.determinism import trace
from triptych.spec import Dense, Flatten, FrameDifference, Network, Observation
from triptych.utils.checks import InputError

SPACE_INVADERS = EnvConfig("SpaceInvadersNoFrameskip-v4")


class Counting(gymnasium.Env):
    """Shows how many steps its episode has lasted; ends after five, by time after three where told so."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}

    def __init__(self, picture: bool = False, start: int = 0, remembers: bool = False):
        box = spaces.Box(0, 255, (40, 40, 3), np.uint8) if picture else spaces.Box(0, 100, (1,), np.float32)
        self.observation_space, self.action_space = box, spaces.Discrete(2, start=start)
        self.picture, self.start, self.remembers, self.life = picture, start, remembers, 0

    def show(self) -> np.ndarray:
        space = self.observation_space
        value = self.time + (100 * self.life if self.remembers else 0)
        return np.full(space.shape, value, space.dtype)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.time, self.life = 0, self.life + 1
        return self.show(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict]:
        assert self.action_space.contains(action), action
        self.time += 1
        return self.show(), float(action - self.start), self.time == 5, False, {}


gymnasium.register("Counting-v0", Counting)
gymnasium.register("CountingShort-v0", Counting, max_episode_steps=3)
gymnasium.register("CountingPicture-v0", Counting, kwargs={"picture": True})
gymnasium.register("CountingFromSeven-v0", Counting, kwargs={"start": 7})
gymnasium.register("CountingRemembers-v0", Counting, kwargs={"remembers": True})


def play(games: Any, steps: int) -> list[Any]:
    seen = []
    for _ in range(steps):
        games.send(np.ones(games.num_envs, int))
        seen.append(games.recv())
    return seen


def test_next_step_order() -> None:
    """The final observation comes with its end; the step after it takes no action and starts the next episode."""
    games = make(EnvConfig("Counting-v0"), 2)
    assert games.reset(np.arange(2)).tolist() == [[0], [0]]
    steps = play(games, 8)
    assert [float(step.obs[0, 0]) for step in steps] == [1, 2, 3, 4, 5, 0, 1, 2]
    assert [bool(step.terminated[0]) for step in steps] == [False] * 4 + [True] + [False] * 3
    assert [float(step.reward[0]) for step in steps] == [1] * 5 + [0, 1, 1]


def test_a_time_limit_truncates() -> None:
    games = make(EnvConfig("CountingShort-v0"), 1)
    games.reset(np.zeros(1))
    steps = play(games, 3)
    assert steps[-1].truncated[0]
    assert not steps[-1].terminated[0]
    assert games.typical_episode == 3


def test_pictures_of_any_game_are_grey_small_and_stacked() -> None:
    games = make(EnvConfig("CountingPicture-v0", size=20, stack=3), 1)
    first = games.reset(np.zeros(1))
    assert first.shape == (1, 3, 20, 20)
    assert first.dtype == np.uint8
    steps = play(games, 6)
    assert steps[1].obs[0, :, 0, 0].tolist() == [0, 1, 2]
    assert steps[5].obs[0, :, 0, 0].tolist() == [0, 0, 0], "the new episode's stack holds nothing of the old one"


def test_actions_that_start_elsewhere() -> None:
    games = make(EnvConfig("CountingFromSeven-v0"), 1)
    games.reset(np.zeros(1))
    assert play(games, 1)[0].reward[0] == 1


@pytest.mark.parametrize("env_id", ["FrozenLake-v1", "Blackjack-v1", "MountainCar-v0", "Acrobot-v1"])
def test_any_discrete_gymnasium_id(env_id: str) -> None:
    games = make(EnvConfig(env_id), 2)
    obs = games.reset(np.arange(2))
    assert obs.shape == (2, *games.observation.shape)
    assert len(games.observation.shape) == 1
    play(games, 3)


def test_a_random_frame_skip_goes_one_game_at_a_time() -> None:
    """The picture is the one that the vector environment shows, to the pixel."""
    seen = []
    for env_id in ("KungFuMaster-v0", "KungFuMasterNoFrameskip-v4"):
        games = make(EnvConfig(env_id, noop_max=0, size=42), 1)
        seen.append(games.reset(np.zeros(1, int))[0, -1])
        games.close()
    assert np.ptp(seen[0]) > 50
    assert np.array_equal(*seen)
    assert fixed(EnvConfig("KungFuMaster-v0")) == {"frame_skip": (2, 4), "sticky": 0.25}
    assert fixed(EnvConfig("KungFuMasterNoFrameskip-v4")) == {}


def test_atari_shows_what_the_paper_saw() -> None:
    games = make(SPACE_INVADERS, 3, 2)
    obs = games.reset(np.arange(3))
    assert obs.shape == (3, 4, 84, 84)
    assert obs.dtype == np.uint8
    assert games.num_actions == 6
    assert games.frames_per_step == 4
    assert obs[:, :3].max() == 0, "zeros before an episode's first frame"
    assert obs[:, 3].max() > 0
    rewards = np.concatenate([step.reward for step in play(games, 400)])
    assert rewards.max() >= 5, "rewards are raw"
    games.close()


def test_atari_stack_is_the_last_frames() -> None:
    games = make(SPACE_INVADERS, 1, 1)
    games.reset(np.array([3]))
    steps = play(games, 6)
    for before, after in pairwise(steps):
        assert np.array_equal(after.obs[0, :3], before.obs[0, 1:])
    games.close()


def test_a_reset_forgets() -> None:
    assert forgets(SPACE_INVADERS, 2, 2)
    assert forgets(EnvConfig("MountainCar-v0"), 1, 1)
    assert not forgets(EnvConfig("CountingRemembers-v0"), 1, 1)


def test_games_of_other_seeds_differ() -> None:
    games = make(SPACE_INVADERS, 4, 2)
    first = trace(games, 1, 120)
    games.close()
    streams = [np.stack([obs[game] for obs in first[1::2]]) for game in range(4)]
    for game in range(1, 4):
        assert not np.array_equal(streams[0], streams[game])


def test_cartpole_goes_on_where_it_was_saved() -> None:
    games = make(EnvConfig("CartPole-v1"), 3)
    games.reset(np.arange(3))
    rng = np.random.default_rng(0)
    for _ in range(37):
        games.send(rng.integers(2, size=3))
        games.recv()
    state = games.get_state()
    copy = make(EnvConfig("CartPole-v1"), 3)
    copy.reset(np.arange(50, 53))
    copy.set_state(state)
    for _ in range(600):  # past the time limit, so that the count of steps matters too
        actions = rng.integers(2, size=3)
        for each in (games, copy):
            each.send(actions)
        a, b = games.recv(), copy.recv()
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize(
    ("env_id", "said"),
    [
        ("Nothing-v0", "registered Gymnasium id"),
        ("no_such_module:Nothing-v0", "module 'no_such_module' cannot be imported"),
        ("Pendulum-v1", "allowed: a Discrete one"),
        ("LunarLander-v3", "cannot be made"),
    ],
)
def test_unusable_ids_are_refused_in_one_line(env_id: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        make(EnvConfig(env_id), 1)
    assert "\n" not in str(caught.value)
    assert env_id in str(caught.value)
    with pytest.raises(InputError, match=r"module 'no_such_module' cannot be imported"):
        find("no_such_module:Nothing-v0", may_import=True)


def test_crop_colour_and_size() -> None:
    config = EnvConfig(
        "CountingPicture-v0", crop=(0.25, 0.75, 0.0, 0.5), size=(10, 30), colour=True, stack=2, fill="first"
    )
    games = make(config, 1)
    assert games.observation.shape == (2, 10, 30, 3)
    games.reset(np.zeros(1))
    steps = play(games, 6)
    assert steps[1].obs[0, :, 0, 0, 0].tolist() == [1, 2]
    assert steps[5].obs[0, :, 0, 0, 0].tolist() == [0, 0], "the first picture fills the stack"


def test_crop_keeps_the_part_it_names() -> None:
    whole = make(EnvConfig("CartPole-v1", render=True, size=None, colour=True, stack=1), 1)
    band = make(EnvConfig("CartPole-v1", render=True, size=None, colour=True, stack=1, crop=(0.4, 0.8, 0.25, 1.0)), 1)
    screen, part = whole.reset(np.array([3])), band.reset(np.array([3]))
    assert screen.shape == (1, 1, 400, 600, 3)
    assert np.array_equal(part, screen[:, :, 160:320, 150:])


def test_the_wide_cartpole_ends_late_and_never_by_time() -> None:
    games = make(EnvConfig("triptych/CartPoleWide-v0"), 1)
    games.reset(np.array([0]))
    angles: list[float] = []
    ended = False
    while not ended:
        games.send(np.array([1]))
        step = games.recv()
        angles.append(abs(float(step.obs[0, 2])))
        ended = bool(step.terminated[0])
    assert max(angles[:-1]) > 0.5, "the usual one ends at 12 degrees"
    assert games.envs[0].spec is not None
    assert games.envs[0].spec.max_episode_steps is None  # type: ignore[attr-defined]


def observations(env_id: str, kwargs: str = "{}") -> np.ndarray:
    """Of eight pushes to the right."""
    games = make(EnvConfig(env_id, kwargs=kwargs), 1)
    first = games.reset(np.array([3]))[0]
    found = [first]
    for _ in range(8):
        games.send(np.array([1]))
        found.append(games.recv().obs[0])
    return np.stack(found)


def test_cartpole_with_other_physics_is_cartpole_until_it_is_said() -> None:
    usual = observations("CartPole-v1")
    assert np.array_equal(observations("triptych/CartPolePhysics-v0"), usual)
    longer = observations("triptych/CartPolePhysics-v0", '{"length": 2.0}')
    assert np.array_equal(longer[0], usual[0])
    assert 0 < abs(longer[-1, 2]) < 0.5 * abs(usual[-1, 2]), "a long pole falls slowly"
    weaker = observations("triptych/CartPolePhysics-v0", '{"force": 5.0}')
    assert weaker[-1, 1] < 0.6 * usual[-1, 1]
    for name in ("gravity", "mass"):
        assert not np.allclose(observations("triptych/CartPolePhysics-v0", f'{{"{name}": 3.0}}')[-1], usual[-1])


@pytest.mark.parametrize("name", ["gravity", "length", "mass", "force"])
def test_physics_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"kwargs: {name} is -1; allowed: a number above 0"):
        make(EnvConfig("triptych/CartPolePhysics-v0", kwargs=f'{{"{name}": -1}}'), 1)


@pytest.mark.parametrize("env_id", ["CartPole-v1", "BreakoutNoFrameskip-v4"])
def test_a_time_limit_of_the_recipe(env_id: str) -> None:
    games = make(EnvConfig(env_id, time_limit=7), 1)
    games.reset(np.array([1]))
    ends = [(bool(step.terminated[0]), bool(step.truncated[0])) for step in play(games, 7)]
    assert ends == [(False, False)] * 6 + [(False, True)]


def test_breakout_says_when_a_life_is_lost() -> None:
    games = make(EnvConfig("BreakoutNoFrameskip-v4"), 1)
    games.reset(np.array([5]))
    steps = play(games, 600)
    end = next(index for index, step in enumerate(steps) if step.terminated[0])
    lost = [bool(step.lost_life[0]) for step in steps[: end + 1] if step.lost_life is not None]
    assert sum(lost) == 5
    assert lost[-1], "the last life ends the episode"
    assert not steps[end + 1].lost_life[0], "a new episode's lives are no loss"  # type: ignore[index]


def test_saved_pixel_games_go_on() -> None:
    config = EnvConfig("triptych/CartPoleWide-v0", render=True, size=(20, 30), colour=True, stack=2, fill="first")
    games, others = make(config, 1), make(config, 1)
    games.reset(np.array([1]))
    play(games, 30)
    others.set_state(games.get_state())
    for step, other in zip(play(games, 30), play(others, 30), strict=True):
        assert np.array_equal(step.obs, other.obs)
        assert np.array_equal(step.terminated, other.terminated)


def test_no_time_limit_on_atari() -> None:
    games = make(EnvConfig("BreakoutNoFrameskip-v4", time_limit=0), 1)
    games.reset(np.array([1]))
    assert not any(step.truncated[0] for step in play(games, 50))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"id": "CartPole-v1", "render": True, "crop": (0.4, 0.4001, 0.0, 1.0)}, "crop"),
        ({"id": "CartPole-v1", "crop": (0.5, 0.2, 0.0, 1.0)}, "crop"),
        ({"id": "CartPole-v1", "size": (0, 4)}, "size"),
    ],
)
def test_bad_pictures_are_one_line(config: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        make(EnvConfig(**config), 1)


@pytest.mark.parametrize("stack", [1, 4])
def test_a_difference_is_of_two_pictures(stack: int) -> None:
    network = Network(Observation((stack, 8, 8), "uint8"), (FrameDifference(), Flatten(), Dense(2)))
    with pytest.raises(InputError, match="stack before a difference layer"):
        network.tensors()


def test_an_id_gets_its_own_arguments() -> None:
    """FrozenLake's ice is not slippery: the same moves lead to the same places."""
    still = EnvConfig("FrozenLake-v1", kwargs='{"is_slippery": false}')
    games = make(still, 3)
    games.reset(np.arange(3))
    for action in (2, 2, 1):
        games.send(np.full(3, action))
        step = games.recv()
    assert (np.argmax(step.obs, axis=1) == 6).all()
    games.close()


@pytest.mark.parametrize("kwargs", ["[1]", "{", "5"])
def test_arguments_are_json(kwargs: str) -> None:
    with pytest.raises(InputError, match=r"kwargs is .*; allowed: names and values as JSON"):
        EnvConfig("FrozenLake-v1", kwargs=kwargs)


def test_arguments_that_an_id_does_not_take() -> None:
    for name, kwargs in (("CartPole-v1", '{"nonsense": 1}'), ("FrozenLake-v1", '{"map_name": "9x9"}')):
        with pytest.raises(InputError, match="cannot be made"):
            make(EnvConfig(name, kwargs=kwargs), 1)


@pytest.mark.parametrize("colour", [False, True])
def test_atari_crop_is_a_part_of_the_screen(colour: bool) -> None:
    """At the screen's own size it is that part to the pixel; resized, the part has the wanted size."""
    screens = []
    for crop, size in (((0.0, 1.0, 0.0, 1.0), None), ((0.4, 0.8, 0.25, 1.0), None), ((0.4, 0.8, 0.25, 1.0), (42, 40))):
        games = make(EnvConfig("KungFuMasterNoFrameskip-v4", crop=crop, size=size, colour=colour), 2)
        screens.append(games.reset(np.arange(2)))
        for _ in range(40):
            games.send(np.zeros(2, np.int64))
            screens[-1] = games.recv().obs
        assert screens[-1].shape[1:] == games.observation.shape
        games.close()
    whole, part, small = screens
    assert (part == whole[:, :, 84:168, 40:160]).all()
    assert small.shape[:4] == (2, 4, 42, 40)
    blocks = part.reshape(2, 4, 42, 2, 40, 3, *part.shape[4:]).mean(axis=(3, 5))
    assert np.abs(blocks - small).mean() < 3, "the same part of the picture"


@pytest.mark.parametrize(
    ("env_id", "settings", "line"),
    [
        ("ALE/Pong-v5", {"size": 60_000}, "size is 60000; allowed: at most 50,000,000 pixels in 4 stacked pictures"),
        (
            "ALE/Pong-v5",
            {"stack": 10**7},
            "size is 84; allowed: at most 50,000,000 pixels in 10000000 stacked pictures",
        ),
        ("ALE/Pong-v5", {"frame_skip": 10**9}, "frame_skip is 1000000000; allowed: 1 to 10000"),
        ("ALE/Pong-v5", {"noop_max": 10**9}, "noop_max is 1000000000; allowed: 0 to 10000"),
        ("triptych/MemoryChain-v0", {"length": 10**9}, "length is 1000000000; allowed: 1 to 1000000"),
    ],
)
def test_settings_that_no_machine_can_play_are_refused(env_id: str, settings: dict[str, int], line: str) -> None:
    with pytest.raises(InputError) as caught:
        EnvConfig(env_id, **settings)
    assert str(caught.value) == line
