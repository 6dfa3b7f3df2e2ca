"""ViZDoom: what is seen and how episodes end; processes that end with ours, however it ends, and leave nothing."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import vizdoom

from triptych import envs
from triptych.envs import EnvConfig
from triptych.envs.actions import action_names
from triptych.envs.doom import engine, worker
from triptych.envs.doom.games import DoomGames
from triptych.envs.videos import Screening
from triptych.utils.checks import EnvironmentFailed, InputError

HOME = "VizdoomMyWayHome-v1"
SHORT = '{"episode_timeout": 42}'  # tics: the first ten pass before an episode's first step


def make(env_id: str = HOME, num_envs: int = 1, **settings: Any) -> DoomGames:
    games = envs.make(EnvConfig(env_id, size=(30, 40), **settings), num_envs)
    assert isinstance(games, DoomGames)
    return games


@pytest.fixture(scope="module")
def pair() -> Iterator[DoomGames]:
    games = make(num_envs=2, parts=("position", "heading"), stack=2, kwargs=SHORT)
    yield games
    games.close()


def test_parts_and_actions(pair: DoomGames) -> None:
    seen = pair.reset(np.arange(2))
    assert {name: part.shape for name, part in seen.items()} == {
        "screen": (2, 2, 30, 40), "position": (2, 2), "heading": (2, 2)
    }  # fmt: skip
    assert pair.observation.parts["position"].is_place
    assert seen["screen"][:, -1].std() > 0
    assert ((seen["position"] > 0) & (seen["position"] < 1)).all(), "between the walls of the map"
    np.testing.assert_allclose(np.linalg.norm(seen["heading"], axis=1), 1, rtol=1e-5)
    assert action_names(pair) == ("none", "move right", "move left", "move forward", "turn right", "turn left")
    turned = [seen["heading"]]
    for _ in range(2):
        pair.send(np.array([4, 0]))
        turned.append(pair.recv().obs["heading"])
    assert (turned[0][0] != turned[2][0]).any()
    np.testing.assert_array_equal(turned[0][1], turned[2][1])


def test_a_time_limit_is_a_truncation_that_shows_the_last_real_picture(pair: DoomGames) -> None:
    pair.reset(np.arange(2))
    steps = []
    for _ in range(14):
        pair.send(np.full(2, 3))
        steps.append(pair.recv())
    ends = [place for place, step in enumerate(steps) if step.truncated.any()]
    (end,) = ends
    assert steps[end].truncated.all()
    assert not any(step.terminated.any() for step in steps)
    np.testing.assert_array_equal(steps[end].obs["screen"][:, -1], steps[end - 1].obs["screen"][:, -1])
    assert steps[end].obs["screen"][:, -1].std() > 0, "not black"
    np.testing.assert_allclose(steps[end].reward, -0.0002, rtol=1e-3, err_msg="two tics were left")
    after = steps[end + 1]
    assert not after.reward.any()
    assert not (after.terminated | after.truncated).any()
    assert not after.obs["screen"][:, 0].any(), "a stack begins anew"


def test_seeds_decide_and_games_do_not_touch_each_other(pair: DoomGames) -> None:
    def played(seeds: list[int]) -> list[Any]:
        found = [pair.reset(np.array(seeds))]
        for action in np.random.default_rng(0).integers(6, size=(20, 2)):
            pair.send(action)
            found.append(pair.recv().obs)
        return found

    first, again, other = played([3, 4]), played([3, 4]), played([3, 5])
    for one, two, three in zip(first, again, other, strict=True):
        assert all(np.array_equal(one[part], two[part]) for part in one)
        assert all(np.array_equal(one[part][0], three[part][0]) for part in one)
    assert any(
        not np.array_equal(one["screen"][1], three["screen"][1]) for one, three in zip(first, other, strict=True)
    )


def test_what_happens_in_the_game_ends_an_episode() -> None:
    """The monster of the simplest scenario is shot: 101 less what it cost."""
    games = make("VizdoomBasic-v1", stack=1)
    assert action_names(games) == ("none", "attack", "move right", "move left")
    games.reset(np.zeros(1, int))
    for _ in range(400):
        games.send(np.random.default_rng(_).integers(4, size=1))
        step = games.recv()
        if step.terminated[0]:
            break
    assert step.terminated[0]
    assert not step.truncated[0]
    assert step.reward[0] > 50
    games.close()


def test_a_person_sees_colours() -> None:
    screening = Screening(EnvConfig(HOME, parts=("position",)))
    picture = screening.reset(0)
    assert picture.shape == (120, 160, 3)
    assert (picture[..., 0] != picture[..., 2]).any()
    screening.close()


def gone(condition: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether something comes true soon."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


def lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


SCRIPT = """
import numpy as np, time
from triptych import envs
games = envs.make(envs.EnvConfig("VizdoomMyWayHome-v1"), 1)
games.reset(np.arange(1))
engine = games.envs[0].unwrapped.engine
print(engine.process.pid, *engine.left["engine"], engine.folder, *engine.left["shared"], flush=True)
time.sleep(100)
"""


def started(tmp_path: Path) -> tuple[subprocess.Popen[str], int, int, str, list[str]]:
    """A process that plays: itself, its game's process, the engine, their folder, and their files in shared memory."""
    ours = str(Path(envs.__file__).parents[2])
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": ours}
    work = tmp_path / "work"
    work.mkdir()
    playing = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True, cwd=work, env=environment
    )
    assert playing.stdout is not None
    worker, process, folder, *shared = playing.stdout.readline().split()
    playing.stdout.close()
    assert lives(int(worker))
    assert lives(int(process))
    assert len(shared) == 3
    assert all(Path(file).exists() for file in shared)
    return playing, int(worker), int(process), folder, shared


