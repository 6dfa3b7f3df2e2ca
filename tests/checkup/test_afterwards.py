"""`triptych check RUN`: what a log says, ours or a stranger's, and no alarm on the runs that are shipped."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triptych
from tests.checkup.alarmed import write_alarms
from tests.cli.test_cli import call
from triptych.checkup.afterwards import judge_log
from triptych.checkup.afterwards.reading import what_was_read
from triptych.cli.checking import Check, CheckRun
from triptych.recipes import load_recipe
from triptych.report import logs
from triptych.report.logs.columns import Naming
from triptych.report.logs.tensorboard import run_of

RESULTS = Path(__file__).parents[2] / "results"
SHIPPED = sorted(path.parent for path in RESULTS.rglob("episodes.csv"))
ROWS = 400
Column = np.ndarray


def healthy() -> dict[str, Column]:
    """A run's episodes, as a learner of numbers would have them."""
    rng, place = np.random.default_rng(0), np.arange(ROWS)
    steps = 100 * (place + 1)
    return {
        "episode": place + 1,
        "steps": steps,
        "updates": np.maximum(0, steps - 2_000) // 4,
        "episode_reward": 10 + 40 * place / ROWS + 5 * rng.normal(size=ROWS),
        "episode_length": 100 + rng.integers(20, size=ROWS),
        "epsilon": np.maximum(0.1, 1 - steps / 20_000),
        "loss": np.abs(0.5 + 0.1 * rng.normal(size=ROWS)),
        "gradient_norm": np.abs(2 + 0.3 * rng.normal(size=ROWS)),
        "entropy": 1.4 - 0.8 * place / ROWS,
        "approx_kl": np.abs(0.01 * rng.normal(size=ROWS)),
        "seconds": steps / 900.0,
    }


