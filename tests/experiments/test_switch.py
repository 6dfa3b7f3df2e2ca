"""A run goes on with another network, or with its own that has grown: nothing else of it is lost."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triptych
from tests.experiments.test_going_on import SHORT, interrupt_at
from tests.experiments.test_resume import CARTPOLE_A3C, MEMORY, assert_same
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.report.command import with_switches
from triptych.report.page import report
from triptych.spec import LSTM, Dense
from triptych.utils.checks import InputError
from triptych.utils.files import read_tensors

RUNS: dict[str, dict[str, Any]] = {
    "cartpole": SHORT | {"network.0.units": 16, "network.1.units": 12},
    "memory": MEMORY | {"steps": 1_300, "memory": "stack", "algorithm.stored_state": True, "algorithm.burn_in": 0},
    "cartpole-a3c": CARTPOLE_A3C | {"steps": 1_300, "memory": "none"},
}
STACKED = tuple(RUNS)
RUNS |= {kind: RUNS["memory"] | {"memory": kind} for kind in ("lstm", "gru")}
WIDER = {"dense_1": 24, "dense_2": 20}


def pausing() -> Any:
    """Ends the session before its first step."""

    class Pause(triptych.Callback):
        def start(self, run: Any) -> None:
            run.pause()

    return Pause()


def stop(path: Path, name: str, framework: str = "torch") -> Path:
    """A run in the middle of an episode."""
    triptych.train(framework=framework, runs_dir=path, run_name=name, callbacks=[interrupt_at(777)], **RUNS[name])
    return path / name


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    return {name: stop(folder, name) for name in STACKED}


def copied(run: Path, *to: Path) -> list[Path]:
    for path in to:
        shutil.copytree(run, path)
    return list(to)


def played(weights: Path, framework: str) -> tuple[Any, Any]:
    """A hundred test games, greedy."""
    found = triptych.evaluate(weights, 100, framework=framework)
    return found.rewards, found.lengths


def newest(run: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    folder = max((run / "checkpoints").glob("*-*/boundary.json"), key=lambda path: int(path.parent.name[-9:])).parent
    return json.loads((folder / "boundary.json").read_text()), read_tensors(folder / "state.safetensors")[0]


def test_a_run_that_has_grown_plays_as_before_and_goes_on_learning(framework: str, tmp_path: Path) -> None:
    run = stop(tmp_path, "cartpole", framework)
    latest = run / "checkpoints" / "latest.safetensors"
    before, counted = played(latest, framework), newest(run)[0]["state"]["counters"]
    larger = triptych.grow(latest, WIDER, ["dense_1"], noise=0.2)
    assert played(larger.path, framework) == before
    paused = triptych.resume(run, network=str(larger.path), callbacks=[pausing()])
    assert played(latest, framework) == before
    assert len(set(before[0])) > 1
    assert (paused.steps, paused.updates) == (counted["steps"], counted["updates"])
    first = read_tensors(latest)[0]
    assert {name: array.shape for name, array in first.items() if "kernel" in name} == {
        "dense_1/kernel": (4, 24), "dense_2/kernel": (24, 24), "dense_3/kernel": (24, 20), "head/kernel": (20, 2),
    }  # fmt: skip
    ended = triptych.resume(run)
    assert ended.steps >= 1_300
    assert ended.updates > counted["updates"]
    last = read_tensors(latest)[0]
    assert all((last[name] != first[name]).any() for name in first)
    state = newest(run)[1]
    assert int(state["learner/adam/since/dense_2/kernel"]) == counted["updates"]
    assert "learner/adam/since/dense_3/kernel" not in state
    assert triptych.evaluate(run, 2).games == 2, "its best weights, of whatever network"


def test_what_the_old_network_earned_is_no_score_of_the_new_one(stopped: dict[str, Path], tmp_path: Path) -> None:
    """Else the best weights would be those of a fresh network, a step behind the switch."""
    (run,) = copied(stopped["cartpole"], tmp_path / "run")
    best, before = run / "checkpoints" / "best.safetensors", json.loads((run / "summary.json").read_text())
    kept, window = best.read_bytes(), json.loads((run / "config.json").read_text())["recipe"]["best_window"]
    episodes: list[float] = []

    class Watching(triptych.Callback):
        def step(self, run: Any, tick: Any) -> None:
            episodes.extend(episode.reward for episode in tick.episodes)
            if len(episodes) < window or (
                np.mean(episodes[-window:]) < before["best_score"] and len(episodes) == window
            ):
                assert best.read_bytes() == kept

    recipe = override(load_recipe("cartpole"), {"network.0.units": 16, "network.1.units": 30})
    ended = triptych.resume(run, network=recipe, callbacks=[Watching()])
    assert len(episodes) > window
    assert [alarm["signal"] for alarm in ended.alarms] == [alarm["signal"] for alarm in before["alarms"]]


@pytest.mark.parametrize("name", ["cartpole", "memory", "cartpole-a3c"])
def test_a_run_with_another_network_is_resumed_to_the_same_bytes(
    name: str, stopped: dict[str, Path], tmp_path: Path
) -> None:
    """At once, before any checkpoint has the new network, and after one."""
    whole, early, late = copied(stopped[name], tmp_path / "whole", tmp_path / "early", tmp_path / "late")
    changes = {"memory": "lstm"} if name != "cartpole" else {"network.1.units": 30}
    other = override(load_recipe(RUNS[name]["recipe"]), {"network.0.units": 16} | changes)
    triptych.resume(whole, network=other)
    triptych.resume(early, network=other, callbacks=[pausing()])
    triptych.resume(early)
    triptych.resume(late, network=other, callbacks=[interrupt_at(1_100)])
    triptych.resume(late)
    assert_same(whole, early)
    assert_same(whole, late)


def test_an_lstm_in_place_of_a_stack_keeps_counters_replay_and_what_fits(
    stopped: dict[str, Path], tmp_path: Path
) -> None:
    (run,) = copied(stopped["memory"], tmp_path / "r")
    before, had = newest(run)
    body = tuple(LSTM(8) if layer.kind == "stack" else layer for layer in triptych.read_run(run).recipe.network)
    other = override(triptych.read_run(run).recipe, {"network": body})
    seen: dict[str, Any] = {}

    class Look(triptych.Callback):
        def start(self, run: Any) -> None:
            training = run.training
            seen.update(
                store=training.store.transitions,
                state=training.learner.get_state(),
                rng=training.rngs["explore"].bit_generator.state,
            )
            run.pause()

    triptych.resume(run, network=other, callbacks=[Look()])
    saved = before["state"]
    assert seen["store"] == saved["store"]["transitions"]
    assert seen["rng"] == saved["rngs"]["explore"]
    state, updates = seen["state"], saved["counters"]["updates"]
    assert updates > 50
    assert (state["online/dense_1/kernel"] == had["learner/online/dense_1/kernel"]).all()
    assert (state["adam/v/dense_1/kernel"] == had["learner/adam/v/dense_1/kernel"]).all()
    assert not state["adam/v/lstm_1/kernel"].any()
    assert int(state["adam/since/lstm_1/kernel"]) == updates
    assert (state["target/lstm_1/kernel"] == state["online/lstm_1/kernel"]).all()
    with open(run / "resumes.csv", newline="") as file:
        told = list(csv.DictReader(file))[-1]["changes"]
    assert "kind: stack -> lstm" in told
    assert (
        "another network: 4 of 9 tensors taken, with what the optimiser remembers of them; fresh: lstm_1/kernel" in told
    )
    change = json.loads((run / "config.json").read_text())["changes"][-1]
    assert change["network"]["tensors"]["dense_1/kernel"] == "taken"
    page = report([str(run)], runs_dir=tmp_path).read_text()
    assert "<tr><th>lstm_1/kernel</th><td>fresh: is not there</td></tr>" in page
    assert f"# At step {saved['counters']['steps']:,} the run went on with another network: triptych resume RUN" in page


class States(triptych.Callback):
    """The memory's states of a run that goes on: of its games, and those that its replay has stored."""

    def start(self, run: Any) -> None:
        training = run.training
        self.games = training.get_state().arrays["loop/state"]
        self.stored = {place: state.copy() for place, state in training.store.states.kept.items()}
        run.pause()


