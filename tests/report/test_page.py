"""What a reader sees of a page: its first screen, its colours, numbers and size, on a screen and on paper."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import math
import os
import re
from html import unescape
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from triptych.frameworks import FRAMEWORKS
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.recipes.serialise import to_dict
from triptych.report import colours, figures, films, html, numbers, random_play, results, sources, words
from triptych.report.logs import Log
from triptych.report.page import report
from triptych.report.series import series_of

KINDS = {"cartpole": "dqn", "cartpole-ppo": "ppo"}


def made(
    name: str, framework: str = "torch", recipe: str = "cartpole", seed: int = 0, rows: int = 400, **changes: Any
) -> Log:
    """A run's log as it would be, without training."""
    settings = override(load_recipe(recipe), {"seed": seed} | changes)
    steps = [20.0 * (row + 1) for row in range(rows)]
    values = [20 + 0.1 * row + math.sin(row + seed) for row in range(rows)]
    columns = {"steps": steps, "frames": steps, "episode": [row + 1.0 for row in range(rows)], "seconds": steps}
    columns |= {"running_reward": values, "episode_reward": values, "max_reward": values, "episode_length": values}
    names = ("loss", "q_mean", "td_error_mean", "gradient_norm", "learning_rate", "epsilon")
    metrics = {"steps": steps, "updates": steps, "seconds": steps} | {name: values for name in names}
    metrics["learning_rate"] = [value * 1e-5 for value in values]
    config = {"recipe": settings, "recorded": to_dict(settings)}
    summary = {"steps": 20 * rows, "seconds": 60.0, "framework": framework, "peak_memory": 300_000_000}
    return Log(name, columns, metrics, framework, config=config, summary=summary)


def write_run(folder: Path, log: Log) -> Path:
    """A run's folder with that log in it."""
    folder.mkdir(parents=True)
    machine = {"threads": 1, "processor": "some", "versions": {"python": "3.11"}, "resume_exact": True}
    config = machine | {"framework": log.framework, "recipe": log.config["recorded"] if log.config else {}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "summary.json").write_text(json.dumps(log.summary))
    for name, columns in (("episodes", log.columns), ("metrics", log.metrics)):
        rows = [",".join(columns), *(",".join(map(repr, row)) for row in zip(*columns.values(), strict=True))]
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n")
    return folder


def a_test(mean: float, **changes: Any) -> dict[str, Any]:
    return {
        "weights": "best", "updates": 900, "epsilon": 0.0, "games": 50, "mean": mean, "low": mean - 3, "high": mean + 3, "seed": 0,
        "framework": "torch", "policy": "greedy", "env": "CartPole-v1", "sticky": None, "flicker": 0.0,
    } | changes  # fmt: skip


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def data_of(page: Path) -> list[dict[str, Any]]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text_of(page), re.S)
    assert found is not None
    return json.loads(found[1], parse_constant=lambda name: pytest.fail(f"{name} in the page's JSON"))


def state_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {str(file): (file.stat().st_mtime_ns, file.read_bytes()) for file in folder.rglob("*") if file.is_file()}


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in each framework; the first one was tested."""
    folder = tmp_path_factory.mktemp("three")
    for name in FRAMEWORKS:
        write_run(folder / f"run-{name}", made(f"run-{name}", name))
    (folder / "run-torch" / "evaluations").mkdir()
    (folder / "run-torch" / "evaluations" / "best.json").write_text(json.dumps(a_test(487.5)))
    return folder


@pytest.fixture(scope="module")
def page(three: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report([str(three)], runs_dir=three, out=tmp_path_factory.mktemp("page") / "page.html")


@pytest.fixture(scope="module")
def fifteen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long logs of two algorithms in three frameworks, of two or three seeds each."""
    folder = tmp_path_factory.mktemp("fifteen")
    for recipe in KINDS:
        for framework in FRAMEWORKS:
            for seed in range(3 if recipe == "cartpole" else 2):
                name = f"{recipe}-{framework}-{seed}"
                write_run(folder / name, made(name, framework, recipe, seed, rows=3_000))
    return folder


def first_screen(page: Path) -> str:
    """What stands above the figures, as text."""
    header = text_of(page).split("<header>")[1].split("</header>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", header)).split())


# The first screen


