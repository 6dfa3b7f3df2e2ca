"""The page: what it reads, what it says, and that no name or torn line breaks it."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import shutil
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triptych
from triptych import envs
from triptych.envs import EnvConfig
from triptych.recipes import Recipe, load_recipe
from triptych.recipes.override import override
from triptych.report import curves, figures, tables, words
from triptych.report import random_play as statistics
from triptych.report.command import repeat
from triptych.report.logs import Log, read
from triptych.report.page import report
from triptych.report.series import series_of
from triptych.utils.checks import InputError


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeds in one framework, and a third run whose name is hostile."""
    folder = tmp_path_factory.mktemp("runs")
    settings: dict[str, Any] = {
        "steps": 700,
        "warm_up": 200,
        "evaluate_every": 300,
        "evaluate_games": 2,
        "log_every": 50,
    }
    for name, seed in (("a", 0), ("b", 1), ("<script>alert(1)<", 2)):
        triptych.train("cartpole", "torch", run_name=name, runs_dir=folder, seed=seed, **settings)
    return folder


def data_of(page: Path) -> tuple[str, dict[str, Any]]:
    """The page's text, and the data of its first game's figures."""
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert found is not None
    return text, json.loads(found[1])[0]


def test_a_page_of_two_seeds_and_a_hostile_name(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "proof").mkdir()
    verdict = {"agree": True, "steps": 3000, "updates": 2999, "worst_relative": 1e-13, "first_difference": None}
    (tmp_path / "proof" / "verdict.json").write_text(json.dumps(verdict))
    page = report([str(runs), str(tmp_path / "proof")], runs_dir=runs, out=tmp_path / "page.html")
    text, data = data_of(page)
    assert [run["name"] for run in data["runs"]] == ["<script>alert(1)<", "a", "b"]
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;" in text
    assert "2,999 updates" in text
    assert [axis for axis, _ in data["axes"]] == ["steps", "frames", "episode", "seconds"]
    (group,) = data["groups"]
    curve = group["curves"]["steps"]
    assert len(curve["x"]) == len(curve["mean"]) > 50
    assert all(low <= mean <= high for low, mean, high in zip(curve["low"], curve["mean"], curve["high"], strict=True))
    names = {column["name"] for column in data["columns"]}
    assert {"running_reward", "epsilon", "loss", "q_mean", "gradient_norm", "evaluation_mean"} <= names
    assert "bdata" not in json.dumps(data), "plain numbers, no base64"
    assert data["random"]["band"][0] < data["random"]["mean"] < data["random"]["band"][1]
    for source in ("class Net(nn.Module):", "def make_net():", "@nn.compact", "clip_by_global_norm"):
        assert source in unescape(text)
    commands = re.findall("triptych train cartpole --framework torch .*", text)
    assert len(commands) == 3
    assert "--seed 1" in commands[2]
    assert not re.search(r'<(?:script|img|video|link)[^>]+(?:src|href)="(?!data:)', text), "nothing is loaded"


def test_columns_are_the_log_s_own(runs: Path, tmp_path: Path) -> None:
    _, data = data_of(report(["a"], runs_dir=runs, out=tmp_path / "p.html"))
    log = read("a", runs)[0]
    episodes, metrics, _ = data["runs"][0]["parts"]
    assert episodes["episode_reward"] == log.columns["episode_reward"]
    assert metrics["q_mean"] == [None if q is None else float(f"{q:.6g}") for q in log.metrics["q_mean"]]
    assert metrics["frames"] == metrics["steps"]
    assert len(metrics["episode"]) == len(metrics["steps"])


