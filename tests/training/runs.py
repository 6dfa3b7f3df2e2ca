"""What the script says of a run's folder: test games, and the weights that are kept."""

from __future__ import annotations

import csv
import itertools
import math
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.training import scripted
from tests.training.checks import GREEDY, check_acts
from tests.training.scripted import GAMES, STATE, STRIDE, ScriptedGames, ScriptedLearner
from triptych import envs, frameworks
from triptych.experiments.evaluate import evaluate
from triptych.recipes import load_recipe
from triptych.recipes.feasibility import Prepared
from triptych.recipes.override import override
from triptych.runs.folder import RunFolder
from triptych.spec import LSTM, Dense
from triptych.training.loop import Tick, run_loop
from triptych.training.session import Session
from triptych.utils.files import read_tensors

TICKS, WINDOW, EVERY, KEPT, TESTS = 100, 4, 40, 30, 5
COMMON = {
    "num_envs": GAMES, "precision": "float64", "best_window": WINDOW, "evaluate_every": EVERY, "evaluate_games": TESTS,
    "weights_every": (KEPT, "steps"),
}  # fmt: skip
Q_LEARNING = GREEDY | {"algorithm.update_every": 2, "algorithm.batch_size": 8, "algorithm.target_every": (5, "updates")}
RUNS: dict[str, tuple[str, dict[str, Any], bool]] = {
    "dqn": ("cartpole", Q_LEARNING, False),
    "drqn": ("memory-chain", Q_LEARNING | {"algorithm.sequence_length": 5}, True),
    "a2c": ("cartpole-a2c", {"algorithm.rollout_steps": 3}, False),
    "ppo": ("memory-chain-ppo", {"algorithm.rollout_steps": 9, "algorithm.minibatches": 3}, True),
}