def test_the_score_of_the_tests_leads(page: Path) -> None:
    header = text_of(page).split("<header>")[1].split("</header>")[0]
    leading = re.findall(r'class="main">([^<]+)<', header)
    assert sorted(leading) == ["-", "-", "487.5"], "the tests of the best weights, never training's running reward"
    assert "best weights, 50 games" in header
    assert "484.5 to 490.5" in header


def test_without_a_test_training_leads_and_the_page_says_how_to_test() -> None:
    found = results.table([made("a")], {})
    assert (found["tested"], found["trained"]) == (False, True)
    (row,) = found["rows"]
    assert row["running"] == numbers.score(made("a").columns["running_reward"][-1])
    assert "triptych evaluate" in row["told"]


def test_tests_made_while_training_stand_in_for_those_of_the_best_weights() -> None:
    log = made("a", rows=4)
    tests = {"evaluation_mean": [10.0, None, 30.0, None], "evaluation_low": [9.0, None, 28.0, None], "evaluation_high": [11.0, None, 33.0, None], "evaluation_games": [5.0, None, 5.0, None]}  # fmt: skip
    (row,) = results.table([dataclasses.replace(log, metrics=log.metrics | tests)], {})["rows"]
    assert (row["score"], row["interval"]) == ("30.0", "28.0 to 33.0"), "the last one, not the highest"
    assert row["told"] == "5 games while training, at step 60"


def test_the_score_of_several_seeds_is_the_mean_of_theirs() -> None:
    logs = [dataclasses.replace(made(f"s{seed}", seed=seed), evaluations=[a_test(400.0 + seed)]) for seed in range(3)]
    (row,) = results.table(logs, {})["rows"]
    assert row["label"] == "PyTorch, 3 seeds"
    assert row["score"] == "401.0"
    assert row["told"] == "best weights, 50 games a seed"


def test_games_that_repeat_themselves_do_not_lead() -> None:
    """Greedy and without sticky actions an agent plays a few games over and over."""
    same = {"sticky": 0.0, "games": 4, "rewards": [9.0] * 4, "lengths": [5] * 4}
    noisy = {
        "sticky": 0.0,
        "games": 4,
        "epsilon": 0.05,
        "policy": "epsilon-greedy",
        "rewards": [7.0, 6.0, 8.0, 7.0],
        "lengths": [5, 4, 6, 5],
    }
    env = {"env": "SpaceInvadersNoFrameskip-v4"}
    log = made("a", recipe="space-invaders-tuned")
    both = dataclasses.replace(log, evaluations=[a_test(9.0, **same, **env), a_test(7.0, **noisy, **env)])
    (row,) = results.table([both], {})["rows"]
    assert (row["score"], row["told"]) == ("7.00", "best weights, 4 games, 5 % random moves")
    alone = dataclasses.replace(log, evaluations=[a_test(9.0, **same, **env)])
    assert results.table([alone], {})["rows"][0]["told"] == "best weights, 4 games (1 different ones)"


@pytest.mark.parametrize(
    ("logs", "title"),
    [
        ([made("x")], "CartPole-v1: DQN in PyTorch"),
        ([made(name, name) for name in FRAMEWORKS], "CartPole-v1: DQN in three frameworks"),
        ([made("x"), made("y", recipe="cartpole-ppo")], "CartPole-v1: DQN and PPO in PyTorch"),
        ([made(f"{n}{s}", n, seed=s) for n in ("jax", "torch") for s in range(5)], "CartPole-v1: DQN in JAX and PyTorch, 5 seeds each"),
        ([made("x"), made("y", batch_size=8)], "CartPole-v1: DQN in PyTorch, batch size compared"),
    ],
)  # fmt: skip
def test_a_title_says_what_was_compared(logs: list[Log], title: str) -> None:
    assert words.title(logs) == title


def test_a_run_without_episodes_still_has_a_page(tmp_path: Path) -> None:
    for rows in (0, 1):
        run = write_run(tmp_path / str(rows) / "run", made("run", rows=rows))
        made_page = report([str(run)], out=tmp_path / f"{rows}.html")
        assert "CartPole-v1: DQN in PyTorch" in first_screen(made_page)
        assert len(data_of(made_page)) == 1
    assert "No episode has ended yet" in first_screen(tmp_path / "0.html")
    assert "20.0" in first_screen(tmp_path / "1.html")


