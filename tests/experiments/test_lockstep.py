"""The proof and the comparison, end to end; and that the proof can fail."""

from __future__ import annotations

import csv
import dataclasses
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import triptych
from triptych import frameworks
from triptych.cli.main import main
from triptych.experiments.lockstep import judge, prove
from triptych.experiments.lockstep import play as proof
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.report import words
from triptych.spec import Dense, RMSprop
from triptych.utils.checks import WorkerError
from triptych.utils.processes import Child

SMALL_INVADERS = {
    "env.size": 44,
    "network.0.filters": 8,
    "network.1.filters": 8,
    "network.2.filters": 8,
    "network.4.units": 32,
    "network.5.units": 16,
}


@pytest.mark.usefixtures("forked")
def test_lockstep_cartpole(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    options = ["--steps", "1100", "--num-envs", "2", "--runs-dir", str(tmp_path), "--control", "--json"]
    with pytest.raises(SystemExit) as stop:
        main(["lockstep", "cartpole", *options])
    lines = capfd.readouterr().out.splitlines()
    result = json.loads(lines[-1])
    assert stop.value.code == 0
    assert lines[-2] == f"lockstep: agree, {result['updates']} updates"
    assert result["agree"]
    assert result["steps"] >= 1100
    assert result["updates"] >= 300
    assert result["greedy_actions"] >= 500
    assert result["target_copies"] >= 2
    assert 0 < result["worst_relative"] < 1e-9
    assert result["first_difference"] is None
    control = result["control"]  # every update rounded otherwise: not equal, and never equal to another framework
    assert lines[-3] == f"control: torch against itself, rounded otherwise: {control['worst_relative']:.1e}"
    assert 0 < control["worst_relative"] < 1e-9
    assert control["first_difference"] is None
    assert result["overrides"]["precision"] == "float64"
    assert set(result["logs"]) == {"torch", "jax", "keras"}
    with open(result["logs"]["jax"], newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["step", "game", "action", "loss", "epsilon"]
    assert [int(row["step"]) for row in rows] == list(range(1, len(rows) + 1))


@pytest.mark.usefixtures("forked")
def test_lockstep_space_invaders(tmp_path: Path) -> None:
    """M1's kind of network, smaller: screens, stacks, clipped rewards, in all three."""
    recipe = override(load_recipe("space-invaders"), SMALL_INVADERS | {"algorithm.update_every": 3, "num_envs": 2})
    result = triptych.lockstep(recipe, 700, runs_dir=tmp_path)
    assert result.agree, result


PIXELS = (
    "cartpole-pixels",
    {"threads": 1, "batch_size": 32, "algorithm.learn_from": 100, "algorithm.update_every": 3},
    1_050,
)
BREAKOUT = (
    "breakout",
    {
        "threads": 1,
        "env.size": 44,
        "network.0.filters": 4,
        "network.1.filters": 8,
        "network.3.units": 32,
        "algorithm.learn_from": 100,
        "algorithm.update_every": 3,
    },
    1_050,
)


@pytest.mark.usefixtures("forked")
@pytest.mark.parametrize(("recipe", "smaller", "steps"), [PIXELS, BREAKOUT], ids=["cartpole-pixels", "breakout"])
def test_lockstep_from_pixels(recipe: str, smaller: dict[str, Any], steps: int, tmp_path: Path) -> None:
    """Colours, differences and squared errors; lost lives, skipped first steps and episodes that count periods."""
    result = triptych.lockstep(recipe, steps, runs_dir=tmp_path, **smaller)
    assert result.agree, result


@pytest.mark.usefixtures("forked")
@pytest.mark.parametrize("memory", ["lstm", "attention"])
def test_lockstep_with_memory(memory: str, tmp_path: Path) -> None:
    """Resets, stored states, burn-in, double targets: the small recurrent recipe."""
    changes = {
        "memory": memory,
        "batch_size": 8,
        "num_envs": 2,
        "algorithm.replay_size": 2_000,
        "algorithm.update_every": 4,
    }
    result = triptych.lockstep("drqn-cartpole", 1_300, runs_dir=tmp_path, **changes)
    assert result.agree, result


ACTOR_CRITICS = {
    "ppo": ("cartpole-ppo", {"memory": "lstm", "network.2.units": 16, "algorithm.rollout_steps": 16}, 1_300),
    "a2c": (
        "cartpole-a2c",
        {
            "num_envs": 4, "algorithm.rollout_steps": 2, "algorithm.entropy_weight": 0.01, "network": (Dense(16, "tanh"),),
            "algorithm.policy_units": (16, 8), "algorithm.value_units": (8,),
        },
        2_600,
    ),
    "a3c": ("cartpole-a3c", {"num_envs": 1, "workers": 4, "algorithm.delays": (0, 1, 2, 3), "algorithm.rollout_steps": 4}, 1_400),
    "a3c-lstm": (
        "cartpole-a3c",
        {
            "num_envs": 1, "workers": 4, "algorithm.delays": (0, 1, 2, 3), "algorithm.rollout_steps": 4, "memory": "lstm",
            "network.2.units": 16, "optimiser": RMSprop(1e-3),
        },
        1_400,
    ),
}  # fmt: skip


@pytest.mark.usefixtures("forked")
@pytest.mark.parametrize("name", ACTOR_CRITICS)
def test_lockstep_of_actor_critics(name: str, tmp_path: Path) -> None:
    """Actions drawn from the policy, advantages, several passes over a rollout, a rate that falls."""
    recipe, changes, steps = ACTOR_CRITICS[name]
    result = triptych.lockstep(recipe, steps, runs_dir=tmp_path, **changes)
    assert result.agree, result
    assert result.target_copies == 0


def test_a_control_parts_where_last_bits_are_multiplied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof tells of both, and stands whatever becomes of the control."""
    nothing = {
        "steps": 1,
        "updates": 1_000,
        "greedy_actions": 1_000,
        "target_copies": 9,
        "rewards": 9,
        "ends": 9,
        "truncations": 0,
    }

    def work(kind: str, job: dict[str, Any]) -> dict[str, int]:
        by = {"torch": 0.0, "jax": 2e-9}[job["framework"]] if not job["control"] else 5e-9
        name, folder = "control" if job["control"] else job["framework"], Path(job["folder"])
        assert job["control"] == (folder / "verdict.json").exists(), "the proof is written before its control begins"
        (folder / f"{name}.csv").write_text(f"step,game,action,loss,epsilon\n1,0,1,{1 + by},0\n")
        (folder / f"{name}-tensors.csv").write_text("step,updates,tensor,norm,product,scale\n")
        return nothing

    monkeypatch.setattr(prove, "work", work)
    result = triptych.lockstep("cartpole", 9, ("torch", "jax"), control=True, runs_dir=tmp_path, run_name="proof")
    assert result.actions_part_at is None
    assert result.control is not None
    assert result.control["worst_relative"] == pytest.approx(5e-9)
    assert result.control["first_difference"]["framework"] == "control"
    said = words.verdict(json.loads((tmp_path / "proof" / "verdict.json").read_text()))
    assert "No action differs. A control, one framework rounded otherwise, parts from itself by 5.0e-09" in said


@pytest.mark.usefixtures("forked")
def test_too_few_updates_prove_nothing(tmp_path: Path) -> None:
    result = triptych.lockstep("cartpole", 60, ("torch", "jax"), runs_dir=tmp_path, warm_up=10)
    assert result.first_difference is None
    assert not result.agree
    needed = round(result.steps * 300 / result.updates)
    assert f"updates: {result.updates}, needed 300, which take about {needed} steps" in result.too_few


def test_a_precision_that_is_asked_for_and_not_used_is_told_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing_runs(kind: str, job: dict[str, Any]) -> dict[str, Any]:
        raise WorkerError("here it would begin")

    monkeypatch.setattr(prove, "work", nothing_runs)
    with pytest.raises(SystemExit):
        main(["lockstep", "cartpole", "--precision", "float32", "--runs-dir", str(tmp_path)])
    warning, *notes, last = capsys.readouterr().err.splitlines()
    assert warning.startswith("warning: --precision float32 is not used: the proof is always in float64")
    assert notes == [
        "proof     in float64: in a lower precision rounding alone drives the frameworks apart",
        "proof     these settings are changed for it: algorithm.epsilon_start = 0.1",
        "proof     --steps 30,000 counts from the end of the warm-up of 1,000: 31,000 steps in all",
    ]
    assert "here it would begin" in last


def test_overrides_are_only_those_that_would_empty_the_proof() -> None:
    for name in ("cartpole", "space-invaders", "space-invaders-tuned"):
        recipe = load_recipe(name)
        proved, changed = proof.provable(recipe, 2_000)
        config = proved.algorithm
        assert config.warm_up <= 1_000
        assert config.epsilon(config.warm_up) <= 0.1
        assert config.target_every[0] <= 500
        assert config.target_every[1] == "steps"
        assert proved.precision == "float64"
        assert proved.steps == config.warm_up + 2_000
        assert (proved.network, proved.optimiser, config.delta) == (
            recipe.network,
            recipe.optimiser,
            recipe.algorithm.delta,
        )
        untouched = {"batch_size", "gamma", "update_every", "reward", "replay_size"}
        assert not untouched & {key.split(".")[-1] for key in changed}
    by_episodes = override(load_recipe("cartpole"), {"algorithm.target_every": (10, "episodes")})
    assert proof.provable(by_episodes, 10)[1]["algorithm.target_every"] == (500, "steps")


@pytest.fixture(scope="module")
def short() -> Any:
    """A proof short enough to be run in this process, in two frameworks."""
    return proof.provable(override(load_recipe("cartpole"), {"warm_up": 100, "batch_size": 16}), 500)[0]


def run_both(short: Any, folder: Path) -> judge.Verdict:
    for name in ("torch", "jax"):
        proof.run(short, name, folder, quiet=True)
    return judge.judge(folder, ["torch", "jax"])


def test_the_proof_holds_in_process(short: Any, tmp_path: Path) -> None:
    assert run_both(short, tmp_path).first is None


def test_another_learning_rate_is_found(short: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutated JAX learner: one part in a million of the step size."""
    learner = frameworks.load("jax").Learner
    update = learner.update
    monkeypatch.setattr(learner, "update", lambda self, batch, rate: update(self, batch, rate * (1 + 1e-6)))
    first = run_both(short, tmp_path).first
    assert first is not None
    assert first["framework"] == "jax"
    assert first["what"] == "loss"
    assert 100 < first["step"] < 200
    assert first["tensor"].startswith(("online/", "adam/"))


def test_another_action_is_found(short: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutated JAX actor that breaks near ties the other way."""
    learner = frameworks.load("jax").Learner
    act = learner.act
    monkeypatch.setattr(learner, "act", lambda self, obs, *rest: (act(self, obs)[0] * [[1.0, 1.05]], None))
    first = run_both(short, tmp_path).first
    assert first is not None
    assert first["what"] == "action"


def test_games_of_another_seed_are_found(short: Any, tmp_path: Path) -> None:
    proof.run(short, "torch", tmp_path, quiet=True)
    proof.run(dataclasses.replace(short, seed=1), "jax", tmp_path, quiet=True)
    assert judge.judge(tmp_path, ["torch", "jax"]).first is not None


def test_nan_is_a_difference(short: Any, tmp_path: Path) -> None:
    for name in ("torch", "jax"):
        (tmp_path / f"{name}.csv").write_text("step,game,action,loss,epsilon\n1,0,1,nan,0.1\n")
        (tmp_path / f"{name}-tensors.csv").write_text("step,updates,tensor,norm,product,scale\n")
    first = judge.judge(tmp_path, ["torch", "jax"]).first
    assert first is not None
    assert first["what"] == "loss"


def test_a_shorter_log_is_a_difference(tmp_path: Path) -> None:
    for name, rows in (("torch", "1,0,1,,0.1\n2,0,1,,0.1\n"), ("jax", "1,0,1,,0.1\n")):
        (tmp_path / f"{name}.csv").write_text("step,game,action,loss,epsilon\n" + rows)
        (tmp_path / f"{name}-tensors.csv").write_text("step,updates,tensor,norm,product,scale\n")
    first = judge.judge(tmp_path, ["torch", "jax"]).first
    assert first is not None
    assert first["what"] == "rows"


def test_the_worst_difference_is_that_of_the_whole_run(tmp_path: Path) -> None:
    """It grows on after the first one, until another action is taken; the first one is the first of all logs."""
    header = "step,updates,tensor,norm,product,scale\n"
    for name, by in (("torch", 0.0), ("jax", 1e-8)):
        losses = f"1,0,1,1,0\n2,0,1,1,0\n3,0,1,{1 + by},0\n4,0,1,{1 + 5 * by},0\n5,0,{int(by > 0)},{1 + 10 * by},0\n"
        (tmp_path / f"{name}.csv").write_text("step,game,action,loss,epsilon\n" + losses)
        tensors = f"2,1,a,1,{1 + 3 * by},1\n2,1,b,1,{1 + 7 * by},1\n5,2,a,1,{1 + 50 * by},1\n"
        (tmp_path / f"{name}-tensors.csv").write_text(header + tensors)
    verdict = judge.judge(tmp_path, ["torch", "jax"])
    assert verdict.first is not None
    assert (verdict.first["step"], verdict.first["what"], verdict.parted) == (2, "a", 5)
    assert verdict.worst == pytest.approx(1e-7), "the loss of step 5 shows what was learned before its action"


def test_ctrl_c_reaches_the_worker_which_saves(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "triptych",
        "compare",
        "cartpole",
        "--frameworks",
        "jax",
        "--quiet",
        "--runs-dir",
        str(tmp_path),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    run = tmp_path / "compare-cartpole-jax-seed0-1"
    deadline = time.monotonic() + 120
    while process.poll() is None and not (run / "metrics.csv").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM, err
    assert f"triptych resume {run}" in err
    assert json.loads((run / "summary.json").read_text())["stopped_by"] == "interrupted"
    assert "Traceback" not in err + out


@pytest.mark.usefixtures("forked")
def test_a_dead_worker_costs_its_own_run_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Child.answer

    def broken(self: Child) -> dict:
        found = answer(self)
        if found.get("framework") == "torch" or "-torch-" in str(found):
            return {"failed": "it died"}
        return found

    monkeypatch.setattr(Child, "answer", broken)
    result = triptych.compare("cartpole", ("jax", "torch"), games=1, steps=200, warm_up=50, runs_dir=tmp_path)
    assert [row.framework for row in result.rows] == ["jax"]
    assert len(result.failures) == 1


def test_a_folder_with_something_in_it_is_kept(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(triptych.InputError, match="not empty"):
        triptych.lockstep("cartpole", 500, ("torch", "jax"), runs_dir=tmp_path, run_name="mine")


def test_every_loss_is_compared(short: Any, tmp_path: Path) -> None:
    """Also those of updates made while the only game restarted: its row comes later."""
    counts = proof.run(short, "torch", tmp_path, quiet=True)
    with open(tmp_path / "torch.csv", newline="") as file:
        losses = [row for row in csv.DictReader(file) if row["loss"]]
    # One game and an update every second step: no row holds the mean of more than two.
    assert counts["updates"] / 2 <= len(losses) <= counts["updates"]


@pytest.mark.usefixtures("forked")
def test_compare_trains_each_framework_with_each_seed(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    arguments = ["compare", "cartpole", "--frameworks", "jax", "torch", "--seeds", "2", "--games", "2", "--steps", "300",
                 "--warm-up", "100", "--evaluate-every", "0", "--threads", "1", "--quiet", "--runs-dir", str(tmp_path), "--json", "--margin", "490"]  # fmt: skip
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 0
    out = capfd.readouterr().out
    result = json.loads(out.splitlines()[-1])
    assert [row["framework"] for row in result["rows"]] == ["jax", "torch"]
    for row in result["rows"]:
        assert row["low"] <= row["score"] <= row["high"]
        assert row["steps_per_second"] > 0
        assert row["updates_per_second"] > 0
        assert row["peak_memory"] > 50e6
        assert len(row["runs"]) == 2
        assert all((Path(run) / "config.json").exists() for run in row["runs"])
        assert all(run in out for run in row["runs"])
    assert result["seeds"] == [0, 1]
    [test] = result["equivalence"]
    scores = [row["run_scores"] for row in result["rows"]]
    assert test["difference"] == pytest.approx(sum(scores[0]) / 2 - sum(scores[1]) / 2)
    assert test["equivalent"] == (max(-test["low"], test["high"]) < 490)
    assert "jax less torch: " in out
    runs = [Path(run).name for row in result["rows"] for run in row["runs"]]
    assert f"triptych report {' '.join(runs)} --runs-dir {tmp_path}\n" in out