def written(path: Path, columns: dict[str, Column]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow(["" if isinstance(value, float) and np.isnan(value) else value for value in row])
    return path


def found_in(path: Path, severities: tuple[str, ...] = ("warn", "stop")) -> list[str]:
    (log,) = logs.read(str(path), path.parent)
    return [one.signal.name for one in judge_log(log) if one.severity in severities]


def at(place: int, values: Any, value: float) -> Column:
    """The same with another value from a place on."""
    changed = np.array(values, float)
    changed[place:] = value
    return changed


FAULTS: dict[str, tuple[str, Callable[[dict[str, Column]], Any]]] = {
    "log-no-updates-yet": ("updates", lambda c: 0 * c["updates"]),
    "log-loss-ends": ("loss", lambda c: at(300, c["loss"], np.nan)),
    "log-loss-grows": ("loss", lambda c: c["loss"] * np.exp(np.maximum(0, np.arange(ROWS) - 200) / 20)),
    "log-loss-constant": ("loss", lambda c: at(200, c["loss"], 0.25)),
    "log-gradient-grows": ("gradient_norm", lambda c: c["gradient_norm"] * np.exp(np.maximum(0, np.arange(ROWS) - 200) / 20)),
    "log-gradient-zero": ("gradient_norm", lambda c: at(300, c["gradient_norm"], 0.0)),
    "log-reward-flat": ("episode_reward", lambda c: 10 + 5 * np.random.default_rng(1).normal(size=ROWS)),
    "log-reward-collapses": ("episode_reward", lambda c: np.where(np.arange(ROWS) < 300, c["episode_reward"], 11.0)),
    "log-epsilon-rises": ("epsilon", lambda c: np.where(np.arange(ROWS) < 300, c["epsilon"], 0.8)),
    "log-epsilon-stays": ("epsilon", lambda c: 0 * c["epsilon"] + 1),
    "log-kl-jumps": ("approx_kl", lambda c: c["approx_kl"] + (np.arange(ROWS) == 250)),
    "log-slows": ("seconds", lambda c: c["seconds"] * np.maximum(1, np.arange(ROWS) / 100) ** 2),
}  # fmt: skip


def test_a_healthy_log_raises_no_alarm(tmp_path: Path) -> None:
    assert found_in(written(tmp_path / "log.csv", healthy()), ("note", "warn", "stop")) == []


@pytest.mark.parametrize("signal", FAULTS)
def test_what_a_column_shows_is_found_and_nothing_else(signal: str, tmp_path: Path) -> None:
    name, change = FAULTS[signal]
    columns = healthy()
    columns[name] = change(columns)
    assert found_in(written(tmp_path / "log.csv", columns)) == [signal]


def test_a_policy_that_is_sure_without_having_learned_is_found(tmp_path: Path) -> None:
    columns = healthy()
    columns["entropy"] = at(100, columns["entropy"], 0.001)
    assert found_in(written(tmp_path / "log.csv", columns)) == [], "it has learned"
    columns["episode_reward"] = FAULTS["log-reward-flat"][1](columns)
    assert found_in(written(tmp_path / "log.csv", columns)) == ["log-reward-flat", "log-entropy-collapse"]


def test_tests_that_contradict_the_curve_are_found(tmp_path: Path) -> None:
    columns = healthy()
    columns["evaluation_mean"] = np.where(np.arange(ROWS) % 100 == 99, -30.0, np.nan)
    assert found_in(written(tmp_path / "log.csv", columns)) == ["log-score-contradicts"]


def test_a_counter_that_goes_back_is_found() -> None:
    steps = np.arange(100.0)
    steps[60:] -= 30
    (finding,) = judge_log(logs.Log("a", {"steps": logs.Numbers(steps)}))
    assert (finding.signal.name, finding.measured) == ("log-counter-back", "steps falls from 59 to 30 at row 61")


def test_episodes_of_one_length_are_a_note(tmp_path: Path) -> None:
    columns = healthy()
    columns["episode_length"] = 0 * columns["episode_length"] + 100
    assert found_in(written(tmp_path / "log.csv", columns), ("note",)) == ["log-one-length"]


def with_reward(path: Path, rewards: Column) -> tuple[list[str], list[str]]:
    """The notes and the alarms of a log with these rewards."""
    table = written(path, {"steps": 100 * np.arange(1, len(rewards) + 1), "episode_reward": rewards})
    return found_in(table, ("note",)), found_in(table)


def test_a_ceiling_from_the_first_row_on_is_a_note(tmp_path: Path) -> None:
    rng, file = np.random.default_rng(3), tmp_path / "log.csv"
    assert with_reward(file, np.where(rng.random(ROWS) < 0.9, 500.0, 490.0)) == (["log-at-ceiling"], [])


@pytest.mark.parametrize("head", [3, 5, 12])
def test_what_is_solved_within_the_first_rows_was_learned(head: int, tmp_path: Path) -> None:
    place, rng = np.arange(ROWS), np.random.default_rng(4)
    for spread in (0, 20):
        rewards = np.where(place < head, 20.0, 450 + spread * rng.normal(size=ROWS))
        assert with_reward(tmp_path / "log.csv", rewards) == ([], [])
        fallen = np.where(place > 300, 20 + 0.1 * spread * rng.normal(size=ROWS), rewards)
        assert with_reward(tmp_path / "log.csv", fallen) == ([], ["log-reward-collapses"])


FLAT: dict[str, Callable[[np.random.Generator], Column]] = {
    "noise": lambda rng: 10 + 5 * rng.normal(size=ROWS),
    "always the lowest": lambda rng: np.full(ROWS, -200.0),
    "seldom above the lowest": lambda rng: np.where(rng.random(ROWS) < 0.95, -21.0, -20.0),
    "now and then a success": lambda rng: 1.0 * (rng.random(ROWS) < 0.1),
    "nothing, and now and then a fall": lambda rng: np.where(rng.random(ROWS) < 0.9, 0.0, -1.0),
    "poles that fall at once": lambda rng: rng.choice([8.0, 9.0, 10.0], size=ROWS, p=[0.1, 0.4, 0.5]),
    "skewed": lambda rng: rng.exponential(20, size=ROWS),
}


@pytest.mark.parametrize("name", FLAT)
def test_a_reward_that_stays_at_the_bottom_is_told(name: str) -> None:
    told = 0
    for seed in range(20):
        columns = {"steps": np.arange(ROWS), "episode_reward": FLAT[name](np.random.default_rng(seed))}
        found = list(judge_log(logs.Log("a", {name: logs.Numbers(values) for name, values in columns.items()})))
        told += [one.signal.name for one in found] == ["log-reward-flat"]
    assert told >= 19, "chance may make one of twenty a rise"


def test_a_table_of_steps_reward_and_loss_is_enough(tmp_path: Path) -> None:
    columns = {name: healthy()[name] for name in ("steps", "episode_reward", "loss")}
    assert found_in(written(tmp_path / "log.csv", columns)) == []


def a_run(last: int, recipe: str = "cartpole", **summary: Any) -> logs.Log:
    """A run of ours without an update, of so many steps in its log."""
    told = {"steps": logs.Numbers([last / 2, last]), "updates": logs.Numbers([0, 0])}
    return logs.Log("a", told, config={"recipe": load_recipe(recipe)}, summary=summary)


@pytest.mark.parametrize(
    ("log", "found"),
    [
        (a_run(900), []),  # its warm-up takes 1,000 steps
        (a_run(1_900), []),
        (a_run(2_100), ["log-no-updates"]),
        (a_run(900, stopped_by="steps", steps=900), ["log-no-updates"]),
        (a_run(900, stopped_by="interrupted", steps=900), []),
        (a_run(900, stopped_by="steps", steps=500), []),  # and another session goes on with it
        (a_run(400, "cartpole-ppo"), []),
        (a_run(3_000, "cartpole-ppo"), ["log-no-updates"]),
    ],
)
def test_a_run_in_its_warm_up_is_not_told_of_updates(log: logs.Log, found: list[str]) -> None:
    assert [one.signal.name for one in judge_log(log)] == found


def test_a_run_that_is_over_without_an_update_is_found(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    triptych.train("cartpole", steps=300, run_name="a", runs_dir=tmp_path, video=False, on_alarm="off")
    assert call("check", "a", "--runs-dir", str(tmp_path)) == 6
    assert "log-no-updates: the run was never updated" in capsys.readouterr().out
    (tmp_path / "a" / "summary.json").unlink()  # as while it goes on
    assert call("check", "a", "--runs-dir", str(tmp_path)) == 0


def test_a_gradient_that_begins_with_the_first_reward_is_no_explosion(tmp_path: Path) -> None:
    columns, rng = healthy(), np.random.default_rng(2)
    learns = np.arange(ROWS) >= 240
    for wide in (0.2, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0):
        columns["gradient_norm"] = np.where(learns, 0.5, 1e-4) * np.exp(wide * rng.normal(size=ROWS))
        columns["episode_reward"] = 1.0 * (learns & (240 + 160 * rng.random(ROWS) < np.arange(ROWS)))
        assert found_in(written(tmp_path / "log.csv", columns)) == []
    columns["gradient_norm"] = 1e-6 * np.exp(np.maximum(0, np.arange(ROWS) - 200) / 25)  # below the floor it may rise
    assert found_in(written(tmp_path / "log.csv", columns)) == []


@pytest.mark.parametrize("folder", SHIPPED, ids=[str(path.relative_to(RESULTS)) for path in SHIPPED])
def test_no_shipped_run_raises_an_alarm(folder: Path) -> None:
    for log in logs.read(str(folder), RESULTS):
        assert [one.line() for one in judge_log(log) if one.severity != "note"] == []


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    triptych.train("cartpole", steps=300, warm_up=100, run_name="a", runs_dir=folder, video=False, on_alarm="off")
    write_alarms(folder / "a", 100)
    return folder


def test_a_run_of_ours_is_read_with_its_own_alarms(run: Path, capsys: pytest.CaptureFixture) -> None:
    assert call("check", "a", "--runs-dir", str(run), "--json") == 6
    *lines, last = capsys.readouterr().out.splitlines()
    found = json.loads(last)
    assert (found["subject"], [one["signal"] for one in found["findings"]]) == ("a", ["odd"])
    assert found["findings"][0]["causes"] == ["a first reason", "a second one"]
    assert any(line.startswith("looked at the log of a: 1 alarm, ") for line in lines)
    assert [one.signal.name for one in triptych.check(run / "a").alarms] == ["odd"]


@pytest.mark.parametrize(
    "words",
    [
        "a --runs-dir={}",
        "--runs-dir={} a",
        "--runs-dir {} a --json",
        "--runs_dir={} --json a --quiet",
        "--framework jax --runs-dir {} a --no-verbose",
    ],
)
def test_a_run_is_read_wherever_it_stands_among_flags(words: str, run: Path) -> None:
    assert Check.for_arguments(words.format(run).split()) is CheckRun


@pytest.mark.parametrize(
    "words", ["cartpole --framework a", "cartpole --seed=3 --env.nonsense a", "a/b --runs-dir=nowhere"]
)
def test_the_value_of_a_flag_is_no_run(words: str, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run)
    assert Check.for_arguments(words.split()) is Check


def test_the_log_is_read_and_not_the_recipe_of_its_run(run: Path, capsys: pytest.CaptureFixture) -> None:
    assert call("check", f"--runs-dir={run}", "a", "--json") == 6
    assert [one["what"] for one in json.loads(capsys.readouterr().out.splitlines()[-1])["looks"]] == ["the log of a"]


def test_a_log_of_another_tool_is_read_with_its_columns(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    columns = {"total": healthy()["steps"], "gain": FAULTS["log-reward-collapses"][1](healthy())}
    file = written(tmp_path / "theirs.csv", columns)
    assert call("check", str(file), "--columns", "total=steps", "gain=episode_reward") == 6
    assert "log-reward-collapses" in capsys.readouterr().out


def test_what_is_no_log_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "x.csv").write_text("words\nand more\n")
    for words in ([str(tmp_path / "x.csv")], [str(tmp_path)], [str(tmp_path), "--gamma", "1"]):
        assert call("check", *words) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1


def lossy(path: Path, cells: list[str], name: str = "loss") -> list[str]:
    """What is found in a healthy log without a count of updates, its last losses written as they are told."""
    columns = {own: healthy()[own] for own in ("steps", "episode_reward")}
    losses = [str(value) for value in healthy()["loss"]]
    losses[len(losses) - len(cells) :] = cells
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*columns, name])
        writer.writerows(zip(*columns.values(), losses, strict=True))
    return found_in(path)


