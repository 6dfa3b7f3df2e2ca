"""Whom the benchmarks stand beside: what can be asked of each, and those of their parts that need no other library."""

from __future__ import annotations

import importlib
import json
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from triptych.algorithms import dqn, ppo
from triptych.buffers.advantages import generalised_advantages
from triptych.spec import Network, Observation
from triptych.spec.weights import initial_weights

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PICTURES = Observation((4, 84, 84), "uint8")
ACTIONS = 6


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Imports a file of benchmarks/peers."""
    monkeypatch.syspath_prepend(str(BENCHMARKS / "peers"))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(BENCHMARKS)):
            del sys.modules[name]


def recipe_of(script: str, *given: object) -> Any:
    """Our side's recipe."""
    return runpy.run_path(str(BENCHMARKS / "ours" / script))["recipe_of"](*given)


def sizes(network: Network) -> list[tuple[int, ...]]:
    return [weight.shape for weight in initial_weights(network, np.random.default_rng(0)).values()]


@pytest.mark.parametrize("script", sorted(path.name for path in BENCHMARKS.glob("*.py")))
def test_each_command_finds_what_it_imports(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    assert runpy.run_path(str(BENCHMARKS / script))["__doc__"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("dqn.py --peer sbx --framework torch", "--framework is 'torch'; allowed: jax (beside sbx)"),
        ("dqn.py --peer cleanrl --num-envs 8", "--num-envs is 8; allowed: 1 (beside cleanrl)"),
        ("dqn.py --peer keras-tutorial --framework keras --num-envs 8", "--num-envs is 8; allowed: 1 (beside keras-tutorial)"),
        ("dqn.py --peer keras-train-on-batch --framework jax", "allowed: keras (beside keras-train-on-batch)"),
        ("actor_critics.py --peer sbx --framework jax --algorithm a2c", "--algorithm is 'a2c'; allowed: ppo (beside sbx)"),
        ("actor_critics.py --peer cleanrl --framework torch", "--framework is 'torch'; allowed: jax (beside cleanrl)"),
        ("actor_critics.py --peer keras-tutorial --framework jax", "allowed: keras (beside keras-tutorial)"),
    ],
)  # fmt: skip
def test_what_a_peer_has_not_is_refused_in_one_line(
    command: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script, *given = command.split()
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.setattr(sys, "argv", [script, *given])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(BENCHMARKS / script), run_name="__main__")
    line = capsys.readouterr().err
    assert stop.value.code == 2
    assert line.startswith(f"{script}: --")
    assert line.endswith(f"{said}\n")
    assert line.count("\n") == 1


def test_all_that_can_be_asked_can_be_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row's command is one that its script takes, and each peer has a row, a script and an environment."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    rivals, turns = importlib.import_module("rivals"), importlib.import_module("turns")
    commands = [one.command for one in importlib.import_module("measured").MEASUREMENTS.values()]
    for script, peers in (("dqn.py", rivals.DQN), ("actor_critics.py", rivals.ACTOR_CRITICS)):
        seen = set()
        for _, *given in (command for command in commands if command[0] == script):
            asked = dict(zip(given[::2], given[1::2], strict=True))
            name = asked.pop("--peer", rivals.SB3)
            del asked["--precision"]
            fields = {
                flag[2:].replace("-", "_"): int(value) if value.isdigit() else value for flag, value in asked.items()
            }
            rivals.check_asked(name, peers[name], **fields)
            seen.add(name)
        assert seen == set(peers)
    for other in (*rivals.DQN.values(), *rivals.ACTOR_CRITICS.values()):
        assert (BENCHMARKS / other.script).exists()
        assert other.environment in (*turns.PACKAGES, *turns.OURS)


def test_what_keras_users_write_needs_no_other_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    assert importlib.import_module("turns").python_of("keras") == Path(sys.executable)


