"""The mazes: each can be solved, by another's solver; held-out ones are never trained on; what is seen; seeds and states."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from tests.envs.maze_oracle import way
from triptych import envs
from triptych.envs import EnvConfig
from triptych.envs.games import stage_of
from triptych.envs.mazes.games import GoalSearchGames
from triptych.envs.mazes.layouts import HELD_OUT, keys, mazes
from triptych.envs.videos import Screening
from triptych.utils.checks import InputError

ABOVE, RAYCAST = "triptych/Maze-v0", "triptych/MazeRaycast-v0"
WALL, RED, TEAL, GREEN, BLUE = 2, 3, 4, 5, 6
SIZES = (7, 9, 11, 13, 15)


def drawn(size: int, count: int, first: int = 5_000) -> Any:
    return mazes(np.arange(first, first + count), np.full(count, size), 0.3, 15, is_training=True)


@pytest.mark.parametrize("size", SIZES)
def test_both_goals_of_every_maze_can_be_reached_in_time(size: int) -> None:
    found = drawn(size, 150)
    for tiles, right in zip(found.tiles, found.right, strict=True):
        inside = tiles[:size, :size]
        assert set(tiles[size:].flat) | set(tiles[:, size:].flat) <= {0}, "nothing outside"
        border = np.concatenate([inside[0], inside[-1], inside[:, 0], inside[:, -1]])
        assert set(border) == {WALL, GREEN if right == RED else BLUE}, "closed, and the indicator above the start"
        assert tiles[0, 1] in (GREEN, BLUE)
        assert (tiles == RED).sum() == (tiles == TEAL).sum() == 1
        ways = [way(tiles.tolist(), goal) for goal in (RED, TEAL)]
        assert all(found is not None and len(found) <= 100 for found in ways), "within the steps of an episode"


def test_goals_indicators_and_sizes_are_drawn_evenly() -> None:
    found = drawn(9, 2_000)
    assert 0.45 < (found.right == RED).mean() < 0.55
    places = (found.tiles == RED).mean(axis=0)[1:9:2, 1:9:2]
    assert places[0, 0] == 0, "never at the start"
    assert (places.flat[1:] > 0.04).all()
    assert (places < 0.1).all()
    games: Any = envs.make(EnvConfig(ABOVE), 100)
    games.reset(np.arange(100))
    sides = (games.supply.made.tiles[:, :20] == WALL).any(axis=2).sum(axis=2).reshape(-1)
    assert all(0.16 < (sides == size).mean() < 0.24 for size in SIZES)


def test_no_held_out_maze_is_trained_on() -> None:
    """Of the smallest there are few enough that chance would draw held-out ones now and then."""
    tested = set(keys(mazes(np.arange(HELD_OUT), np.full(HELD_OUT, 7), 0.3, 15, is_training=False)))
    assert len(tested) > 900
    numbers, sizes = np.arange(10_000, 13_000), np.full(3_000, 7)
    by_chance = mazes(numbers, sizes, 0.3, 15, is_training=False)
    trained = mazes(numbers, sizes, 0.3, 15, is_training=True)
    assert len(tested & set(keys(by_chance))) > 50
    assert not tested & set(keys(trained))
    kept = np.array([key not in tested for key in keys(by_chance)])
    assert np.array_equal(by_chance.tiles[kept], trained.tiles[kept]), "the others are as they were"


def test_the_split_says_which_mazes_are_played() -> None:
    for split, is_held_out in (("train", False), ("test", True)):
        games: Any = envs.make(EnvConfig(ABOVE, split=split), 3)
        games.reset(np.arange(3))
        assert ((games.supply.numbers < HELD_OUT) == is_held_out).all()


def test_the_held_out_mazes_stay_what_they_are() -> None:
    """Scores of years apart are of the same mazes."""
    found = mazes(np.arange(100), np.repeat(SIZES, 20), 0.3, 15, is_training=False)
    assert hashlib.sha256(found.tiles.tobytes() + found.right.tobytes()).hexdigest()[:16] == "eb5b6afa441cf692"


def play(games: GoalSearchGames, ways: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Rewards and lengths [N] of the games' first episodes; an agent at its way's end turns to the left."""
    total, length, going = np.zeros(games.num_envs), np.zeros(games.num_envs, int), np.ones(games.num_envs, bool)
    while going.any():
        games.send(np.array([own[step] if step < len(own) else 1 for own, step in zip(ways, length, strict=True)]))
        step = games.recv()
        total += step.reward * going
        length += going
        going &= ~(step.terminated | step.truncated)
    return total, length