def test_games_have_figures_and_lines_of_their_own(runs: Path, tmp_path: Path) -> None:
    """A CartPole score and one of another game share no axis, no group of seeds and no band."""
    other = {"steps": 600, "warm_up": 200, "evaluate_every": 0}
    triptych.train("cartpole", "torch", run_name="hill", runs_dir=tmp_path, seed=1, env="MountainCar-v0", **other)
    (tmp_path / "mine.csv").write_text("episode,running_reward\n1,1\n2,2\n")
    page = report([str(runs / "a"), str(tmp_path / "hill"), str(tmp_path / "mine.csv")], out=tmp_path / "p.html")
    text = unescape(page.read_text(encoding="utf-8"))
    charts = json.loads(re.findall(r'id="data">(.*?)</script>', text, re.S)[0])
    assert [(chart["game"], len(chart["runs"]), len(chart["groups"])) for chart in charts] == [
        ("CartPole-v1", 1, 0), ("MountainCar-v0", 1, 0), ("other logs", 1, 0),
    ]  # fmt: skip
    assert charts[0]["random"]["mean"] > 0 > charts[1]["random"]["mean"]
    assert "CartPole-v1. a after 700 steps" in text
    assert "MountainCar-v0. hill" in text
    assert "Learning: MountainCar-v0" in text
    page = report([str(runs / "a"), str(tmp_path / "mine.csv")], out=tmp_path / "p.html")
    assert len(data_of(page)[1]["runs"]) == 2, "over the only game, a file that names none is drawn too"


def test_tests_of_the_weights_are_told(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "b", tmp_path / "b")
    triptych.evaluate("b", games=3, epsilon=0.05, runs_dir=tmp_path)
    found = triptych.evaluate("b", games=5, runs_dir=tmp_path)
    before = {file.name: file.read_bytes() for file in (tmp_path / "b" / "evaluations").iterdir()}
    triptych.evaluate("b", games=5, runs_dir=tmp_path)
    assert {file.name: file.read_bytes() for file in (tmp_path / "b" / "evaluations").iterdir()} == before
    assert len(before) == 2, "the same test again takes the same place"
    text = unescape(report(["b"], runs_dir=tmp_path).read_text(encoding="utf-8"))
    assert f"its best weights scored {found.mean:,.1f}" in text
    assert "in 5 new games without random moves" in text
    assert "Weights tested" in text


def test_only_tests_of_the_present_weights_are_told() -> None:
    def test(**changes: Any) -> dict[str, Any]:
        return {
            "weights": "best",
            "updates": 900,
            "epsilon": 0.0,
            "games": 50,
            "mean": 400.0,
            "low": 390.0,
            "high": 410.0,
            "policy": "greedy",
            "env": "CartPole-v1",
            "sticky": None,
            "flicker": 0.0,
        } | changes

    old, random = test(updates=10, games=100, mean=20.0), test(epsilon=1.0, games=200, mean=3.0)
    elsewhere = [
        test(games=100, mean=31.0, **{name: value})
        for name, value in (("sticky", 0.25), ("env", "X-v0"), ("flicker", 0.5))
    ]
    noisy = test(epsilon=0.001, mean=350.0, low=340.0, high=360.0)
    log = Log("x", {"steps": [1.0, 300.0], "running_reward": [1.0, 2.0], "epsilon": [1.0, 0.005]},
              config={"recipe": load_recipe("cartpole")}, evaluations=[old, random, noisy, test(), *elsewhere],
              summary={"steps": 100})  # fmt: skip
    said = words.outcome(log, {})
    assert "scored 400.0 (95 % interval 390.0 to 410.0) in 50 new games without random moves and 350.0 " in said
    assert "in 50 new games with 0.1 % random moves" in said
    assert "20.0" not in said
    assert "3.0" not in said
    assert "31.0" not in said, "tests in other games than the training's"
    both = [
        dataclasses.replace(log, framework="jax", config={"recipe": load_recipe(name)})
        for name in ("cartpole-a2c", "cartpole-ppo")
    ]
    assert words.lead(both).startswith("2 runs of A2C and PPO on CartPole-v1")
    kung_fu = {"recipe": load_recipe("kung-fu-master")}
    same = [
        test(env="KungFuMasterNoFrameskip-v4", sticky=0.0),
        test(env="KungFuMasterNoFrameskip-v4", sticky=0.25, mean=31.0),
    ]
    said_of_atari = words.outcome(dataclasses.replace(log, config=kung_fu, evaluations=same), {})
    assert "scored 400.0" in said_of_atari, "a recipe that leaves sticky actions to the id was trained as the id says"
    assert "31.0" not in said_of_atari
    four = {"games": 4, "sticky": 0.0, "rewards": [3.0, 3.0, 3.0, 4.0], "lengths": [9, 9, 8, 9]}
    again = dataclasses.replace(log, config=kung_fu, evaluations=[test(env="KungFuMasterNoFrameskip-v4", **four)])
    assert "in 4 new games (3 different ones) without" in words.outcome(again, {})
    one = dataclasses.replace(log, evaluations=[test(games=1)])
    assert "scored 400.0 in 1 new game without" in words.outcome(one, {}), "one game has no interval"
    drawn = dataclasses.replace(log, evaluations=[test(policy="sample")])
    assert "in 50 new games with moves drawn from its policy" in words.outcome(drawn, {})
    assert "(at the end with 0.5 % random moves)" in said
    assert "after 300 steps" in said, "the summary is of an earlier session"