def test_a_log_without_rewards_still_has_a_first_screen(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("step,loss,speed\n10,0.5,7\n20,0.25,8\n")
    made_page = report([str(tmp_path / "mine.csv")], out=tmp_path / "page.html")
    assert 'class="number main">0.25<' in text_of(made_page)
    assert "Learning" not in re.findall("<h2>(.*)</h2>", text_of(made_page)), "there is no reward to draw"


@pytest.mark.parametrize(
    ("logs", "title"),
    [
        ([Log("mine", {"steps": [1.0], "loss": [2.0]})], "Loss in the log mine"),
        ([Log(name, {"steps": [1.0], "running_reward": [2.0]}, played="Pong") for name in "ab"], "Pong: running reward in 2 logs"),
        ([Log(name, {"steps": [1.0], "loss": [2.0]}, played=game) for name, game in (("a", "Pong"), ("b", ""))], "Loss in 2 logs"),
        ([Log(name, {"steps": [1.0], "loss": [2.0]}, played=name) for name in ("Boxing", "Pong")], "Boxing and Pong: loss in 2 logs"),
        ([Log(name, {"steps": [1.0], name: [2.0]}, played="Pong") for name in ("loss", "speed")], "Pong: what is recorded in 2 logs"),
        ([Log("a", {"steps": [1.0], "running_reward": [2.0], "loss": [2.0]}), Log("b", {"steps": [1.0], "loss": [2.0]})], "Loss in 2 logs"),
        ([made("x"), Log("mine", {"steps": [1.0], "loss": [2.0]})], "CartPole-v1: DQN in PyTorch, beside 1 other log"),
    ],
)  # fmt: skip
def test_a_title_of_logs_of_others_says_what_they_hold(logs: list[Log], title: str) -> None:
    assert words.title(logs) == title


def test_every_row_of_the_first_table_has_its_cells(tmp_path: Path) -> None:
    """One log with tests, one without, one of another tool that counts no seconds."""
    tested = dataclasses.replace(made("a"), evaluations=[a_test(400.0)])
    other = Log("mine", {"steps": [1.0, 2.0], "loss": [2.0, 1.0]})
    played = {made("a").random_key: {"mean": 20.0, "low": 18.0, "high": 22.0, "games": 40, "band": [15.0, 25.0]}}
    for logs in ([tested], [made("a")], [tested, other], [made("a"), other], [other]):
        content = {
            "title": "",
            "lead": "",
            "results": [{"game": ""} | results.table(logs, played)],
            "style": "",
            "script": "",
        }
        empty = ("in_words", "sentences", "verdicts", "alarms", "notes", "charts", "tested", "films", "speed", "commands", "reused", "settings", "names", "machines")  # fmt: skip
        page = html.render("page.html", **content, **{name: [] for name in empty}, sources=None, called=[])
        header = page.split("<header>")[1].split("</header>")[0]
        rows = [len(re.findall(r"<t[hd]\b", row)) for row in header.split("<tr")[1:]]
        assert len(set(rows)) == 1, header


# Figures


def test_every_colour_stands_out_from_a_light_page_and_a_dark_one() -> None:
    css = html.script("page.css")
    assert f"--card: {colours.LIGHT}" in css
    assert f"--card: {colours.DARK}" in css
    for colour in colours.ALL:
        for background in (colours.LIGHT, colours.DARK, "#fbfbf9", "#15171b"):
            assert colours.contrast(colour, background) >= colours.LEAST_CONTRAST, (colour, background)


def test_contrast_is_the_one_of_the_standard() -> None:
    assert colours.contrast("#ffffff", "#000000") == pytest.approx(21)
    assert colours.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_curves_are_drawn_at_full_strength() -> None:
    """What is drawn in half a colour has half its contrast."""
    script = html.script("page.js", "chart.js")
    assert "opacity" not in script
    assert len(re.findall(r'\+ "33"', script)) == 1, "but for the bands behind them"


def test_two_algorithms_of_a_framework_have_two_colours() -> None:
    logs = [made(f"{recipe}-{name}", name, recipe) for recipe in KINDS for name in FRAMEWORKS]
    series = series_of(logs)
    assert len({one.colour for one in series}) == 6
    assert {one.dash for one in series if "DQN" in one.label} == {"solid"}
    assert {one.dash for one in series if "PPO" in one.label} == {"dash"}
    assert [one.label for one in series][:2] == ["DQN in PyTorch", "DQN in JAX"]


def test_fifteen_different_runs_have_fifteen_different_lines() -> None:
    logs = [made(f"run {number}", learning_rate=0.001 * (number + 1)) for number in range(15)]
    series = series_of(logs)
    assert all((a.colour, a.dash) != (b.colour, b.dash) for a, b in combinations(series, 2))
    assert series[3].label == "learning rate 0.004"


def test_runs_that_differ_in_much_have_their_names() -> None:
    changes: list[dict[str, Any]] = [{}, {"learning_rate": 0.1, "batch_size": 8, "algorithm.gamma": 0.5}]
    series = series_of([made(f"run {number}", **change) for number, change in enumerate(changes)])
    assert [one.label for one in series] == ["run 0", "run 1"]


def test_seeds_in_a_crowd_are_shown_by_their_mean(fifteen: Path) -> None:
    logs = [made(f"{name}-{seed}", name, seed=seed) for name in FRAMEWORKS for seed in range(5)]
    data = figures.data(logs, {})
    assert data["crowded"]
    assert [group["name"] for group in data["groups"]] == ["PyTorch, 5 seeds", "JAX, 5 seeds", "Keras, 5 seeds"]
    loss = data["groups"][0]["columns"]["loss"]
    assert loss["mean"][-1] == pytest.approx(sum(log.metrics["loss"][-1] for log in logs[:5]) / 5, rel=1e-4)
    assert loss["x"]["steps"][-1] == 8000
    assert not any("loss" in part for run in data["runs"] for part in run["parts"])
    assert all("running_reward" in run["parts"][0] for run in data["runs"]), "each seed's rewards can be shown"


def test_no_panel_is_without_data() -> None:
    log = made("a", rows=3)
    odd = {
        "steps": [1.0, None, 3.0],
        "empty": [None, None, None],
        "apart": [None, 2.0, None],
        "whole": [1.0, None, None],
    }
    data = figures.data([dataclasses.replace(log, metrics=odd)], {})
    names = {column["name"] for column in data["columns"]}
    assert "whole" in names
    assert not {"empty", "apart"} & names


def test_numbers_that_are_none_leave_the_page_whole(tmp_path: Path) -> None:
    log = made("run")
    values = [float("nan"), float("inf"), -float("inf"), *log.columns["running_reward"][3:]]
    broken = dataclasses.replace(log, columns=log.columns | {"running_reward": values, "loss": [math.nan] * 400})
    run = write_run(tmp_path / "run", broken)
    (run / "summary.json").write_text('{"steps": 8000, "seconds": NaN, "best_score": NaN}')
    made_page = report([str(run)], out=tmp_path / "page.html")
    assert data_of(made_page)[0]["runs"][0]["parts"][0]["running_reward"][:3] == [None, None, None]
    assert not re.search(r"\b(nan|inf)\b", first_screen(made_page), re.I)


# Numbers


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.0004, "0.0004"), (1e-8, "0.00000001"), (0.1 + 0.2, "0.3"), (2.5e-4, "0.00025"), (10_000, "10,000"), (0.99, "0.99"), (1e6, "1000000"),
     (None, "-"), (True, "yes"), ((10, "episodes"), "10 episodes"), (float("inf"), "inf"), ({}, "-")],
)  # fmt: skip
def test_settings_are_plain_numbers(value: Any, told: str) -> None:
    assert numbers.plain(value) == told


