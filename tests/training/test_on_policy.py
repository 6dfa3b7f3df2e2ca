"""On-policy training: what a run puts into its rollouts, when it learns from them, and what it refuses."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.buffers.test_rollout import advantage_of
from triptych import envs, evaluate, frameworks, lockstep, train
from triptych.algorithms import a2c
from triptych.buffers.rollout import RolloutBuffer
from triptych.cli.parse import parse
from triptych.cli.runs import Train
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.spec import Observation
from triptych.training.agent import Agent
from triptych.training.build import make_training
from triptych.training.loop import run_loop
from triptych.training.on_policy import OnPolicy
from triptych.utils.checks import InputError


def make(**changes: Any) -> OnPolicy:
    recipe = override(load_recipe("cartpole-ppo"), {"precision": "float64", "num_envs": 4, **changes})
    games = envs.make(recipe.env, recipe.num_envs)
    training = make_training(recipe, games, frameworks.load("torch").Learner)
    assert isinstance(training, OnPolicy)
    return training


@pytest.mark.parametrize("memory", ["none", "lstm"])
def test_a_rollout_is_what_the_network_says_of_it(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Log probabilities, values and states while playing are those of one pass over the stored rollout."""
    training = make(memory=memory, **{"algorithm.rollout_steps": 40, "algorithm.minibatches": 1, "algorithm.epochs": 1})
    rolled: list[Any] = []
    learn = training.rollout.minibatches
    monkeypatch.setattr(
        training.rollout,
        "minibatches",
        lambda *given, **scalars: rolled.append(training.rollout) or learn(*given, **scalars),
    )
    loop, seen = run_loop(training), []
    state = np.zeros((4, training.state_size))
    for _ in range(40):
        seen.append(next(loop))
    [buffer] = rolled
    fresh = make(memory=memory)  # the weights before the update
    for t in range(40):
        outputs, state = fresh.agent.act(buffer.obs[t], state if fresh.state is not None else None, buffer.reset[t])
        log_probs = outputs[:, :-1] - np.log(np.exp(outputs[:, :-1]).sum(axis=1, keepdims=True))
        assert buffer.value[t] == pytest.approx(outputs[:, -1])
        assert buffer.log_prob[t] == pytest.approx(log_probs[np.arange(4), buffer.action[t]])
        assert (seen[t].actions == buffer.action[t]).all()
        assert (seen[t].mask == buffer.mask[t]).all()
    ends = buffer.terminated | buffer.truncated
    assert ends.any(), "an episode ended within"
    assert (buffer.mask[1:] == ~ends[:-1]).all()
    assert (buffer.reset[1:][ends[:-1]] == 0).all(), "an episode's last observation belongs to it still"
    assert (buffer.reset[2:] == ends[:-2]).all()


def check_what_was_played(monkeypatch: pytest.MonkeyPatch) -> None:
    """Advantages, rewards and ends of both kinds, each worked out anew from CartPole's numbers."""
    training = make(**{"env.time_limit": 15, "algorithm.rollout_steps": 40})
    config, buffer, loop = training.recipe.algorithm, training.rollout, run_loop(training)
    afters: list[np.ndarray] = []
    close = buffer.close
    monkeypatch.setattr(buffer, "close", lambda *given: afters.append(training.obs.copy()) or close(*given))
    for _ in range(40):
        next(loop)
    [after] = afters
    values = np.concatenate([buffer.value, make().agent.act(after)[0][None, :, -1]])
    for t in range(40):
        for game in np.flatnonzero(buffer.mask[t]):
            told = (array[:, game] for array in (buffer.reward, values, buffer.terminated, buffer.truncated))
            wanted = advantage_of(t, *told, config.gamma, config.gae_lambda)
            assert buffer.advantage[t, game] == pytest.approx(wanted, abs=1e-12)
    obs = np.concatenate([buffer.obs, after[None]])
    fallen = (abs(obs[1:, :, 0]) > 2.4) | (abs(obs[1:, :, 2]) > 12 * np.pi / 180)
    length = np.zeros(4, int)
    for t in range(40):
        length = np.where(buffer.reset[t], 0, length) + buffer.mask[t]
        assert buffer.reward[t] == pytest.approx(0.05 * buffer.mask[t])
        assert (buffer.terminated[t] == (fallen[t] & buffer.mask[t])).all()
        assert (buffer.truncated[t] == ((length == 15) & buffer.mask[t])).all()
    assert buffer.terminated.any()
    assert buffer.truncated.any()