@pytest.mark.parametrize(
    ("changes", "left_out"),
    [
        ({"id": "CartPole-v1"}, {"crop", "size", "colour", "stack", "fill", "layout", "drop", "maximum"}),
        ({"id": "CartPole-v1", "render": True}, {"layout", "drop"}),
        ({"id": "SpaceInvadersNoFrameskip-v4"}, {"fill"}),
        ({"id": "ALE/Pong-v5"}, {"fill", "frame_skip"}),
        ({"id": "SpaceInvaders-v4"}, {"layout", "drop", "frame_skip"}),  # a random frame skip: played one by one
        ({"id": "triptych/MemoryChain-v0"}, {"blind"}),
    ],
)
def test_what_a_game_never_reads(changes: dict[str, Any], left_out: set[str]) -> None:
    config = EnvConfig(**changes)
    games = envs.make(config, 1)
    games.close()
    assert envs.unread(config, games.observation) == left_out


def test_settings_that_the_game_never_reads_are_left_out(runs: Path) -> None:
    named = {row["name"] for row in tables.settings([read("a", runs)])}
    assert {"framework", "env.id", "env.time_limit", "algorithm.gamma"} <= named
    assert not {"env.maximum", "env.sticky", "env.crop", "env.stack"} & named


def test_a_setting_that_came_after_the_run_is_not_made_up(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "a", tmp_path / "a")
    config = json.loads((tmp_path / "a" / "config.json").read_text())
    del config["recipe"]["algorithm"]["compress"]
    (tmp_path / "a" / "config.json").write_text(json.dumps(config))
    rows = {row["name"]: row["values"] for row in tables.settings([read("a", tmp_path), read("b", runs)])}
    assert rows["algorithm.compress"] == ["not recorded", "yes"]


def test_default_place_and_films(runs: Path) -> None:
    (runs / "a" / "videos").mkdir(exist_ok=True)
    (runs / "a" / "videos" / "update-000000300.mp4").write_bytes(b"film")
    page = report(["a"], runs_dir=runs)
    assert page == runs / "a" / "report.html"
    assert "data:video/mp4;base64,ZmlsbQ==" in page.read_text()
    assert report(["a", "b"], runs_dir=runs) == runs / "report.html"


def test_a_run_that_never_leaves_random_play_is_said() -> None:
    recipe = load_recipe("cartpole")
    rows = [99.0] * 99 + [23.0] * 100  # before the 100th episode a running reward is a few lucky games
    weak = Log("weak", {"steps": [*range(199)], "running_reward": rows}, config={"recipe": recipe})
    strong = Log(
        "strong", {"steps": [*range(199)], "running_reward": [*rows[:150], *[25.0] * 49]}, config={"recipe": recipe}
    )
    random = {weak.random_key: {"mean": 22.0, "high": 23.0, "band": [20.0, 24.0]}}
    (sentence,) = words.sentences([weak, strong], random)
    told = "weak plays no better than chance: its running reward stays within what random play reaches by luck (up to 24.0)"
    assert sentence == f"{told}."
    (sentence,) = words.sentences([dataclasses.replace(weak, evaluations=[of_test(22.5, 21.0, 24.0)])], random)
    assert sentence == f"{told}, and its best weights scored 22.5 in 20 test games."


def test_a_run_whose_best_weights_beat_random_play_in_a_test_is_no_alarm() -> None:
    """With many random moves its training scores may stay low."""
    log = Log(
        "good", {"steps": [*range(199)], "running_reward": [23.0] * 199, "epsilon": [0.64] * 199},
        config={"recipe": load_recipe("cartpole")}, evaluations=[of_test(470.0, 450.0, 490.0)],
    )  # fmt: skip
    assert words.sentences([log], {log.random_key: {"mean": 22.0, "high": 23.0, "band": [20.0, 24.0]}}) == []