REPEATS = {ABOVE: (1, 1, 1), RAYCAST: (2, 3, 3)}  # steps of a tile forward, and of a quarter turn


@pytest.mark.parametrize("env_id", [ABOVE, RAYCAST])
@pytest.mark.parametrize(("goal", "score"), [("right", 1), ("wrong", -1)])
def test_the_right_goal_pays_and_the_other_costs(env_id: str, goal: str, score: int) -> None:
    games: Any = envs.make(EnvConfig(env_id, split="test"), 20)
    games.reset(np.arange(20))
    inside = games.tiles[:, games.margin : -games.margin, games.margin : -games.margin]
    goals = [right if goal == "right" else RED + TEAL - right for right in games.right]
    found = [way(tiles.tolist(), tile) or [] for tiles, tile in zip(inside, goals, strict=True)]
    ways = [[action for action in own for _ in range(REPEATS[env_id][action])] for own in found]
    total, length = play(games, ways)
    assert (total == score).all()
    assert all(len(own) - 1 <= steps <= len(own) for own, steps in zip(ways, length, strict=True)), (
        "a goal may begin half-way"
    )


@pytest.mark.parametrize(("settings", "steps"), [({}, 100), ({"split": "test"}, 500), ({"time_limit": 7}, 7)])
def test_an_episode_is_cut_where_the_protocol_says(settings: dict[str, Any], steps: int) -> None:
    games: Any = envs.make(EnvConfig(ABOVE, **settings), 2)
    games.reset(np.arange(2))
    for step in range(1, steps + 2):
        games.send(np.ones(2, int))
        found = games.recv()
        assert not found.terminated.any()
        assert found.truncated.all() == (step == steps)
        assert not found.reward.any()


ROOM = ["2522222", "2122122", "2111142", "2122222", "2222222"]


def placed(rows: list[str], x: int, y: int, facing: int, **settings: Any) -> Any:
    """A game in a maze of one's own."""
    games: Any = envs.make(EnvConfig(ABOVE, **settings), 1)
    games.reset(np.zeros(1, int))
    games.tiles[:] = 0
    for row, line in enumerate(rows):
        games.tiles[0, games.margin + row, games.margin :][: len(line)] = [int(tile) for tile in line]
    games.x[0], games.y[0], games.facing[0] = x, y, facing
    return games


def test_what_is_seen_ahead_and_what_a_wall_hides() -> None:
    games = placed(ROOM, x=1, y=2, facing=1, view=(6, 3))
    # Looking right, the left column of a view is the row above. The farthest is the first.
    assert games.seen()[0].tolist() == [[0, 2, 0], [2, 4, 2], [1, 1, 2], [2, 1, 2], [2, 1, 2], [1, 1, 1]]
    games = placed(ROOM, x=4, y=1, facing=2, view=(3, 5))
    assert games.seen()[0].tolist() == [[0, 2, 2, 2, 0], [0, 4, 1, 1, 0], [0, 2, 1, 2, 0]]
    games = placed(ROOM, x=4, y=1, facing=2, view=(3, 5), through_walls=True)
    assert games.seen()[0].tolist() == [[2, 2, 2, 2, 2], [2, 4, 1, 1, 1], [2, 2, 1, 2, 2]]


def test_an_agent_at_the_start_sees_the_indicator_and_walks_into_no_wall() -> None:
    games = placed(ROOM, x=1, y=1, facing=0)
    before = games.look()
    assert before["image"].shape == (1, 1, 15, 5, 3)
    assert before["image"][0, 0, -2, 2].tolist() == [0, 255, 0]
    assert before["position"] * 15 == pytest.approx(np.array([[1.5, 1.5]]))
    assert before["heading"].tolist() == [[0, -1]]
    games.send(np.zeros(1, int))
    assert games.recv().obs["position"] * 15 == pytest.approx(np.array([[1.5, 1.5]]))
    games.send(np.full(1, 2))
    assert games.recv().obs["heading"].tolist() == [[1, 0]]
    games.send(np.full(1, 2))
    assert games.recv().obs["heading"].tolist() == [[0, 1]]
    games.send(np.zeros(1, int))
    assert games.recv().obs["position"] * 15 == pytest.approx(np.array([[1.5, 2.5]])), "x is the column, y the row"


