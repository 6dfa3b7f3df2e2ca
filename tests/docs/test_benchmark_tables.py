"""The tables of results/benchmarks are what their commands printed, and one command measures and writes them."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.test_package import IS_CHECKOUT

ROOT = Path(__file__).parents[2]
NAME = "actor-critics-ppo-jax-float32"
FOUND: dict[str, Any] = {
    "algorithm": "ppo", "framework": "jax", "precision": "float32", "ours": 1234.4, "peer": 500.0, "ratio": 2.4688, "turns": 3, "threads": 2,
    "processor": "a processor", "versions": {"stable-baselines3": "2.9.2"}, "rates": {"ours": [1234.4, 1300, 1200], "peer": [500, 490, 510]},
}  # fmt: skip
SCRIPT = """
import json, sys
print("turn 1: ours 1234")
print(json.dumps({} | {{"given": sys.argv[1:]}}))
sys.exit({})
"""


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("table")


@pytest.fixture
def folder(tool: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page with a place for each table, and scripts that measure nothing."""
    places = [f"{tool.begin_of(table.name)}\nold\n{tool.END}" for table in tool.TABLES]
    (tmp_path / "README.md").write_text("\n\n".join(["words before", *places, "words after"]))
    (tmp_path / "actor_critics.py").write_text(SCRIPT.format(FOUND, 0))
    (tmp_path / "drqn.py").write_text("import sys; sys.exit(1)")
    monkeypatch.setattr(tool, "HERE", tmp_path)
    return tmp_path


@pytest.mark.skipif(not IS_CHECKOUT, reason="the source distribution has no results")
def test_each_table_is_what_its_commands_printed(tool: Any) -> None:
    page = (ROOT / "results" / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert tool.written(page, tool.kept(tool.RESULTS)) == page, "python benchmarks/table.py --page"
    missing = tool.MEASUREMENTS.keys() - tool.kept(tool.RESULTS).keys()
    said = " ".join(line for line in page.splitlines() if line.startswith("Not measured yet: "))
    assert set(re.findall("`(.+?)`", said)) == missing


def test_a_measurement_is_kept_and_written_into_the_page(
    tool: Any, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tool.main(["--only", NAME], folder)
    found = json.loads((folder / f"{NAME}.json").read_text())
    assert found == FOUND | {"given": [*tool.MEASUREMENTS[NAME].command[1:], "--json"]}
    page = (folder / "README.md").read_text()
    assert "| jax | Stable-Baselines3 2.9.2 | 1,234 | 500 | **2.47x** | 1234 / 500, 1300 / 490, 1200 / 510 |" in page
    assert "\nMeasured on a processor, 2 threads, medians of 3 turns.\n" in page
    assert "`actor-critics-ppo-torch-float32`, `actor-critics-ppo-torch-bfloat16`" in page, "what is not measured"
    assert "`drqn-cartpole`" in page
    assert f"`{NAME}`" not in page
    assert page.startswith("words before")
    assert page.endswith("words after")
    assert "old" not in page
    assert capfd.readouterr().out == "turn 1: ours 1234\n"


def test_a_goal_that_is_missed_is_said(tool: Any, folder: Path) -> None:
    (folder / f"{NAME}.json").write_text(json.dumps(FOUND | {"ratio": 0.5}))
    tool.main(["--page"], folder)
    assert "| 0.50x: missed |" in (folder / "README.md").read_text()


@pytest.mark.parametrize(
    ("peer", "beside", "ratio"),
    [
        ("sbx", "SBX 0.28.0 (jax)", "**1.60x**"),
        ("cleanrl", "CleanRL 1.2.0 (jax), EnvPool's games", "**1.60x**"),
        ("keras-tutorial", "a tutorial's PPO, Keras 3.15.1", "1.60x"),
    ],
)
def test_a_framework_stands_beside_its_own_peers(tool: Any, folder: Path, peer: str, beside: str, ratio: str) -> None:
    name = next(name for name in tool.MEASUREMENTS if name.startswith(f"actor-critics-ppo-{peer}-"))
    versions = {"sbx": "0.28.0", "cleanrl": "1.2.0", "keras": "3.15.1"}
    (folder / f"{name}.json").write_text(json.dumps(FOUND | {"ratio": 1.6, "versions": versions}))
    tool.main(["--page"], folder)
    assert f"| jax | {beside} | 1,234 | 500 | {ratio} | 1234 / 500, " in (folder / "README.md").read_text()


def test_the_short_form_keeps_nothing(tool: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, seen = (folder / "README.md").read_text(), []
    measure = tool.measure
    monkeypatch.setattr(tool, "measure", lambda *given: seen.append(measure(*given)))
    tool.main(["--short", "--only", NAME], folder)
    assert seen[0]["given"][-3:] == ["--rollouts", "1", "--json"]
    assert (folder / "README.md").read_text() == page
    assert not list(folder.glob("*.json"))


def test_what_was_measured_before_one_that_fails_is_kept(tool: Any, folder: Path) -> None:
    with pytest.raises(SystemExit, match=r"drqn-cartpole: .* failed"):
        tool.main(["--only", NAME, "drqn-cartpole"], folder)
    assert [path.stem for path in folder.glob("*.json")] == [NAME]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--only", "ppo"], "--only is 'ppo'; allowed: replay-"),
        (["--short"], "--short is of what --only names"),
        (["--short", "--only", "replay-seaquest-random"], "has no short form"),
    ],
)
def test_what_is_no_name_is_refused(
    given: list[str], said: str, tool: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        tool.main(given, folder)
    assert stop.value.code == 2
    assert said in capsys.readouterr().err


def test_a_page_without_a_place_is_refused(tool: Any) -> None:
    with pytest.raises(ValueError, match="0 places for the table replay"):
        tool.written("words", {})
