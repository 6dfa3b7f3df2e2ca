"""What commands print: JSON, notes by level, tables by width, help and completion scripts."""

from __future__ import annotations

import json
import logging
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_cli import call
from triptych.cli.compared import comparison_table
from triptych.cli.main import COMMANDS
from triptych.cli.options import plain_json
from triptych.experiments.compare import Comparison, ComparisonRow
from triptych.recipes import BUILT_IN
from triptych.utils.console import LOGGER, detail, say, warn
from triptych.utils.machine import Load

SMALL = ["--steps", "300", "--warm-up", "100", "--threads", "1", "--evaluate-every", "0", "--no-video"]


def last_line(capsys: pytest.CaptureFixture) -> Any:
    """The JSON object in the last line of standard output; NaN and infinity are no JSON."""

    def never(name: str) -> None:
        raise AssertionError(name)

    return json.loads(capsys.readouterr().out.splitlines()[-1], parse_constant=never)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short run in it, called `one`."""
    folder = tmp_path_factory.mktemp("runs")
    assert call("train", "cartpole", "--runs-dir", str(folder), "--run-name", "one", "--quiet", *SMALL) == 0
    return folder


def test_every_command_has_json(capsys: pytest.CaptureFixture) -> None:
    for command in COMMANDS:
        call(command, "--help")
        said = capsys.readouterr().out
        assert all(f"--{flag}" in said for flag in ("json", "quiet", "verbose")), command


def test_recipes_as_json(capsys: pytest.CaptureFixture) -> None:
    assert call("recipes", "--json") == 0
    found = last_line(capsys)["recipes"]
    assert list(found) == list(BUILT_IN)
    assert found["cartpole"]["algorithm"]["batch_size"] == 64


def test_a_training_as_json(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    where = ["--runs-dir", str(tmp_path), "--run-name", "a"]
    assert call("train", "cartpole", *where, *SMALL, "--device", "CPU", "--json", "--quiet") == 0
    found = last_line(capsys)
    assert (found["steps"], found["stopped_by"], found["path"]) == (300, "steps", str(tmp_path / "a"))
    assert json.loads((tmp_path / "a/config.json").read_text())["device"] == "cpu"
    assert call("resume", "a", "--runs-dir", str(tmp_path), "--json") == 0
    assert last_line(capsys)["steps"] == 300
    assert call("resume", "a", "--runs-dir", str(tmp_path), "--steps", "+.1k", "--quiet", "--json") == 0
    assert last_line(capsys)["steps"] == 400


def test_pages_as_json(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("look", "cartpole", "--json", "--frames", "1") == 0
    assert Path(last_line(capsys)["file"]).is_file()
    assert call("show", "cartpole", "--json") == 0
    assert "class Net" in last_line(capsys)["sources"]["torch"]
    assert call("show", "cartpole", "--write", "out", "--json") == 0
    assert [Path(path).is_file() for path in last_line(capsys)["files"]] == [True] * 3
    assert call("report", "one", "--runs-dir", str(runs), "--out", "page.html", "--json") == 0
    assert last_line(capsys)["page"] == "page.html"


def test_json_has_no_nan() -> None:
    found = {"a": math.nan, "b": [math.inf, 1.5, (Path("x"), None, True)]}
    assert plain_json(found) == {"a": None, "b": [None, 1.5, ["x", None, True]]}


def test_a_run_where_a_recipe_is_wanted_is_its_recipe(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    for command in (
        ["look", "--frames", "1", "--out", str(tmp_path / "x.png")],
        ["show", "--write", str(tmp_path / "y")],
    ):
        assert call(*command, str(runs / "one")) == 0
    assert call("train", "one", "--runs-dir", str(runs), "--run-name", "two", "--quiet", "--no-video") == 0
    recorded = [json.loads((runs / name / "config.json").read_text())["recipe"] for name in ("one", "two")]
    assert recorded[0] == recorded[1]
    assert recorded[0]["steps"] == 300


def test_quiet_and_verbose_are_levels(runs: Path, capsys: pytest.CaptureFixture) -> None:
    again = ["train", "one", "--runs-dir", str(runs), "--no-video", "--on-alarm", "off"]
    assert call(*again, "--quiet") == 0
    assert capsys.readouterr().err == ""
    assert call(*again) == 0
    plain = capsys.readouterr().err
    assert "device    cpu" in plain
    assert "checkpoint at step" not in plain
    assert call(*again, "--verbose") == 0
    assert "checkpoint at step 300" in capsys.readouterr().err
    assert LOGGER.level == logging.INFO, "the next command, or the user's own code, is told again"


def test_notes_go_through_the_logger(capsys: pytest.CaptureFixture) -> None:
    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append((record.levelname, record.getMessage()))

    kept: list[tuple[str, str]] = []
    handler = Kept()
    LOGGER.addHandler(handler)
    try:
        say("a note", "100 %s")
        warn("mind this")
        detail("unseen")
    finally:
        LOGGER.removeHandler(handler)
    assert kept == [("INFO", "a note"), ("INFO", "100 %s"), ("WARNING", "mind this")]
    assert capsys.readouterr().err == "a note\n100 %s\nwarning: mind this\n"


@pytest.mark.parametrize("framework", ["torch", "jax", "keras"])
def test_a_device_that_is_not_there_is_refused_before_anything_is_written(
    framework: str, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from triptych import frameworks

    monkeypatch.setattr(frameworks.load(framework), "count_gpus", lambda: 0)
    where = ["--runs-dir", str(tmp_path / "runs"), "--framework", framework]
    assert call("train", "cartpole", *where, "--device", "cuda") == 2
    said = f"--device is 'cuda', but {framework} sees no CUDA device; allowed: cpu, auto"
    assert capsys.readouterr().err == f"triptych: {said}\n"
    assert not (tmp_path / "runs").exists()
    monkeypatch.setattr(frameworks.load(framework), "count_gpus", lambda: 2)
    assert call("train", "cartpole", *where, "--device", "cuda:2") == 2
    assert "sees 2 CUDA devices; allowed: cuda:0, cuda:1, cpu, auto" in capsys.readouterr().err


def test_which_gpu_a_device_means() -> None:
    from triptych import frameworks

    try:
        for device, gpu in (("auto", 0), ("cpu", None), ("cuda", 0), ("CUDA:1", 1)):
            frameworks.set_device(device)
            assert frameworks.gpu_of(2) == gpu
            assert frameworks.gpu_of(0) is None
    finally:
        frameworks.set_device("auto")


@pytest.mark.parametrize("columns", [50, 80, 120])
def test_tables_and_help_fit_the_terminal(
    columns: int, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for command in (
        ["recipes"],
        ["show", "cartpole"],
        ["--help"],
        ["train", "breakout", "--help"],
        ["evaluate", "--help"],
    ):
        assert call(*command) == 0
        lines = capsys.readouterr().out.splitlines()
        usage = 2 if "--help" in command else 0  # what tyro writes above the boxes is not broken
        assert max(map(len, lines[usage + 2 :])) <= max(columns, 80 if "--help" in command else 0), command


def test_a_narrow_terminal_breaks_no_number(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert call("recipes") == 0
    said = capsys.readouterr().out
    assert "environment    BreakoutNoFrameskip-v4\n" in "\n".join(line.rstrip() for line in said.splitlines()) + "\n"
    assert "50,000,000" in said


@pytest.mark.parametrize("columns", [60, 80, 110, 140])
def test_a_comparison_keeps_its_words_and_numbers_whole(
    columns: int, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    rows = [
        ComparisonRow("cartpole", name, 1475.25, 1400.5, 1500.0, 1390.0, 12_345.0, 1_234.5, 12.25, 812_000_000, [], [])
        for name in ("torch", "jax", "keras")
    ]
    comparison_table(Comparison("cartpole", rows, [], None, [], [0], 20, 20_000, 1, "a processor", {}))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    words = " ".join(lines).split()
    for word in ("framework", "torch", "jax", "keras", "1,475.2", "12,345", "1,234.5", "12.25", "812"):
        assert word in words


def test_the_common_flags_come_first(capsys: pytest.CaptureFixture) -> None:
    assert call("train", "cartpole", "--help") == 0
    first = capsys.readouterr().out.split("more options")[0]
    common = [
        "env",
        "framework",
        "memory",
        "steps",
        "seed",
        "num-envs",
        "batch-size",
        "learning-rate",
        "device",
        "run-name",
    ]
    assert re.findall(r"^. --([\w-]+)", first, re.MULTILINE) == common


def test_help_lists_what_the_recipe_reads(capsys: pytest.CaptureFixture) -> None:
    call("train", "cartpole", "--help")
    vector = capsys.readouterr().out
    call("train", "breakout", "--help")
    pictures = capsys.readouterr().out
    assert "--env.stack" in pictures
    assert "--env.stack" not in vector, "CartPole shows numbers"
    assert "--optimiser.beta-1" in vector
    for command in ("look", "show"):
        call(command, "cartpole", "--help")
        said = capsys.readouterr().out
        assert "beta-1" not in said
        assert "--env.observe" in said


def test_help_of_everything_loads_no_framework() -> None:
    code = (
        "import sys; from triptych.cli.main import main\n"
        "for words in (['--help'], ['help', 'train'], ['train', 'help'], ['train', '-h'], ['recipes'], ['--print-completion', 'bash']):\n"
        "    try: main(words)\n"
        "    except SystemExit as stop: assert not stop.code, words\n"
        "loaded = {'torch', 'jax', 'flax', 'keras', 'tensorflow'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_know_commands_flags_and_names(shell: str, capsys: pytest.CaptureFixture) -> None:
    assert call("--print-completion", shell) == 0
    script = capsys.readouterr().out
    for word in (
        *COMMANDS,
        "algorithm.gamma",
        "algorithm.rollout-steps",
        "env.frame-skip",
        "space-invaders",
        "memory-kinds",
        "float64",
    ):
        assert word in script, word


def test_bash_completes_a_flag_and_a_recipe(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    call("--print-completion", "bash")
    script = tmp_path / "script"
    script.write_text(capsys.readouterr().out)
    for words, found in (
        (["triptych", "tra"], "train"),
        (["triptych", "train", "--algorithm.gam"], "--algorithm.gamma"),
        (["triptych", "train", "space-inv"], "space-invaders"),
        (["triptych", "train", "space-invaders", "--env.frame"], "--env.frame-skip"),
        (["triptych", "train", "cartpole-ppo", "--algorithm.roll"], "--algorithm.rollout-steps"),
        (["triptych", "study", "memory-k"], "memory-kinds"),
    ):
        code = (
            f"source {script}; COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}\n"
            "function=$(complete -p triptych | sed 's/.*-F \\([^ ]*\\).*/\\1/')\n"
            f'"$function" triptych {words[-1]} {words[-2]}; echo "${{COMPREPLY[@]}}"'
        )
        done = subprocess.run(["bash", "-c", code], capture_output=True, text=True)
        assert found in done.stdout.split(), done.stderr


def compared(seeds: int, load: Load | None = None) -> None:
    scores = [float(100 * seed) for seed in range(seeds)]
    row = ComparisonRow("cartpole", "torch", 50.0, 10.5, 90.5, 40.0, 100.0, 10.0, 1.0, 1_000_000, scores, [])
    comparison_table(Comparison("cartpole", [row], [], None, [], [*range(seeds)], 20, 100, 1, "a processor", {}), load)


@pytest.mark.parametrize(
    ("seeds", "title", "cell", "caution"),
    [
        (1, "score (95 % over 20 games)", "50.0 (10.5 to 90.5)", False),
        (2, "score (lowest to highest of 2 seeds)", "50.0 (0.0 to 100.0)", True),
        (4, "score (lowest to highest of 4 seeds)", "50.0 (0.0 to 300.0)", True),
        (5, "score (95 % over 5 seeds)", "50.0 (10.5 to 90.5)", False),
    ],
)
def test_few_seeds_have_a_range_and_no_interval(
    seeds: int, title: str, cell: str, caution: bool, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    compared(seeds)
    said = capsys.readouterr().out
    assert title in said
    assert cell in said
    assert (f"{seeds} seeds are too few for an interval" in said) == caution


@pytest.mark.parametrize(("loads", "said"), [([1.0, 5.0, 5.2], True), ([1.0, 1.9, 5.2], False), ([], False)])
def test_a_machine_with_more_work_than_cores_is_told_below_the_speeds(
    loads: list[float], said: bool, capsys: pytest.CaptureFixture
) -> None:
    load = Load()
    load.cores, load.seen = 2, loads
    compared(1, load)
    assert ("the machine had a load of 5.0 on 2 cores: " in capsys.readouterr().out) == said


def test_the_load_is_looked_at_while_it_lasts_and_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (3.5, 1.0, 1.0), raising=False)
    with Load(every=1e-3) as load:
        while not load.seen:
            load.over.wait(1e-3)
    assert load.typical == 3.5
    assert len(load.seen) >= 2