def copies_in(small: dict[str, np.ndarray], large: dict[str, np.ndarray], layer: str, gates: int) -> list[int]:
    """Which old unit each unit of a memory copies, by its biases: a unit has one of each gate, which no other has."""
    old, new = (weights[f"{layer}/bias"].reshape(gates, -1).T for weights in (small, large))
    assert len({tuple(row) for row in old}) == len(old)
    return [int(np.flatnonzero((old == row).all(axis=1)).item()) for row in new]


@pytest.mark.parametrize(("kind", "gates", "parts"), [("lstm", 4, 2), ("gru", 3, 1)])
def test_a_grown_memorys_states_go_on(kind: str, gates: int, parts: int, tmp_path: Path) -> None:
    """Those of the games and those that the replay has stored: each unit's copies have its numbers, and mean what they meant."""
    run, layer = stop(tmp_path, kind), f"{kind}_1"
    latest = run / "checkpoints" / "latest.safetensors"
    small = read_tensors(latest)[0]
    units = len(small[f"{layer}/bias"]) // gates
    larger = triptych.grow(latest, {"dense_1": 80, layer: units + 11}, noise=0.2)
    (same,) = copied(run, tmp_path / "same")
    before, after = States(), States()
    triptych.resume(same, callbacks=[before])
    triptych.resume(run, network=str(larger.path), callbacks=[after])
    index = copies_in(small, read_tensors(larger.path)[0], layer, gates)
    assert sorted(set(index)) == list(range(units))

    def expected(states: np.ndarray) -> np.ndarray:
        halves = [states[..., part * units : (part + 1) * units][..., index] for part in range(parts)]
        return np.concatenate(halves, axis=-1)

    assert before.games.any()
    assert np.array_equal(after.games, expected(before.games))
    assert before.stored
    assert after.stored.keys() == before.stored.keys()
    for place, state in before.stored.items():
        assert np.array_equal(after.stored[place], expected(state))
    old, new = (np.stack([found.stored[place] for place in before.stored]) for found in (before, after))
    obs = np.random.default_rng(0).standard_normal((len(old), small["dense_1/kernel"].shape[0])).astype(np.float32)
    values = [
        triptych.load_agent(weights).act(obs, states, np.zeros(len(obs), bool))[0]
        for weights, states in ((tmp_path / "same" / "checkpoints" / "latest.safetensors", old), (larger.path, new))
    ]
    assert np.allclose(*values, rtol=1e-5, atol=1e-5)
    assert np.ptp(values[0], axis=0).min() > 1e-3
    assert triptych.resume(run).steps >= 1_300