def marched(tiles: np.ndarray, x: float, y: float, dx: float, dy: float) -> tuple[int, float]:
    """What a ray meets, by small steps along it."""
    for step in range(1, 40_000):
        ahead = step * 0.0005
        tile = int(tiles[int(y + ahead * dy), int(x + ahead * dx)])
        if tile != 1 and (int(y + ahead * dy), int(x + ahead * dx)) != (int(y), int(x)):
            return tile, ahead
    raise AssertionError("no wall")


def test_rays_meet_what_small_steps_along_them_meet() -> None:
    games: Any = envs.make(EnvConfig(RAYCAST, picture=(10, 9), maze_size=(9, 15)), 12)
    games.reset(np.arange(12))
    for action in np.random.default_rng(2).choice(3, size=(40, 12), p=[0.6, 0.2, 0.2]):
        games.send(action)
        games.recv()
    tile, distance, _ = games.cast()
    edge = np.tan(np.radians(33))
    for game in range(12):
        angle = 2 * np.pi * games.facing[game] / 12
        ahead, right = np.array([np.sin(angle), -np.cos(angle)]), np.array([np.cos(angle), np.sin(angle)])
        for column in range(9):
            ray = ahead + edge * (2 * (column + 0.5) / 9 - 1) * right
            met = marched(games.tiles[game, 1:, 1:], games.x[game], games.y[game], *ray)
            assert met[0] == tile[game, column]
            assert met[1] == pytest.approx(distance[game, column], abs=0.002)


def test_an_agent_in_the_first_person_begins_before_the_indicator_and_walks_into_no_wall() -> None:
    games: Any = envs.make(EnvConfig(RAYCAST), 30)
    image = games.reset(np.arange(30))["image"]
    assert image.shape == (30, 1, 48, 64, 3)
    for right, middle in zip(games.right, image[:, 0, 24, 32], strict=True):
        assert middle.argmax() == (1 if right == RED else 2), "green or blue"
    for action in np.random.default_rng(0).choice(3, size=(200, 30), p=[0.8, 0.1, 0.1]):
        games.send(action)
        seen = games.recv().obs
        for aside in (-0.19, 0.19):
            for ahead in (-0.19, 0.19):
                tiles = games.tiles[games.every, (games.y + ahead).astype(int) + 1, (games.x + aside).astype(int) + 1]
                assert np.isin(tiles, (1, RED, TEAL)).all()
        np.testing.assert_allclose(np.linalg.norm(seen["heading"], axis=1), 1, rtol=1e-6)
        assert ((seen["position"] > 0) & (seen["position"] < 1)).all()


def test_the_whole_maze_can_be_seen() -> None:
    games = placed(ROOM, x=1, y=2, facing=1, view=None)
    image = games.look()["image"][0, 0]
    assert image.shape == (15, 15, 3)
    assert image[2, 1].tolist() == [255, 220, 0], "the agent"
    assert image[2, 5].tolist() == [0, 200, 200]


@pytest.mark.parametrize(
    ("env_id", "settings"),
    [
        (ABOVE, {}),
        (ABOVE, {"split": "test", "time_limit": 9}),
        (ABOVE, {"curriculum": 40, "time_limit": 5}),
        (RAYCAST, {"picture": (8, 8), "time_limit": 30}),
    ],
)
def test_seeds_states_and_other_numbers_of_games(env_id: str, settings: dict[str, Any]) -> None:
    """A game depends on its seed alone; one that was saved goes on as it would have."""
    config = EnvConfig(env_id, maze_size=(7, 9), **settings)
    one, all_three = envs.make(config, 1), envs.make(config, 3)
    seeds, actions = np.array([5, 6, 7]), np.random.default_rng(0).choice(3, size=(900, 3), p=[0.6, 0.2, 0.2])
    first, second = one.reset(seeds[1:2]), all_three.reset(seeds)
    assert all(np.array_equal(first[part][0], second[part][1]) for part in first)
    again, saved, ends = envs.make(config, 3), None, 0
    for step, action in enumerate(actions):
        if step == 450:
            saved = json.loads(json.dumps(all_three.get_state()))
            again.reset(np.zeros(3, int))
            again.set_state(saved)
        found = []
        for games in (one, all_three, *([again] if saved else [])):
            games.send(action[1:2] if games is one else action)
            found.append(games.recv())
        ends += int(found[0].terminated[0] | found[0].truncated[0])
        assert all(np.array_equal(found[0].obs[part][0], found[1].obs[part][1]) for part in first)
        assert found[0].reward[0] == found[1].reward[1]
        for other in found[2:]:
            assert all(np.array_equal(other.obs[part], found[1].obs[part]) for part in first)
            assert np.array_equal(other.reward, found[1].reward)
    assert ends > 4