@pytest.mark.parametrize("word", ["nan", "NaN", "inf", "-inf"])
@pytest.mark.parametrize("rows", [1, 20, 200, 390])
def test_a_loss_that_is_no_number_to_the_end_is_told_without_updates(word: str, rows: int, tmp_path: Path) -> None:
    assert lossy(tmp_path / "log.csv", [word] * rows) == ["log-loss-ends"]
    assert lossy(tmp_path / "log.csv", [word] * rows, "value_loss") == ["log-loss-ends"]


def test_a_loss_that_is_blank_to_the_end_is_told_where_rows_go_on_for_long(tmp_path: Path) -> None:
    assert lossy(tmp_path / "log.csv", [""] * 200) == ["log-loss-ends"]
    assert lossy(tmp_path / "log.csv", [""] * 40) == []
    seldom = ["0.5" if row % 60 == 0 else "" for row in range(361)]
    assert lossy(tmp_path / "log.csv", [*seldom, *[""] * 25]) == [], "it was written every 60th row"


def test_a_loss_that_is_no_number_where_nothing_is_learned_is_no_end(tmp_path: Path) -> None:
    every = ["0.5" if row % 10 == 0 else "nan" for row in range(395)]
    assert lossy(tmp_path / "log.csv", every) == []
    assert lossy(tmp_path / "log.csv", [*["nan"] * 200, *["0.5", "0.6"] * 100]) == []