def of_test(mean: float, low: float, high: float) -> dict[str, Any]:
    """A test of a run's best weights on CartPole, as an evaluation has it."""
    return {
        "weights": "best", "epsilon": 0.0, "updates": 1, "games": 20, "mean": mean, "low": low, "high": high, "policy": "greedy",
        "env": "CartPole-v1", "sticky": None, "flicker": 0.0,
    }  # fmt: skip


def test_a_run_whose_numbers_were_not_all_finite_is_said() -> None:
    told = {"broken_steps": 1, "broken_first": "g: the reward is nan in game 0, at step 20 of the run"}
    logs = [
        Log("odd", {}, summary=told),
        Log("older", {}, summary={"steps": 3}),
        Log("good", {}, summary={"broken_steps": 0, "broken_first": None}),
    ]
    assert words.sentences(logs, {}) == [
        "odd: 1 step was not learned from, as a reward or an observation was not finite. "
        "The first: g: the reward is nan in game 0, at step 20 of the run."
    ]


def test_every_test_of_a_long_run_is_drawn() -> None:
    steps = list(range(1_000, 3_000_000, 1_000))
    tests = [5.0 if step % 100_000 == 0 else None for step in steps]
    metrics = {"steps": steps, "loss": [1.0] * len(steps), "evaluation_mean": tests}
    parts = figures.data([Log("long", {}, metrics)], {})["runs"][0]["parts"]
    (drawn,) = [part for part in parts if "evaluation_mean" in part]
    assert len(drawn["evaluation_mean"]) == 29
    assert None not in drawn["evaluation_mean"]


def test_the_random_band_holds_ninety_five_of_a_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, inside = np.random.default_rng(0), 0
    for _ in range(400):
        monkeypatch.setattr(statistics, "random_scores", lambda *_: rng.normal(100, 60, 40).tolist())
        low, high = statistics.random_play(load_recipe("cartpole").env)["band"]
        inside += low <= rng.normal(100, 60, 100).mean() <= high
    assert 0.91 < inside / 400 < 0.98


def test_equal_seeds_are_no_seeds(runs: Path) -> None:
    log = read("a", runs)[0]
    assert [one.is_seeds for one in series_of([log, log])] == [False, False]
    (both,) = series_of([log, read("b", runs)[0]])
    assert both.label == "PyTorch, 2 seeds"