def test_frozen_layers_are_called_as_in_the_grown_network(tmp_path: Path) -> None:
    settings = RUNS["cartpole"] | {"freeze": ("dense_2",), "thaw_after": None}
    triptych.train(runs_dir=tmp_path, run_name="r", callbacks=[interrupt_at(400)], **settings)
    run = tmp_path / "r"
    larger = triptych.grow(run / "checkpoints" / "latest.safetensors", {}, "dense_1")
    first = read_tensors(larger.path)[0]
    triptych.resume(run, network=str(larger.path))
    assert json.loads((run / "config.json").read_text())["recipe"]["freeze"] == ["dense_3"]
    last = read_tensors(run / "checkpoints" / "latest.safetensors")[0]
    still = {name for name in first if (first[name] == last[name]).all()}
    assert still == {"dense_3/kernel", "dense_3/bias"}


def refused(run: Path, line: str, **how: Any) -> None:
    """With that line, and nothing in the folder changes."""

    def content() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}

    before = content()
    with pytest.raises(InputError, match=line):
        triptych.resume(run, **how)
    assert content() == before


def test_another_network_that_the_run_cannot_have_is_refused(stopped: dict[str, Path], tmp_path: Path) -> None:
    run, other = stopped["cartpole"], tmp_path / "other.safetensors"
    own = triptych.read_run(run).recipe
    refused(run, "network is 'that of a recipe'; allowed: another network than the run has", network=own)
    refused(run, "memory is 'lstm'; allowed: none with the algorithm dqn", network="drqn-lstm")
    strange = override(own, {"network": (Dense(7, initialiser="fan_in_uniform"), Dense(9))})
    strange_head = override(strange, {"network": (Dense(7), LSTM(5))})
    refused(run, "none of its layers fits this network", network=strange)
    refused(run, "allowed: none with the algorithm dqn", network=strange_head)
    refused(run, "recipe is 'absent'", network="absent")
    latest = run / "checkpoints" / "latest.safetensors"
    once = triptych.grow(latest, WIDER, out=other).path
    twice = triptych.grow(once, {"dense_1": 99}, out=tmp_path / "twice.safetensors").path
    refused(run, "allowed: one that grew from the run's own, as it is now", network=str(twice))