class Watched:
    """A run's session over scripted games; after each step its files are compared with what the script says."""

    def __init__(self, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch):
        recipe, changes, memory = RUNS[name]
        network = (LSTM(STATE // 2),) if memory else (Dense(4),)
        self.recipe = override(load_recipe(recipe), COMMON | changes | {"network": network})
        self.tests: list[ScriptedGames] = []  # what was made to be tested in
        self.learners: list[ScriptedLearner] = []
        monkeypatch.setattr(os, "fsync", lambda number: None)  # these files need not outlive a power cut
        monkeypatch.setattr(envs, "make", self.make_games)
        monkeypatch.setattr(frameworks, "load", lambda framework: SimpleNamespace(Learner=self.make_learner))
        self.games = ScriptedGames()
        self.folder = folder
        self.recent: list[float] = []  # rewards of the episodes that ended since the first update
        self.best = -math.inf  # the highest mean so far
        self.wanted: dict[str, tuple[int, int]] = {}  # steps and updates behind each weights file
        with RunFolder(folder) as run:
            network = self.recipe.make_network(self.games.observation, self.games.num_actions)
            prepared = Prepared(self.recipe, self.games, network, 2, ())
            self.play(Session(run, prepared, "torch", quiet=True))

    def make_games(self, config: Any, num_envs: int, threads: int = 1) -> ScriptedGames:
        self.tests.append(ScriptedGames(num_envs=num_envs))
        return self.tests[-1]

    def make_learner(self, *given: Any) -> ScriptedLearner:
        self.learners.append(ScriptedLearner(*given))
        return self.learners[-1]

    def play(self, session: Session) -> None:
        training = session.training
        [self.learner] = self.learners
        self.learner.acts.clear()  # those of the compilation
        for number, tick in enumerate(itertools.islice(run_loop(training), TICKS)):
            for callback in session.watchers.all:
                callback.see(session, tick)
            self.see(tick)
            restarts = 1 + number // 45
            assert len(self.games.seeds) == restarts, "restarts of the training's games"
            if number % 45 == 44:
                assert training.can_checkpoint, "script: a checkpoint falls where a rollout is over"
                training.cross_checkpoint()
                session.save()
                self.want("latest")
                self.want(f"weights-{len(self.games.taken):09d}")
            self.check_files()

    def want(self, name: str) -> None:
        """A file of the weights as they are now."""
        self.wanted[name] = len(self.games.taken), self.learner.online

    def see(self, tick: Tick) -> None:
        """Works out what must have been kept."""
        steps = len(self.games.taken)
        if (steps - int(tick.mask.sum())) // KEPT < steps // KEPT:
            self.want(f"weights-{steps:09d}")
        ended = [episode.reward for episode in tick.episodes]
        if self.learner.online == 0 or not ended:
            return
        self.recent += ended
        mean = sum(self.recent[-WINDOW:]) / WINDOW
        if len(self.recent) >= WINDOW and mean >= self.best:
            self.best = mean
            self.want("best")

    def check_files(self) -> None:
        files = {path.stem: path for path in (self.folder / "checkpoints").glob("*.safetensors")}
        assert files.keys() == self.wanted.keys(), "weights that are kept"
        for name, (steps, updates) in self.wanted.items():
            tensors, metadata = read_tensors(files[name])
            assert all((array == updates).all() for array in tensors.values()), f"weights of {name}"
            assert metadata is not None
            assert (metadata["steps"], metadata["updates"]) == (steps, updates), f"weights of {name}: what they say"


def check_best(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The best weights are the online ones of the step that made the best mean, after every step of the run."""
    watched = Watched(name, folder, monkeypatch)
    _, updates = watched.wanted["best"]
    assert 0 < updates < watched.learner.online, "script: the best is not the last"
    tested = evaluate(folder / "checkpoints" / "best.safetensors", TESTS, framework="torch")
    assert all((array == updates).all() for array in watched.learners[-1].given.values()), "weights tested"
    assert tested.rewards == [total(game, 0) for game in range(TESTS)], "rewards of the test"
    assert tested.lengths == [scripted.length(game, 0) for game in range(TESTS)], "lengths of the test"
    check_tests(watched.tests[-1], watched.learners[-1], name)


def total(game: int, episode: int) -> float:
    return sum(scripted.reward(game, episode, step) for step in range(scripted.length(game, episode)))


def check_tests(games: ScriptedGames, learner: ScriptedLearner, name: str) -> None:
    """The first game of each place, acted on with the memory of its own steps; greedily by Q values."""
    first = {step: action for step, action in games.taken.items() if step[1] % STRIDE == 0}
    acts = [act for act in learner.acts if len(act[0]) == TESTS]
    assert len(acts) == games.ticks, "steps of the test"
    check_acts(learner.remembers, acts, STRIDE)
    for step, action in first.items() if name in ("dqn", "drqn") else []:
        assert action == scripted.preferred(*step, step[2]), f"greedy action of the test at {step}"


def check_evaluation(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluations are played in games of their own, score raw rewards, and leave the training as it was."""
    watched = Watched(name, folder, monkeypatch)
    games, [tests] = watched.games, watched.tests
    assert not {seed for seeds in games.seeds for seed in seeds} & {seed for seeds in tests.seeds for seed in seeds}
    with open(folder / "metrics.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["evaluation_mean"]]
    assert len(rows) == len(tests.seeds) == len(games.taken) // EVERY > 3, "evaluations"
    for number, row in enumerate(rows):
        mean = sum(total(game, number * STRIDE) for game in range(TESTS)) / TESTS
        assert math.isclose(float(row["evaluation_mean"]), mean), "score of an evaluation"
        assert 0 <= int(row["steps"]) - (number + 1) * EVERY < GAMES, "when an evaluation is made"
    check_tests(tests, watched.learner, name)
    check_training_goes_on(watched)


def check_training_goes_on(watched: Watched) -> None:
    """The training's own observations and states are what they would be without evaluations."""
    games, learner = watched.games, watched.learner
    check_acts(learner.remembers, [act for act in learner.acts if len(act[0]) == GAMES])
    with open(watched.folder / "episodes.csv", newline="") as file:
        found = [float(row["episode_reward"]) for row in csv.DictReader(file)]
    ended = {name[:2] for name in games.taken if name[2] + 1 == scripted.length(*name[:2])}
    order = sorted(ended, key=lambda key: (games.at[(*key, scripted.length(*key) - 1)], key[0]))
    assert found == [total(*key) for key in order], "episodes of the training"