def odd(runs: Path, folder: Path, name: str, content: str) -> list[str]:
    """Arguments for a report on a copy of a run, one of whose files holds something else."""
    shutil.copytree(runs / "a", folder / "odd")
    (folder / "odd" / name).parent.mkdir(exist_ok=True)
    (folder / "odd" / name).write_text(content, encoding="utf-8", errors="surrogateescape")
    return [str(folder / "odd")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metrics.csv", "steps,loss\n1,2\nx,,\n3,4\n"),
        ("random.json", "{"),
        ("metrics.csv", "steps,loss\n1,nan\n2,inf\n"),
    ],
)
def test_odd_logs_give_a_page(name: str, content: str, runs: Path, tmp_path: Path) -> None:
    page = report(odd(runs, tmp_path, name, content), runs_dir=tmp_path, out=tmp_path / "p.html")
    assert "NaN" not in json.dumps(data_of(page)[1]), "no browser reads it"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("summary.json", "{"),
        ("episodes.csv", "\udcff"),
        ("config.json", "{}"),
        ("evaluations/x.json", "{"),
        ("evaluations/x.json", "{}"),
        (
            "evaluations/x.json",
            '{"weights": "best", "updates": 1, "epsilon": 0, "games": 2, "mean": null, "low": 1, "high": 1, "seed": 0, "framework": "jax"}',
        ),
    ],
)
def test_unreadable_run_folders_are_one_line(name: str, content: str, runs: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read|missing|mean is None") as said:
        report(odd(runs, tmp_path, name, content), runs_dir=tmp_path, out=tmp_path / "p.html")
    assert "\n" not in str(said.value)


def test_a_proof_that_cannot_be_read_is_one_line(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "verdict.json").write_text('{"agree": true}')
    with pytest.raises(InputError, match=r"verdict.json: steps is missing"):
        report(["a", str(tmp_path)], runs_dir=runs, out=tmp_path / "p.html")


@pytest.mark.parametrize("name", ["it's; rm -rf $HOME `x`\n.py", "-flag.py", "my recipe.py"])
def test_the_command_quotes_what_it_names(name: str) -> None:
    recipe = dataclasses.replace(load_recipe("cartpole"), source=name)
    words_of = shlex.split(repeat(recipe, "jax"), comments=True)
    assert words_of[2] == (f"./{name}" if name.startswith("-") else name)
    assert words_of[3:] == ["--framework", "jax", "--seed", "0"]


def test_the_command_runs_nobody_s_file_and_admits_what_flags_cannot_say(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("raise SystemExit('executed')")
    recipe = dataclasses.replace(load_recipe("cartpole"), source=str(file), seed=4)
    assert repeat(recipe, "jax").startswith(f"triptych train {file} --framework jax --seed 4")
    deeper = dataclasses.replace(recipe, source="", network=recipe.network * 2)
    assert repeat(deeper, "jax").startswith("#")


def test_many_runs_stay_small() -> None:
    rows = list(np.arange(20_000.0))
    logs = [Log(f"run {n}", {"steps": rows, "running_reward": rows, "loss": rows}) for n in range(50)]
    data = figures.data(logs, {})
    assert len(json.dumps(data)) < 8_000_000
    kept = data["runs"][0]["parts"][0]["steps"]
    assert kept[-1] == 19_999, "the end is kept"


def test_an_interval_over_seeds_holds_where_all_have_values() -> None:
    curve = curves.over_seeds([([0, 10], [0, 10]), ([5, 15], [5, 15]), ([0, None, 20], [2, 3, 22])])
    assert curve is not None
    assert (curve["x"][0], curve["x"][-1]) == (5, 10)
    assert curve["low"][0] <= curve["mean"][0] <= curve["high"][0]
    assert curves.over_seeds([([0, 1], [0, 1])]) is None
    assert curves.over_seeds([([0, 1], [0, 1]), ([5, 6], [0, 1])]) is None


@pytest.mark.parametrize(
    ("recipe", "changes"),
    [
        ("cartpole", {"seed": 3, "algorithm.double": False, "batch_size": 16}),
        ("cartpole", {"env": "MountainCar-v0", "solved_at": -110.5, "env.kwargs": '{"goal_velocity": 0.5}'}),
        ("cartpole-ppo", {"env": "FrozenLake-v1", "env.kwargs": '{"map_name": "8x8"}'}),
        (
            "space-invaders-tuned",
            {"env": "ALE/Pong-v5", "algorithm.target_every": (10, "episodes"), "network.0.filters": 8},
        ),
        ("drqn-cartpole", {"memory": "gru", "env.flicker": 0.25}),
        ("drqn-cartpole", {"memory": "none"}),
        ("cartpole-positions-ppo", {"memory": "gru"}),
        ("cartpole-a2c", {"memory": "lstm", "env.observe": "positions", "network.2.units": 7}),
        ("drqn-cartpole", {"memory": "attention", "network.1.gated": True}),
        ("cartpole-pixels", {"env.size": (20, 30), "env.colour": False, "evaluate_every": (3, "episodes")}),
    ],
)
def test_the_command_repeats_the_recipe(recipe: str, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from triptych.cli import main as command_line
    from triptych.experiments import train as experiment

    class BegunError(Exception):
        """Stands in for the training."""

    def begin(recipe: Recipe, framework: str, **rest: Any) -> None:
        given.extend([recipe, framework])
        raise BegunError

    wanted = override(load_recipe(recipe), changes)
    given: list[Any] = []
    monkeypatch.setattr(experiment, "train", begin)
    words_of = shlex.split(repeat(wanted, "jax"))
    assert words_of[:2] == ["triptych", "train"]
    with pytest.raises(BegunError):
        command_line.run(words_of[1:])
    assert given == [wanted, "jax"]


def test_random_play_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, keep = load_recipe("cartpole").env, tmp_path / "random.json"
    first = statistics.random_play(config, keep, games=5)
    monkeypatch.setattr(statistics, "random_scores", lambda *_: pytest.fail("played again"))
    assert statistics.random_play(config, keep, games=5) == json.loads(json.dumps(first))