def test_axes_are_plain_numbers_too() -> None:
    script = html.script("chart.js")
    assert 'exponentformat: "none"' in script
    assert 'PLAIN = ",.10~r"' in script, "d3's r: decimal, never SI prefixes or powers of ten"


# Size, and what is in it


def test_a_page_of_three_runs_is_small(page: Path) -> None:
    assert page.stat().st_size <= 1_000_000


def test_many_groups_share_the_room_that_a_few_have() -> None:
    """The means of a column over seeds, with their intervals, over every axis: of thirty groups they took 2.6 MB."""
    many = [
        made(f"{k}-{s}", seed=s, rows=150, **{"optimiser.learning_rate": 1e-4 * (k + 1)})
        for k in range(24)
        for s in (0, 1)
    ]
    few = figures.data(many[:4], {})["groups"][0]
    assert (len(few["curves"]["steps"]["x"]), len(few["columns"]["loss"]["mean"])) == (200, 80)
    crowd = figures.data(many, {})
    assert len(crowd["groups"]) == 24
    assert len(json.dumps(crowd)) < 1_000_000


def test_a_page_of_fifteen_long_runs_is_below_the_limit(fifteen: Path, tmp_path: Path) -> None:
    for run in fifteen.iterdir():
        (run / "videos").mkdir(exist_ok=True)
        (run / "videos" / "update-000000300-best-seed-0.mp4").write_bytes(os.urandom(200_000))
    made_page = report([str(fifteen)], runs_dir=fifteen, out=tmp_path / "page.html")
    assert made_page.stat().st_size <= html.MOST_BYTES
    linked = re.findall(r'<video [^>]+src="(?!data:)([^"]+)"', text_of(made_page))
    assert linked, "what has no room is a link"
    assert all((made_page.parent / name).is_file() for name in linked)