def test_a_loss_in_json_and_in_event_files_ends_too(tmp_path: Path) -> None:
    rows = [{"steps": 10 * row, "reward": row % 7, "loss": 0.5 if row < 90 else float("nan")} for row in range(100)]
    (tmp_path / "log.json").write_text("\n".join(map(json.dumps, rows)))
    assert found_in(tmp_path / "log.json") == ["log-loss-ends", "log-reward-flat"]
    step = np.arange(100.0)
    curve = {"step": step, "time": step, "value": np.where(step < 90, 0.5, np.inf)}
    (end,) = run_of("a", {"train/loss": curve}, Naming(), exported=False).ends
    assert (end.rows, end.broken, end.row, end.since) == (10, 10, 91, 89)


def test_a_counter_that_goes_back_in_somebodys_file_is_found_before_its_rows_are_sorted(tmp_path: Path) -> None:
    columns = {name: healthy()[name] for name in ("steps", "episode_reward", "loss")}
    columns["steps"] = np.where(np.arange(ROWS) < 200, columns["steps"], columns["steps"] - 6_000)
    (log,) = logs.read(str(written(tmp_path / "log.csv", columns)), tmp_path)
    (finding,) = judge_log(log)
    told = "steps falls from 20,000 to 14,100 at row 201"
    assert (finding.signal.name, finding.measured) == ("log-counter-back", told)
    shuffled = np.random.default_rng(5).permutation(ROWS)
    written(tmp_path / "log.csv", {name: values[shuffled] for name, values in columns.items()})
    assert "log-counter-back" not in found_in(tmp_path / "log.csv"), "its rows stand in no order at all"