def swapped(keep: Callable[..., None]) -> Callable[..., None]:
    def swap(self: OnPolicy, choice: Any, step: Any, mask: np.ndarray) -> None:
        keep(self, choice, step._replace(terminated=step.truncated, truncated=step.terminated), mask)

    return swap


MUTATIONS: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "ends swapped": (OnPolicy, "observe", swapped),
    "rewards as the game gives them": (a2c.Config, "learned_reward", lambda keep: lambda self, reward: reward),
    "no value after the last step": (
        RolloutBuffer, "close", lambda keep: lambda self, value, *given: keep(self, 0 * value, *given),
    ),
}  # fmt: skip


def test_a_rollout_holds_what_was_played(monkeypatch: pytest.MonkeyPatch) -> None:
    check_what_was_played(monkeypatch)


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_rollout_that_holds_something_else_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place, attribute, mutant = MUTATIONS[name]
    monkeypatch.setattr(place, attribute, mutant(getattr(place, attribute)))
    with pytest.raises(AssertionError):
        check_what_was_played(monkeypatch)


def test_updates_come_when_the_rollout_is_full() -> None:
    training = make(**{"algorithm.rollout_steps": 8, "algorithm.epochs": 2, "algorithm.minibatches": 4})
    loop = run_loop(training)
    made = [len(next(loop).updates) for _ in range(24)]
    assert made == ([0] * 7 + [8]) * 3
    assert training.counters.updates == 24
    assert training.can_checkpoint


def test_a_rollout_of_last_observations_is_no_update() -> None:
    training = make(num_envs=1, **{"algorithm.rollout_steps": 1, "algorithm.minibatches": 1, "algorithm.epochs": 1})
    loop = run_loop(training)
    ticks = [next(loop) for _ in range(80)]
    assert any(not tick.mask.any() for tick in ticks)
    assert all(len(tick.updates) == tick.mask.sum() for tick in ticks)
    assert all(np.isfinite(array).all() for array in training.learner.get_weights().values())