def test_what_cannot_grow_writes_nothing(stopped: dict[str, Path], tmp_path: Path) -> None:
    run, out = stopped["cartpole"], tmp_path / "out.safetensors"
    for wider, deeper, line in (
        ({"dense_3": 9}, (), "wider is 'dense_3'; allowed: a layer that can be wider: dense_1, dense_2"),
        ({"dense_1": 8}, (), "allowed: more than 16"),
        ({}, ("head",), "deeper is 'head'"),
    ):
        with pytest.raises(InputError, match=line):
            triptych.grow(run, wider, deeper, out=out)
    with pytest.raises(InputError, match="a file that ends on"):
        triptych.grow(run, WIDER, out=tmp_path / "out.txt")
    with pytest.raises(InputError, match="no such"):
        triptych.grow(tmp_path / "absent", WIDER)
    assert not list(tmp_path.iterdir())


def test_what_grows_is_never_what_is_written(stopped: dict[str, Path], tmp_path: Path) -> None:
    latest = stopped["cartpole"] / "checkpoints" / "latest.safetensors"
    once = triptych.grow(latest, WIDER, out=tmp_path / "grown.safetensors").path
    content = once.read_bytes()
    other = tmp_path / "link.safetensors"
    other.symlink_to(once)
    for given, out in ((once, None), (once, once), (other, once), (once, tmp_path / "." / "grown.safetensors")):
        with pytest.raises(InputError, match=r"the weights that grow; allowed: another file, with --out"):
            triptych.grow(given, {"dense_1": 99}, out=out)
    assert once.read_bytes() == content
    assert triptych.grow(once, {"dense_1": 99}, out=tmp_path / "further.safetensors").path.is_file()


def test_fresh_layers_that_stay_frozen_are_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = RUNS["cartpole"] | {"freeze": ("dense_1",)}
    triptych.train(runs_dir=tmp_path, run_name="r", callbacks=[interrupt_at(400)], **settings)
    capsys.readouterr()
    wider = override(load_recipe("cartpole"), {"network.0.units": 20, "network.1.units": 12})
    triptych.resume(tmp_path / "r", network=wider, callbacks=[pausing()])
    assert "warning: dense_1/kernel, dense_1/bias: fresh, and frozen" in capsys.readouterr().err


def test_what_a_strangers_config_names_stays_within_the_comment() -> None:
    growth = {"wider": {"dense_1\nrm -rf x": 9}, "deeper": ["dense_2; y"]}
    told = with_switches("triptych train cartpole", {"changes": [{"step": 7, "network": {"growth": growth}}]})
    assert [line[:2] for line in told.splitlines()] == ["tr", "# ", "# "]
    with pytest.raises(InputError, match=r"changes\.network"):
        with_switches("x", {"changes": [{"step": 7, "network": {"growth": ["dense_1"]}}]})