def test_films_of_several_runs_come_first(tmp_path: Path) -> None:
    for name in ("update-000000300-best-seed-0.mp4", "a-side-by-side.mp4"):
        (tmp_path / "videos").mkdir(exist_ok=True)
        (tmp_path / "videos" / name).write_bytes(name.encode())
    (tmp_path / "videos" / "0-side-by-side.mp4").write_bytes(b"a-side-by-side.mp4")  # the same film again
    found = films.films([dataclasses.replace(made("a"), path=tmp_path)])
    assert [film.name for film in found] == ["a side by side", "update 300, best weights, seed 0"]
    assert films.shown(found, tmp_path / "page.html", 0)[0]["address"] == "videos/a-side-by-side.mp4"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes, and links only for some")
def test_films_are_files_and_nothing_that_stands_for_others(tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"of somebody else")
    runs = [tmp_path / "runs" / f"compare-a-{name}-seed0-1" for name in ("torch", "jax")]
    for run in runs:
        (run / "videos").mkdir(parents=True)
    (runs[0] / "videos" / "kept.mp4").write_bytes(b"film")
    for number, folder in enumerate((runs[0] / "videos", tmp_path / "runs")):
        name = ("z", "compare-a-side-by-side")[number]
        (folder / f"{name}.mp4").symlink_to(secret)
        os.mkfifo(folder / f"{name}-2.mp4")
    (runs[1] / "videos").rmdir()
    (runs[1] / "videos").symlink_to(runs[0] / "videos")
    found = films.films([dataclasses.replace(made(run.name), path=run) for run in runs])
    assert [film.file for film in found] == [runs[0] / "videos" / "kept.mp4"]
    gone = dataclasses.replace(found[0], file=runs[0] / "videos" / "gone.mp4")
    assert [film["name"] for film in films.shown([gone, *found], tmp_path / "page.html", 1_000)] == ["kept"]


@pytest.mark.parametrize(
    ("film", "runs", "is_theirs"),
    [
        ("compare-cartpole-side-by-side", ["compare-cartpole-torch-seed0-1", "compare-cartpole-jax-seed0-1"], True),
        ("compare-cartpole-side-by-side", ["compare-cartpole-torch-seed0", "compare-cartpole-jax-seed0"], True),
        ("compare-cartpole-side-by-side-2", ["compare-cartpole-torch-seed0-1", "compare-cartpole-jax-seed0-1"], False),
        ("compare-cartpole-side-by-side-2", ["compare-cartpole-torch-seed0-2", "compare-cartpole-jax-seed0-2"], True),
        ("mine-side-by-side", ["mine-cartpole-torch-seed0-1", "mine-cartpole-ppo-torch-seed0-1"], True),
        ("compare-a-b-side-by-side", ["compare-a-torch-seed0-1", "compare-b-torch-seed0-1"], True),
        ("compare-a-b-side-by-side", ["compare-a-torch-seed0-1", "compare-c-torch-seed0-1"], False),
        ("compare-cartpole-side-by-side", ["compare-cartpole-torch-seed0-1", "other"], False),
        ("compare-cart-side-by-side", ["compare-cartpole-torch-seed0-1", "compare-cartpole-jax-seed0-1"], False),
    ],
)
def test_the_film_of_a_comparison_is_found(film: str, runs: list[str], is_theirs: bool, tmp_path: Path) -> None:
    (tmp_path / f"{film}.mp4").write_bytes(b"film")
    logs = [dataclasses.replace(made(name), path=tmp_path / name) for name in runs]
    assert [found.file.stem for found in films.films(logs)] == ([film] if is_theirs else [])