def test_schedules_are_read_where_a_rollout_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one is learned from as the settings say, and the last one still with some rate."""
    settings = {"clip": 0.2, "clip_end": 0.0, "entropy_weight": 0.0, "entropy_end": 0.5, "rollout_steps": 8, "epochs": 1, "minibatches": 1}  # fmt: skip
    training = make(
        steps=128,
        **{f"algorithm.{name}": value for name, value in settings.items()},
        **{"optimiser.learning_rate": 0.1, "optimiser.final_rate": 0.0},
    )
    seen: list[Any] = []
    update = training.learner.update
    monkeypatch.setattr(training.learner, "update", lambda batch, rate: seen.append((batch.clip, batch.entropy_weight, rate)) or update(batch, rate))  # fmt: skip
    loop, begins = run_loop(training), []
    while training.counters.steps < 128:
        before = training.counters.steps if training.can_checkpoint else None
        next(loop)
        begins += [] if before is None else [before / 128]
    share = np.array(begins[: len(seen)])
    assert share[0] == 0
    assert share[-1] > 0.6
    assert np.array(seen) == pytest.approx(np.stack([0.2 * (1 - share), 0.5 * share, 0.1 * (1 - share)], axis=1))


def test_rewards_as_the_recipe_wants_them() -> None:
    reward = np.array([-30.0, 0.0, 5.0])
    wanted = {"raw": [-3.0, 0.0, 0.5], "sign": [-1.0, 0.0, 1.0], "clip": [-1.0, 0.0, 0.5]}
    for kind, values in wanted.items():
        training = make(**{"algorithm.reward": kind, "algorithm.reward_scale": 0.1})
        assert training.config.learned_reward(reward).tolist() == values


def test_what_is_not_allowed() -> None:
    for memory, line in (
        ("lstm", "minibatches is 3; allowed: a divisor of 4, the games"),
        ("none", "minibatches is 3; allowed: a divisor of 128, the steps of a rollout"),
    ):
        with pytest.raises(InputError, match=line):
            make(memory=memory, **{"algorithm.minibatches": 3})
    with pytest.raises(InputError, match="burn_in is 4; allowed: 0, as this network has no memory"):
        make(**{"algorithm.burn_in": 4})
    with pytest.raises(InputError, match=r"burn_in is 8; allowed: less than rollout_steps \(8\)"):
        make(**{"algorithm.rollout_steps": 8, "algorithm.burn_in": 8})
    burnt = override(load_recipe("cartpole-positions-ppo"), {"algorithm.burn_in": 8})
    assert override(burnt, {"memory": "none", "algorithm.burn_in": 0}).algorithm.burn_in == 0, "judged all at once"
    assert override(load_recipe("cartpole-ppo"), {"num_envs": 2, "memory": "lstm", "algorithm.minibatches": 2}).num_envs == 2  # fmt: skip
    flags = ["cartpole-ppo", "--memory", "lstm", "--num-envs", "2", "--algorithm.minibatches", "2"]
    assert parse(Train, "train", flags).recipe.num_envs == 2, "on the command line too"
    dqn = load_recipe("cartpole")
    learner: Any = dataclasses.make_dataclass("Nothing", [])()
    with pytest.raises(InputError, match="policy is 'sample'; allowed: greedy, as Q values"):
        Agent(learner, dqn.make_network(Observation((4,), "float32"), 2), "sample")


def test_a_run_is_tested_by_its_policy_or_by_its_best_action(tmp_path: Path) -> None:
    run = train(
        "cartpole-ppo",
        steps=1_500,
        run_name="run",
        runs_dir=tmp_path,
        evaluate_every=600,
        evaluate_games=2,
        best_window=5,
    )
    assert run.updates > 0
    with open(run.path / "metrics.csv", newline="") as file:
        entropies = [float(row["entropy"]) for row in csv.DictReader(file) if row["entropy"]]
    assert entropies[0] == pytest.approx(np.log(2), abs=0.1)
    drawn, greedy = (evaluate(run.path, 3, policy=policy) for policy in (None, "greedy"))
    assert (drawn.policy, greedy.policy) == ("sample", "greedy")
    assert drawn.rewards != greedy.rewards
    assert evaluate(run.path, 3).rewards == drawn.rewards, "the same seed draws the same"
    elsewhere = evaluate(run.path, 3, env="CartPole-v0", flicker=0.5)
    evaluate(run.path, 1, flicker=1)
    assert max(elsewhere.lengths) <= 200
    names = {path.stem for path in (run.path / "evaluations").glob("*.json")}
    start = "best-epsilon-0-games-3-seed-0"
    assert names == {
        f"{start}-torch",
        f"{start}-greedy-torch",
        f"{start}-flicker-0.5-env-CartPole-v0-torch",
        f"{start.replace('3', '1')}-flicker-1-torch",
    }
    refused = r"sticky is 0.25; allowed: nothing, as these games do not read it"
    with pytest.raises(InputError, match=refused):
        evaluate(run.path, 3, sticky=0.25)
    for command in (train, lockstep):
        with pytest.raises(InputError, match=refused):
            command("cartpole-ppo", runs_dir=tmp_path / "none", **{"env.sticky": 0.25})
    assert not (tmp_path / "none").exists()


def test_a_run_that_diverges_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes = {"optimiser.learning_rate": 1e30, "optimiser.max_norm": None, "log_every": 256}
    train("cartpole-ppo", steps=3_000, runs_dir=tmp_path, **changes)
    assert capsys.readouterr().err.count("the run has diverged") == 1


def test_what_an_id_fixes_itself_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """KungFuMaster-v0 draws its frame skip and repeats actions by itself; the rest is as it was trained, or plain."""
    small = {"num_envs": 4, "env.noop_max": 0, "network.0.filters": 4, "network.1.filters": 4, "network.2.filters": 4}
    run = train("kung-fu-master", steps=128, runs_dir=tmp_path, **small)
    found = evaluate(run.path, 1, env="KungFuMaster-v0", weights="latest")
    fire = "a seed a game, FIRE for one frame where the game has it"
    assert (found.frame_skip, found.sticky, found.start, found.plain) == ((2, 4), 0.25, fire, False)
    assert found.pictures == "the larger of a step's last two frames, pixel by pixel"
    plain = evaluate(run.path, 1, env="KungFuMaster-v0", weights="latest", plain=True)
    assert (plain.start, plain.pictures, plain.plain) == ("a seed a game", "a step's last frame", True)
    for sticky, played in ((0.1, 0.1), (0.0, 0.0), (None, 0.0)):
        found = evaluate(run.path, 1, sticky=sticky, weights="latest")
        assert (found.frame_skip, found.sticky, found.start) == (4, played, fire)
    start = "latest-epsilon-0-games-1-seed-0"
    assert {path.stem for path in (run.path / "evaluations").glob("*.json")} == {
        f"{start}-sticky-0.25-env-KungFuMaster-v0-torch",
        f"{start}-sticky-0.25-env-KungFuMaster-v0-plain-torch",
        f"{start}-sticky-0.1-torch",
        f"{start}-torch",
    }, "the sticky actions of the id itself are no other test"
    assert "different" not in capsys.readouterr().err
    evaluate(run.path, 2, policy="greedy", weights="latest")
    assert "2 games, 1 of them different" in capsys.readouterr().err
