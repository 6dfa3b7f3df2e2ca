"""Whatever is typed: help, a parse, or one line and exit code 2."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triptych.cli.checking import CheckRun
from triptych.cli.main import COMMANDS, main
from triptych.cli.parse import takes_recipe
from triptych.recipes import BUILT_IN

FLAGS = (
    "--steps", "--seed", "--lr", "--env", "--env.size", "--env.crop", "--algorithm.gamma", "--algorithm.double", "--memory",
    "--framework", "--frameworks", "--quiet", "--no-quiet", "--network.0.units", "--network.dense-1.units", "--callback",
    "--runs-dir", "--run-name", "--device", "--evaluate-every", "--algorithm.target-every", "--json", "--games", "--help",
    "--", "-", "-x", "---", "--=", "--steps=", "--quiet=", "--env.", "--network.", "--network.7.units", "--.", "--memory=",
)  # fmt: skip
VALUES = (
    "cartpole", "cartpol", "drqn-cartpole", "3", "-3", "1e5", "10k", "1e400", "nan", "-inf", "torch,jax", "none", "True", "gru",
    "CartPole-v1", "Pong", "steps", "0.5", "x.py", "..", "/", "", " ", "\\", "%s", "{}", "[", "\x1b[31m", "\u0660", "a" * 400, "\ud800", "\0",
)  # fmt: skip
word = st.one_of(
    st.sampled_from(FLAGS), st.sampled_from(VALUES), st.sampled_from([*BUILT_IN][:4]), st.text(max_size=12)
)


@pytest.fixture(autouse=True)
def nothing_is_done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is parsed is not run: it is the reading that is tried."""
    monkeypatch.chdir(tmp_path)
    for command in (*COMMANDS.values(), CheckRun):
        monkeypatch.setattr(command, "run", lambda self: 0)


def check(arguments: list[str]) -> None:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as stop:
        main(arguments)
    said = err.getvalue()
    if stop.value.code == 0:
        assert said == ""
    else:
        assert stop.value.code == 2
        assert said.startswith("triptych: ") or not arguments
        assert len(said) < 500
        assert len(said.splitlines()) == bool(arguments)
        assert said.strip().isprintable()


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([*COMMANDS]), st.lists(word, max_size=6))
def test_any_arguments_of_a_command(command: str, arguments: list[str]) -> None:
    check([command, *arguments])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.sampled_from(["--version", "--print-completion", "help", "bash"]), word), max_size=3))
def test_any_arguments(arguments: list[str]) -> None:
    check(arguments)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([name for name, command in COMMANDS.items() if takes_recipe(command)]), st.lists(word, max_size=5)
)
def test_any_arguments_behind_a_recipe(command: str, arguments: list[str]) -> None:
    check([command, "cartpole", *arguments])
