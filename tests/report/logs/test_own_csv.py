"""One's own CSV files: whatever separators, order and names of columns, and what `--columns` says of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from triptych.report.logs import Log, read, read_all
from triptych.report.logs.parts import appended, rolling
from triptych.report.page import report
from triptych.utils.checks import InputError

CSVS = {
    "semicolons and commas": "Episode;Running Reward\n1;1,5\n2;2,5\n",
    "byte-order mark": "\ufeffepisode,running_reward\n1,1.5\n2,2.5\n",
    "other order and other names": "Running-Reward,Time,Episodes\n1.5,1,1\n2.5,2,2\n",
    "torn last line": "episode,running_reward\n1,1.5\n2,2.5\n3",
    "torn in the middle": "episode,running_reward\n1,1.5\n7,,,\n2,2.5\n",
    "blank lines and no number": "episode,running_reward,who\n\n1,1.5,me\n\n2,2.5,you\n",
    "tabs": "episode\trunning_reward\n1\t1.5\n2\t2.5\n",
    "not in order": "episode,running_reward\n2,2.5\n1,1.5\n",
}


def one(folder: Path, content: str | bytes, name: str = "mine.csv", **options: object) -> Log:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    (log,) = read(str(file), folder, **options)  # type: ignore[arg-type]
    return log


@pytest.mark.parametrize("name", CSVS)
def test_the_same_run_however_it_is_written(name: str, tmp_path: Path) -> None:
    log = one(tmp_path, CSVS[name])
    assert log.name == "mine"
    assert log.columns["episode"] == [1, 2]
    assert log.columns["running_reward"] == [1.5, 2.5]
    assert bool(log.notes) == (name.startswith("torn") or name == "not in order")
    page = report([str(tmp_path / "mine.csv")], runs_dir=tmp_path, out=tmp_path / "p.html")
    assert '"running_reward": [1.5, 2.5]' in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"a,b\n1,2\n", "has columns a, b, of which none is known"),
        (b"steps,episode\n1,2\n", "has columns steps, episode, of which none is known to be a result"),
        (b"steps,reward\n", "has no row of 2 fields"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "has"),
    ],
)
def test_unusable_files_are_one_line_that_says_what_to_do(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(content)
    with pytest.raises(InputError, match=said) as error:
        read(str(tmp_path / "log.csv"), tmp_path)
    assert "\n" not in str(error.value)
    with pytest.raises(InputError, match="no such file or run"):
        read("nothing.csv", tmp_path)


def test_unknown_columns_are_named_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has columns ep, fitness, of .* --columns ep_ret=episode_reward total=steps"):
        one(tmp_path, "ep,fitness\n" * 1 + "x,y\n")
    with pytest.raises(InputError, match=r"columns Ertrag, Schritte, .*allowed: --columns THEIRS=ours"):
        one(tmp_path, "Ertrag;Schritte\n1,5;10\n2,5;20\n")
    log = one(tmp_path, "Ertrag;Schritte\n1,5;10\n2,5;20\n", columns=["Ertrag=episode_reward", "Schritte=steps"])
    assert log.columns["steps"] == [10, 20]
    assert log.columns["episode_reward"] == [1.5, 2.5]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("ep_rett=steps", "columns is 'ep_rett', which no file has; allowed: ep_ret, total"),
        (
            "ep_ret=reward",
            "columns is 'ep_ret=reward', which ends on no name of ours; allowed: THEIRS= one of episode, steps, frames",
        ),
        ("ep_ret", "columns is 'ep_ret'; allowed: THEIRS=ours"),
        ("=steps", "columns is '=steps'; allowed: THEIRS=ours"),
    ],
)
def test_a_column_misspelt_on_either_side_is_one_line(given: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        one(tmp_path, "ep_ret,total\n1,2\n", columns=[given])
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_what_columns_names_wins_over_what_is_known(tmp_path: Path) -> None:
    log = one(tmp_path, "step,reward,score\n1,2,3\n", columns=["score=episode_reward"])
    assert log.columns["episode_reward"] == [3]
    assert log.columns["reward"] == [2]


def test_values_that_are_no_numbers_are_said(tmp_path: Path) -> None:
    log = one(tmp_path, "episode,reward\n1,abc\n2,nan\n3,5\n")
    assert log.columns["episode_reward"] == [None, None, 5]
    assert log.columns["running_reward"] == [None, None, 5]
    assert log.notes == ("mine.csv: 2 values of reward are no finite numbers and are left out",)


def test_foreign_frames_are_agent_steps_unless_said(tmp_path: Path) -> None:
    content = "frames,running_reward\n10000,1\n20000,2\n"
    assert one(tmp_path, content).columns["steps"] == [10000, 20000]
    assert one(tmp_path, content, frames_are="emulator").columns["frames"] == [10000, 20000]


def test_a_row_an_episode_gets_the_mean_of_a_hundred(tmp_path: Path) -> None:
    rewards = np.random.default_rng(0).normal(size=250)
    rows = "".join(f"{number},{reward!r}\n" for number, reward in enumerate(rewards.tolist(), start=1))
    log = one(tmp_path, "episode,score\n" + rows)
    assert log.columns["running_reward"][249] == pytest.approx(rewards[150:].mean())
    assert log.columns["running_reward"][10] == pytest.approx(rewards[:11].mean())
    assert log.columns["max_reward"][249] == rewards[150:].max()
    assert [len(found) for found in rolling(np.ones(0))] == [0, 0]


def test_rows_that_are_not_every_episode_get_no_running_reward(tmp_path: Path) -> None:
    log = one(tmp_path, "episode,steps,score\n10,99,1\n20,199,2\n")
    assert "running_reward" not in log.columns


@pytest.mark.parametrize(
    ("second", "episodes", "seconds"),
    [
        ("3,30,3.5,1\n4,40,4,2\n", [1, 2, 3, 4], [10, 20, 21, 22]),  # goes on; its clock started anew
        ("2,20,9,5\n3,30,3,6\n", [1, 2, 3], [10, 15, 16]),  # resumed before the end: its rows count
        ("1,10,3,1\n2,20,4,2\n", [1, 2, 3, 4], [10, 20, 21, 22]),  # all counters started anew
    ],
)
def test_one_run_in_several_files(second: str, episodes: list, seconds: list, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("episode,steps,running_reward,seconds\n1,10,1,10\n2,20,2,20\n")
    (tmp_path / "b.csv").write_text("episode,steps,running_reward,seconds\n" + second)
    (log,) = read(f"{tmp_path / 'a.csv'}+{tmp_path / 'b.csv'}", tmp_path)
    assert log.columns["episode"] == episodes
    assert log.columns["seconds"] == seconds


def test_parts_with_other_columns_are_joined() -> None:
    joined = appended(
        {"episode": np.array([1.0]), "loss": np.array([0.5])}, {"episode": np.array([2.0]), "epsilon": np.array([0.1])}
    )
    np.testing.assert_equal(joined, {"episode": [1.0, 2.0], "loss": [0.5, np.nan], "epsilon": [np.nan, 0.1]})


def test_a_column_of_seeds_makes_runs(tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text("seed,step,reward\n1,10,1\n2,10,5\n1,20,2\n2,20,6\n")
    logs = read(str(tmp_path / "all.csv"), tmp_path)
    assert [(log.name, list(log.columns["steps"]), list(log.columns["episode_reward"])) for log in logs] == [
        ("all, seed 1", [10, 20], [1, 2]), ("all, seed 2", [10, 20], [5, 6]),
    ]  # fmt: skip


def test_columns_of_agents_and_games_make_runs_of_these_names(tmp_path: Path) -> None:
    rows = "DQN,Pong,1,-21\nDQN,Pong,2,-20\nRainbow,Pong,1,-19\nRainbow,Pong,2,3\n"
    (tmp_path / "all.csv").write_text("agent,game,iteration,train_episode_returns\n" + rows)
    logs = read(str(tmp_path / "all.csv"), tmp_path)
    assert [(log.name, log.game, list(log.columns["mean_reward"])) for log in logs] == [
        ("DQN", "Pong", [-21, -20]), ("Rainbow", "Pong", [-19, 3]),
    ]  # fmt: skip


def test_a_counter_that_starts_over_makes_runs(tmp_path: Path) -> None:
    rows = "".join(f"{step},{step * run}\n" for run in (1, 2) for step in (100, 200, 300))
    (tmp_path / "all.csv").write_text("global_step,return\n" + rows)
    logs = read(str(tmp_path / "all.csv"), tmp_path)
    assert [(log.name, list(log.columns["episode_reward"])) for log in logs] == [
        ("all, part 1", [100, 200, 300]), ("all, part 2", [200, 400, 600]),
    ]  # fmt: skip


def test_equal_steps_stay_as_they_stand(tmp_path: Path) -> None:
    log = one(tmp_path, "step,reward\n10,3\n10,1\n20,2\n")
    assert log.columns["episode_reward"] == [3, 1, 2]


def test_a_file_that_counts_nothing_is_drawn_by_its_rows(tmp_path: Path) -> None:
    log = one(tmp_path, "score\n5\n6\n")
    assert log.columns["row"] == [1, 2]


def test_two_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.csv").write_text("episode,score\n1,1\n")
    logs = read_all([str(tmp_path / folder / "mine.csv") for folder in ("a", "b")], tmp_path)
    assert [log.name for log in logs] == ["mine", "mine (2)"]