def test_the_chart_library_is_the_one_that_its_readme_names() -> None:
    packed = html.VENDOR / "plotly-basic.min.js.gz"
    digest = hashlib.sha256(gzip.decompress(packed.read_bytes())).hexdigest()
    assert digest in (html.VENDOR / "README.md").read_text()


def test_every_agent_that_differs_is_shown() -> None:
    logs = [made("a"), made("b", seed=1), made("c", recipe="cartpole-ppo"), made("d", **{"algorithm.double": False})]
    found = sources.sources(series_of(logs))
    assert found is not None
    labels = {part["name"]: [variant["labels"] for variant in part["variants"]] for part in found["parts"]}
    assert any("PPO" in name for variant in labels["loss"] for name in variant)
    assert len(labels["loss"]) >= 2
    assert sorted(name for variant in labels["update"] for name in variant) == sorted(
        one.label for one in series_of(logs)
    ), "each run once"
    shown = "".join(text for part in found["parts"] for variant in part["variants"] for text in variant["texts"])
    assert "def ppo" in shown or "clip" in shown


# Printing, words


def test_a_printed_page_is_light_whole_and_as_wide_as_the_sheet() -> None:
    css, script = html.script("page.css"), html.script("chart.js")
    paper = css.split("@media print")[1]
    assert "color-scheme: light" in paper
    assert "break-inside: avoid" in paper
    assert "details-content" in paper, "what is folded up is printed too"
    assert "beforeprint" in script
    assert "afterprint" in script
    assert "IntersectionObserver" not in script, "no figure waits until it is scrolled to"


def test_words_are_not_broken() -> None:
    css = html.script("page.css")
    assert "word-break" not in css
    assert css.count("overflow-wrap: anywhere") == css.count("td code {"), "but for code on paper"


def test_names_are_not_read_as_html(tmp_path: Path) -> None:
    run = write_run(tmp_path / "<b>x<", made("<b>x<"))
    (run / "videos").mkdir()
    (run / "videos" / '"><img src=x>.mp4').write_bytes(b"film")
    text = text_of(report([str(run)], out=tmp_path / "page.html"))
    assert "<b>x" not in text
    assert "<img" not in text


# What is written, and what is said


def test_nothing_is_written_into_folders_that_are_only_read(
    three: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = state_of(three)
    made_page = report([str(three / "run-torch")])
    assert made_page == Path("runs") / "report.html"
    report([str(three)], out=tmp_path / "page.html")
    assert state_of(three) == before


def test_a_run_of_the_runs_folder_keeps_its_page_beside_it(tmp_path: Path) -> None:
    write_run(tmp_path / "mine", made("mine"))
    assert report(["mine"], runs_dir=tmp_path) == tmp_path / "mine" / "report.html"
    assert sorted(file.name for file in (tmp_path / "mine").iterdir()) == [
        "config.json", "episodes.csv", "metrics.csv", "report.html", "summary.json",
    ]  # fmt: skip


def test_random_games_are_told_and_played_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    run = write_run(tmp_path / "run", made("run"))
    report([str(run)], out=tmp_path / "page.html")
    assert capsys.readouterr().err.count("playing 40 random games of CartPole-v1") == 1
    (kept,) = (tmp_path / "cache" / "triptych" / "random").iterdir()
    before = kept.stat().st_mtime_ns
    report([str(run)], out=tmp_path / "page.html")
    assert "random games" not in capsys.readouterr().err
    assert kept.stat().st_mtime_ns == before


def test_what_an_earlier_version_kept_beside_a_run_is_read_and_left(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", made("run"))
    known = random_play.random_play(load_recipe("cartpole").env) | {"mean": 12.25}
    (run / "random.json").write_text(json.dumps(known))
    before = state_of(run)
    assert data_of(report([str(run)], out=tmp_path / "page.html"))[0]["random"]["mean"] == 12.25
    assert state_of(run) == before


def test_a_game_that_its_user_changed_is_played_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = load_recipe("cartpole").env
    first = random_play.cached(config)
    assert first == random_play.cached(config)
    monkeypatch.setattr(random_play, "source_digest", lambda config: "another")
    assert random_play.cached(config) != first
    assert random_play.cached(dataclasses.replace(config, flicker=0.5)) != first