def test_the_tutorials_networks_are_ours(peer: Any) -> None:
    recipe = recipe_of("dqn.py", 1, 2, 1_000, 100, "float32")
    ours = sizes(dqn.network(recipe.algorithm, PICTURES, recipe.network, ACTIONS))
    theirs = [weight.shape for weight in peer("dqn_keras").network(ACTIONS).get_weights()]
    assert theirs == ours
    recipe = recipe_of("actor_critics.py", "ppo", 2, "float32")
    ours = sizes(ppo.network(recipe.algorithm, PICTURES, recipe.network, ACTIONS))
    theirs = [weight.shape for weight in peer("actor_critics_keras").network(ACTIONS).get_weights()]
    assert theirs[:8] == ours[:8]
    assert sum(map(np.prod, theirs)) == sum(map(np.prod, ours))


@pytest.mark.parametrize("variant", ["tutorial", "train-on-batch"])
def test_an_update_moves_the_values_of_the_actions_taken(peer: Any, variant: str) -> None:
    tutorial, rng = peer("dqn_keras"), np.random.default_rng(0)
    states, nexts = rng.integers(256, size=(2, 8, 4, 84, 84), dtype=np.uint8)
    batch = states, np.full(8, 2), np.ones(8), nexts, np.ones(8)  # each ends with a reward of 1: its value shall be 1
    model, target = tutorial.network(ACTIONS), tutorial.network(ACTIONS)
    target.set_weights(model.get_weights())
    before = np.array(model(states))
    tutorial.UPDATES[variant](model, target, batch)
    bias = model.get_weights()[-1]
    assert bias[2] != 0
    assert np.delete(bias, 2) == pytest.approx(0)
    assert np.abs(np.array(model(states))[:, 2] - 1).mean() < np.abs(before[:, 2] - 1).mean()


def test_the_targets_are_those_of_dqn(peer: Any) -> None:
    next_values = np.array([[1.0, 3.0], [5.0, 2.0]])
    batch = None, None, np.array([1.0, -1.0]), None, np.array([0.0, 1.0])
    assert peer("dqn_keras").targets(batch, next_values) == pytest.approx([1 + 0.99 * 3, -1])


def test_the_tutorials_advantages_are_ours(peer: Any) -> None:
    tutorial, rng = peer("actor_critics_keras"), np.random.default_rng(0)
    rewards, values, ends = rng.normal(size=(9, 3)), rng.normal(size=(10, 3)), rng.random((9, 3)) < 0.3
    ours = generalised_advantages(rewards, tutorial.GAMMA * ~ends, ends, values, tutorial.GAMMA * tutorial.LAMBDA)
    assert tutorial.advantages_of(rewards, values, ends.astype(float)) == pytest.approx(ours)