def test_a_killed_training_leaves_no_engine_and_no_files(tmp_path: Path) -> None:
    playing, worker, process, folder, shared = started(tmp_path)
    playing.kill()
    playing.wait()
    assert gone(lambda: not lives(worker) and not lives(process))
    assert gone(lambda: not Path(folder).exists())
    assert not any(Path(file).exists() for file in shared)
    assert not list((tmp_path / "work").iterdir())


def test_an_engine_dies_with_its_killed_process_and_the_next_games_clean_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    playing, worker, process, folder, shared = started(tmp_path)
    os.kill(worker, signal.SIGSTOP)  # so that it cannot clean up
    playing.kill()
    playing.wait()
    monkeypatch.setattr(engine.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(engine, "FRESH", 0)
    engine.sweep()
    assert Path(folder).exists(), "a process is left that may use it"
    os.kill(worker, signal.SIGKILL)
    assert gone(lambda: not lives(process))
    assert gone(lambda: not lives(worker))
    assert all(Path(file).exists() for file in shared)
    engine.sweep()
    assert not Path(folder).exists()
    assert not any(Path(file).exists() for file in shared)


def test_a_broken_engine_is_told_in_one_line_and_leaves_nothing() -> None:
    games = make()
    games.reset(np.zeros(1, int))
    one = games.envs[0].unwrapped.engine  # type: ignore[attr-defined]
    one.process.kill()
    one.process.wait()
    games.send(np.zeros(1, int))
    said = r"failed in game 0 at step 1 of its episode: .*process has ended \(SIGKILL\)"
    with pytest.raises(EnvironmentFailed, match=said):
        games.recv()
    games.close()
    assert gone(lambda: not lives(one.left["engine"][0]))
    assert not Path(one.folder).exists()
    assert not any(Path(file).exists() for file in one.left["shared"])


def stepped(said: str, games: DoomGames) -> None:
    """Takes a step, which must fail and say so; the games leave nothing."""
    one = games.envs[0].unwrapped.engine  # type: ignore[attr-defined]
    games.send(np.zeros(1, int))
    with pytest.raises(EnvironmentFailed, match=said):
        games.recv()
    games.close()
    assert gone(lambda: not lives(one.process.pid) and not lives(one.left["engine"][0]))
    assert not Path(one.folder).exists()
    assert not any(Path(file).exists() for file in one.left["shared"])


def test_a_killed_engine_is_told_in_one_line_and_leaves_nothing() -> None:
    games = make()
    games.reset(np.zeros(1, int))
    one = games.envs[0].unwrapped.engine  # type: ignore[attr-defined]
    os.kill(one.left["engine"][0], signal.SIGKILL)
    assert lives(one.process.pid), "its process is there to tell"
    stepped(r"failed in game 0 at step 1 of its episode: EngineError: ViZDoom\w+: ", games)


def test_a_hung_game_is_told_after_a_while_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    assert engine.ANSWER >= 60
    assert engine.START >= engine.ANSWER
    games = make()
    games.reset(np.zeros(1, int))
    os.kill(games.envs[0].unwrapped.engine.process.pid, signal.SIGSTOP)  # type: ignore[attr-defined]
    monkeypatch.setattr(engine, "ANSWER", 0.5)
    monkeypatch.setattr(engine, "PATIENCE", 0.5)
    begun = time.monotonic()
    stepped("failed in game 0 at step 1 of its episode: .*process has not answered within 0.5 seconds", games)
    assert time.monotonic() - begun < 30


def test_a_hung_engine_is_told_after_a_while_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    games = make()
    games.reset(np.zeros(1, int))
    os.kill(games.envs[0].unwrapped.engine.left["engine"][0], signal.SIGSTOP)  # type: ignore[attr-defined]
    monkeypatch.setattr(engine, "ANSWER", 0.5)
    monkeypatch.setattr(engine, "PATIENCE", 0.5)
    stepped("process has not answered within 0.5 seconds", games)


def test_a_position_beyond_the_map_ends_the_run_and_is_not_cut() -> None:
    games = make(parts=("position",))
    obs = games.reset(np.zeros(1, int))
    one = games.envs[0].unwrapped.engine  # type: ignore[attr-defined]
    answer = one.answer
    assert ((obs["position"] >= 0) & (obs["position"] <= 1)).all()

    def stray() -> Any:
        seen, *rest = answer()
        return seen | {"position": np.array([1.7, 0.5], np.float32)}, *rest

    one.answer = stray
    stepped(
        r"failed in game 0 at step 1 of its episode: its position is \(1.7, 0.5\); allowed: 0 to 1 and 0 to 1", games
    )


def test_the_worker_tells_a_position_as_it_is() -> None:
    doom = worker.Doom.__new__(worker.Doom)
    places = {vizdoom.GameVariable.POSITION_X: 17.0, vizdoom.GameVariable.POSITION_Y: 5.0}
    doom.parts, doom.bounds = ("position",), np.array([[0.0, 0.0], [10.0, 10.0]])
    space = {"screen": SimpleNamespace(shape=(2, 3))}
    state = SimpleNamespace(screen_buffer=np.zeros(6, np.uint8))
    doom.env, doom.game = (
        SimpleNamespace(state=state, observation_space=space),
        SimpleNamespace(get_game_variable=places.get),
    )
    np.testing.assert_allclose(doom.seen()["position"], [1.7, 0.5])


@pytest.mark.parametrize("tics", [4, 8])
def test_pictures_a_second_are_those_of_the_game(tics: int) -> None:
    games = make(frame_skip=tics)
    assert games.envs[0].metadata["render_fps"] == 35 / tics
    games.close()


def test_what_cannot_be_made_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for env_id, settings, said in (
        ("VizdoomMyWayHome-v0", {}, "did you mean VizdoomMyWayHome-v1?"),
        ("VizdoomNowhere-v1", {}, "env is 'VizdoomNowhere-v1'; "),
        (
            HOME,
            {"kwargs": '{"scenario_config_file": "nowhere.cfg"}'},
            "which cannot be made: FileDoesNotExistException",
        ),
        ("VizdoomBasic-MultiBinary-v1", {}, "action space MultiBinary(3); allowed: a Discrete one"),
        (
            HOME,
            {"parts": ("variables",)},
            "parts is ('variables',); allowed: no variables, as VizdoomMyWayHome-v1 has none",
        ),
        (HOME, {"parts": ("place",)}, "parts is ('place',); allowed: some of position, heading, variables"),
        (HOME, {"resolution": "100x100"}, "resolution is '100x100'; allowed: 160x120, "),
    ):
        with pytest.raises(InputError) as raised:
            envs.make(EnvConfig(env_id, **settings), 1)
        assert said in str(raised.value)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "vizdoom" else find(name, *rest)
    )
    with pytest.raises(InputError, match="vizdoom is not installed; allowed: pip install"):
        envs.find("VizdoomNowhere-v1")