def test_a_curriculum_begins_with_the_smallest_mazes_and_tests_ignore_it() -> None:
    config = EnvConfig(ABOVE, curriculum=50, time_limit=10)
    games: Any = envs.make(config, 8)
    games.reset(np.arange(8))
    largest, stages = [], []
    for _ in range(60):
        stages.append(stage_of(games))
        largest.append(int((games.tiles == WALL).any(axis=1).sum(axis=1).max()))
        games.send(np.ones(8, int))
        games.recv()
    assert largest[0] == 7
    assert largest[-1] == 15
    assert sorted(largest) == largest
    assert sorted(set(stages)) == [0, 1, 2, 3, 4], "one for each size, once all games have come to it"
    assert sorted(stages) == stages
    tested: Any = config.tested
    assert (tested.curriculum, tested.time_limit) == (0, 10)


@pytest.mark.parametrize("env_id", [ABOVE, RAYCAST])
def test_a_maze_is_a_gymnasium_environment(env_id: str) -> None:
    env = gymnasium.make(env_id, maze_size=[9, 11], render_mode="rgb_array")
    assert env.observation_space["position"].high.tolist() == [1, 1]  # type: ignore[index]
    check_env(env.unwrapped, skip_render_check=True)
    env.reset(seed=3)
    assert env.render().ndim == 3  # type: ignore[union-attr]


@pytest.mark.parametrize("env_id", [ABOVE, RAYCAST])
def test_a_person_is_shown_the_whole_maze(env_id: str) -> None:
    screening = Screening(EnvConfig(env_id, drop=("heading",)))
    first = screening.reset(0)
    second = screening.step(1)
    assert first.shape == second.shape
    assert first.ndim == 3
    assert (first != second).any()


def test_parts_can_be_left_out() -> None:
    games = envs.make(EnvConfig(ABOVE, drop=("position", "heading")), 2)
    assert games.reset(np.arange(2)).shape == (2, *games.observation.shape) == (2, 1, 15, 5, 3)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"turns": 10}, "turns is 10; allowed: a number that 4 divides, so that a quarter turn is possible"),
        ({"picture": (48, 1000)}, "picture is (48, 1000); allowed: rows and columns, 8 to 512 each"),
        ({"maze_size": (7, 10)}, "maze_size is (7, 10); allowed: two odd numbers, smallest and largest, from 7 to 101"),
        ({"maze_size": (11, 7)}, "maze_size is (11, 7); allowed: two odd numbers, smallest and largest, from 7 to 101"),
        ({"split": "held-out"}, "split is 'held-out'; allowed: train, test"),
        ({"loops": 2.0}, "loops is 2.0; allowed: 0 to 1"),
        ({"view": (15, 4)}, "view is (15, 4); allowed: tiles ahead (1 to 31) and across (odd, 1 to 31), or None"),
        ({"drop": ("mission",)}, "drop is ('mission',); allowed: some of heading, image, position, not all"),
        ({"drop": ("image", "position", "heading")}, "allowed: some of heading, image, position, not all"),
        ({"curriculum": -1}, "curriculum is -1; allowed: 0 or more"),
    ],
)
def test_bad_settings_are_told_in_one_line(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as raised:
        EnvConfig(RAYCAST if {"turns", "picture"} & set(settings) else ABOVE, **settings)
    assert said in str(raised.value)