def test_each_of_several_logs_is_named(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    flat = FAULTS["log-reward-flat"]
    for name, change in (("one", flat[1]), ("two", lambda c: c["episode_reward"]), ("three", flat[1])):
        written(tmp_path / f"{name}.csv", {"steps": healthy()["steps"], "episode_reward": change(healthy())})
    assert call("check", str(tmp_path), "--json") == 6
    *lines, last = capsys.readouterr().out.splitlines()
    told = [line.split(": the")[0] for line in lines if line.startswith("warn")]
    assert told == ["warn  one: log-reward-flat", "warn  three: log-reward-flat"]
    assert [(one["log"], one["signal"]) for one in json.loads(last)["findings"]] == [
        ("one", "log-reward-flat"),
        ("three", "log-reward-flat"),
    ]


def test_quiet_tells_alarms_and_the_result_alone(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    columns = healthy() | {"episode_length": np.full(ROWS, 100)}
    file = written(tmp_path / "log.csv", columns)
    assert call("check", str(file), "--quiet") == 0
    assert capsys.readouterr().out == f"{file}: nothing looks wrong\n"
    written(file, columns | {"loss": FAULTS["log-loss-constant"][1](columns)})
    assert call("check", str(file), "--quiet") == 6
    first, *causes, last = capsys.readouterr().out.splitlines()
    assert first.startswith("warn  log-loss-constant: ")
    assert last == f"{file}: 1 alarm"
    assert all(line.startswith("      ") for line in causes)


def test_it_is_said_what_was_read_and_why_nothing_is_told(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    file = tmp_path / "short.csv"
    rows = [f"{100 * row},{'abc' if row % 4 == 0 else 10 + row % 7},\n" for row in range(40)]
    file.write_text("step,reward,loss\n" + "".join(rows))
    assert call("check", str(file)) == 0
    looked, *read, last = capsys.readouterr().out.splitlines()
    assert looked.startswith("looked at the log of short: 0 alarms")
    assert last.endswith(": nothing looks wrong")
    assert read == [
        "      40 rows read: steps (column step), episode_reward (column reward, a number in 30 of them)",
        "      short.csv: 10 values of reward are no finite numbers and are left out",
        "      no numbers of loss: nothing is told of it",
        "      curves are judged from 100 rows on, so these were not: episode_reward has 30",
    ]


def test_an_epsilon_that_stays_is_told_as_it_is(tmp_path: Path) -> None:
    columns = healthy()
    for low, told in ((1.0, "1 in all 400 rows"), (0.8, "never below 0.8 in 400 rows")):
        columns["epsilon"] = np.linspace(1.0, low, ROWS)
        (log,) = logs.read(str(written(tmp_path / "log.csv", columns)), tmp_path)
        assert [one.measured for one in judge_log(log)] == [told]


@pytest.mark.parametrize(("signal", "found"), [("never-trains", 1), ("no-updates", 1), ("odd", 2)])
def test_a_run_that_said_that_it_never_trains_is_not_told_so_twice(signal: str, found: int) -> None:
    alarm = {"signal": signal, "severity": "stop", "title": "a", "measured": "b", "expected": "", "causes": "", "look": "", "since": 0}  # fmt: skip
    log = dataclasses.replace(a_run(900, stopped_by="steps", steps=900), alarms=[alarm])
    assert len(list(judge_log(log))) == found


@pytest.mark.parametrize("word", ["missing.csv", "a/missing.csv", "a/missing.json"])
def test_a_log_that_is_not_there_is_told_as_one(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("check", word) == 2
    said = capsys.readouterr().err.strip()
    assert f"log is '{word}': no such file or run; allowed: " in said
    assert "a log of another tool" in said
    assert len(said.splitlines()) == 1


def test_a_run_in_its_warm_up_is_read_without_a_loss() -> None:
    columns = {"steps": [1, 2], "episode_reward": [1, 2], "loss": [None, None]}
    log = logs.Log("a", {name: logs.Numbers(np.array(values, float)) for name, values in columns.items()})
    assert list(what_was_read(log))[:2] == [
        "2 rows read: steps, episode_reward",
        "no numbers of loss: nothing is told of it",
    ]