@pytest.mark.parametrize("variant", ["tutorial", "train-on-batch"])
def test_a_tutorial_plays_and_learns(
    peer: Any, variant: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tutorial, seen = peer("dqn_keras"), []
    update = tutorial.UPDATES[variant]
    monkeypatch.setitem(tutorial.UPDATES, variant, lambda *given: (seen.append(given), update(*given)))
    monkeypatch.setattr(tutorial, "BEFORE", 8)
    monkeypatch.setattr(tutorial, "set_threads", lambda threads: seen.append(threads))  # TensorFlow has begun: too late
    tutorial.main(variant, 2, 40, 32)
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["rate"] > 0
    assert found["versions"].keys() == {"keras", "its tensorflow", "its gymnasium"}
    assert seen.pop(0) == 2
    assert len(seen) == found["updates"] == (8 + 32) // 4
    states, actions, rewards, next_states, ends = seen[-1][2]
    assert states.shape == next_states.shape == (32, 4, 84, 84)
    assert states.dtype == np.uint8
    assert actions.shape == rewards.shape == ends.shape == (32,)


def test_a_tutorials_ppo_plays_and_learns(
    peer: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tutorial, seen = peer("actor_critics_keras"), []
    learn = tutorial.learn
    for name, value in {"GAMES": 2, "STEPS": 8, "MINIBATCH": 8, "set_threads": seen.append}.items():
        monkeypatch.setattr(tutorial, name, value)
    monkeypatch.setattr(tutorial, "learn", lambda ppo, data, rng: (seen.append((ppo, data)), learn(ppo, data, rng)))
    tutorial.main(2, 3)
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["rate"] > 0
    assert seen.pop(0) == 2
    assert len(seen) == 1 + 3
    ppo, data = seen[-1]
    assert int(ppo.optimizer.iterations.numpy()) == 4 * tutorial.PASSES * 2
    assert [column.shape for column in data] == [(16, 4, 84, 84), *[(16,)] * 4]


class Games:
    """EnvPool's interface of today, of two games."""

    action_space, observation_space = "actions", "pictures"
    closed = False

    def reset(self) -> tuple[str, dict[str, Any]]:
        return "first", {}

    def xla(self) -> tuple[Any, Any, Any, Any]:
        ends = np.array([True, False]), np.array([False, False])
        return (
            "handle",
            "receive",
            "send",
            lambda handle, action: (handle + action, ("obs", 1.0, *ends, {"reward": 4.0})),
        )

    def close(self) -> None:
        self.closed = True


def test_cleanrl_finds_the_names_of_its_day(peer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import flax.training.train_state
    import jax

    asked: dict[str, Any] = {}

    def make(name: str, **settings: Any) -> Games:
        asked.update(settings, name=name)
        return Games()

    envpool, gymnasium = SimpleNamespace(make_gymnasium=make), ModuleType("gymnasium")
    monkeypatch.setitem(sys.modules, "envpool", envpool)
    monkeypatch.setitem(sys.modules, "gymnasium", gymnasium)
    monkeypatch.setitem(sys.modules, "gym", ModuleType("gym"))
    monkeypatch.setattr(jax, "tree_map", None, raising=False)
    monkeypatch.setattr(flax.training.train_state, "TrainState", flax.training.train_state.TrainState)
    peer("actor_critics_cleanrl").give_back(3)
    assert sys.modules["gym"] is gymnasium
    assert jax.tree_map(lambda x: x + 1, {"a": 1}) == {"a": 2}
    games = envpool.make("Pong-v5", env_type="gym", num_envs=2)
    assert asked == {"name": "Pong-v5", "num_envs": 2, "num_threads": 3}
    assert (games.reset(), games.action_space, games.observation_space) == ("first", "actions", "pictures")
    handle, _, _, step = games.xla()
    handle, (obs, reward, done, info) = step(handle, "+1")
    assert (handle, obs, reward, done.tolist(), info["reward"]) == ("handle+1", "obs", 1.0, [True, False], 4.0)
    assert info["TimeLimit.truncated"].tolist() == [False, False]
    games.close()
    assert games.pool.closed


def test_a_train_state_takes_weights_in_a_dataclass(peer: Any) -> None:
    """As Flax's own does with a dict."""
    import flax.struct
    import optax
    from flax.training.train_state import TrainState

    @flax.struct.dataclass
    class Weights:
        kernel: Any

    def learned(kind: Any, weights: Any) -> Any:
        state = kind.create(apply_fn=None, params=weights, tx=optax.adam(0.1))
        return state.apply_gradients(grads=weights).apply_gradients(grads=weights)

    kernel = np.array([1.0, -2.0], "float32")
    ours, theirs = (
        learned(peer("actor_critics_cleanrl").train_state(), Weights(kernel)),
        learned(TrainState, {"kernel": kernel}),
    )
    assert ours.params.kernel.tolist() == theirs.params["kernel"].tolist() != kernel.tolist()
    assert ours.step == theirs.step == 2


def test_a_file_of_cleanrls_is_run_with_its_arguments(
    peer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("cleanrl", "cleanrl_utils"):
        (tmp_path / folder).mkdir()
    (tmp_path / "cleanrl_utils" / "__init__.py").write_text("")
    lines = "import pathlib, sys\npathlib.Path('log').touch()\nfor _ in range(3):\n    print('SPS:', 5)\nprint(sys.argv[1:])\n"
    (tmp_path / "cleanrl" / "one.py").write_text(lines + "assert sys.argv[1:] == ['--steps=4']\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.chdir(tmp_path)  # back to where the tests stand: it goes elsewhere
    times = peer("cleanrl_file").run("one.py", "--steps=4")
    assert len(times) == 3
    assert times == sorted(times)
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "log").exists()
