"""What the script says of everything that a training acts, keeps and learns from: an oracle without any buffer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.training import scripted
from tests.training.scripted import GAMES, STATE, Name, ScriptedGames, ScriptedLearner, Update, names_of
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.spec import LSTM, Dense
from triptych.training.base import Training
from triptych.training.build import make_training
from triptych.training.loop import Tick, run_loop

STRETCHES = (17, 23, 9, 31)  # steps between checkpoints
GREEDY = {"warm_up": 0, "algorithm.epsilon_start": 0.0, "algorithm.epsilon_end": 0.0}


class Played:
    """A training that has played the script over some checkpoints, and what is to be compared."""

    def __init__(self, recipe: str, changes: dict[str, Any], memory: bool, saves: bool = False):
        network = (LSTM(STATE // 2),) if memory else (Dense(4),)
        common = {"num_envs": GAMES, "precision": "float64", "network": network}
        self.recipe = override(load_recipe(recipe), common | changes)
        self.config = self.recipe.algorithm
        self.games = ScriptedGames(saves)
        learner_class: Any = ScriptedLearner
        self.training: Training = make_training(self.recipe, self.games, learner_class)
        self.learner: Any = self.training.learner
        self.learner.games, self.learner.burn_in = self.games, getattr(self.config, "burn_in", 0)
        self.shown: list[list[Name]] = []  # before each step of all games
        self.ticks: list[Tick] = []
        loop = run_loop(self.training)
        for steps in STRETCHES:
            for _ in range(steps):
                self.play(loop)
            while not self.training.can_checkpoint:
                self.play(loop)
            self.training.cross_checkpoint()
        for _ in range(GAMES):
            self.play(loop)
        self.check_play()

    def play(self, loop: Any) -> None:
        self.shown.append(self.games.standing())
        self.ticks.append(next(loop))

    def check_play(self) -> None:
        """What was seen, acted and counted."""
        games, counters = self.games, self.training.counters
        restarts = 1 if games.saves else 1 + len(STRETCHES)
        assert len(games.seeds) == restarts, "restarts: games that cannot be saved begin anew at each checkpoint"
        assert len({seed for seeds in games.seeds for seed in seeds}) == restarts * GAMES, "seeds"
        assert counters.steps == len(games.taken), "steps are counted where an action was taken"
        check_acts(self.learner.remembers, self.learner.acts)
        for shown, tick in zip(self.shown, self.ticks, strict=True):
            for name, action, mask in zip(shown, tick.actions, tick.mask, strict=True):
                assert mask == (name in games.taken), f"mask of {name}"
                assert not mask or action == games.taken[name], f"action sent at {name}"
        wanted, found = episodes_of(self.shown), [episode for tick in self.ticks for episode in tick.episodes]
        assert [(episode.reward, episode.length) for episode in found] == [ended[1:] for ended in wanted], "episodes"
        assert counters.episodes == len(wanted), "episodes are counted"

    def check_greedy(self) -> None:
        for name, action in self.games.taken.items():
            assert action == scripted.preferred(*name, name[2]), f"greedy action at {name}"

    def check_script(self) -> None:
        """The run has met what it is for: ends of each kind, and cuts amid an episode, at its end and at its start."""
        cuts = {min(1, step) + (step == scripted.length(*key)) for key, step in self.games.cuts.items()}
        assert cuts == (set() if self.games.saves else {0, 1, 2}), "script: places of the cuts"
        assert {scripted.ending(*name[:2]) for name in self.games.taken} == {(True, False), (False, True), (True, True)}


def check_acts(remembers: bool, acts: list[Any], every: int = 1) -> None:
    """The state that comes back with an observation is what its own game's steps before it have left.

    Of episodes whose number is a multiple of `every`: behind a test's first game of a place nothing counts.
    """
    for names, states, resets in acts if remembers else []:
        for name, state, reset in zip(names, states, resets, strict=True):
            if name[1] % every == 0:
                assert reset == (name[2] == 0), f"reset at {name}"
                assert reset or state.tolist() == state_before(name), f"state acted on at {name}"


def state_before(name: Name) -> list[float]:
    return [*map(float, name), float(name[2])] if name[2] else [0.0] * STATE


def episodes_of(shown: list[list[Name]]) -> list[tuple[int, float, int]]:
    """The episodes that ended in the steps that begin as shown: when, sum of raw rewards, and length."""
    ended = []
    for tick, names in enumerate(shown):
        for game, episode, step in names:
            if step + 1 == (steps := scripted.length(game, episode)):
                ended.append((tick, sum(scripted.reward(game, episode, t) for t in range(steps)), steps))
    return ended


def learned_reward(name: Name, config: Any) -> float:
    """What the recipe makes of a step's reward."""
    life = getattr(config, "life_loss_reward", None)
    if life is not None and scripted.lost_life(*name):
        return float(life)
    raw = scripted.reward(*name) * getattr(config, "reward_scale", 1.0)
    return {"raw": raw, "sign": float((raw > 0) - (raw < 0)), "clip": max(-1.0, min(1.0, raw))}[config.reward]


def last_stored(games: ScriptedGames, name: Name, standing: list[Name]) -> int:
    """The step of the newest observation of an episode that is stored: the one shown now is not yet."""
    game, episode, _ = name
    _, current, step = standing[game]
    end = games.end(game, episode)
    return min(end, step - 1) if episode == current else end


def outcome(games: ScriptedGames, name: Name, standing: list[Name], config: Any) -> tuple[float, float, int]:
    """Discounted sum of the next n rewards, the discount then, and how many steps that is."""
    game, episode, step = name
    steps = min(config.n_step, last_stored(games, name, standing) - step)
    total = sum(config.gamma**k * learned_reward((game, episode, step + k), config) for k in range(steps))
    terminal = step + steps == scripted.length(game, episode) and scripted.ending(game, episode)[0]
    return total, 0.0 if terminal else config.gamma**steps, steps


def check_transitions(played: Played, update: Update) -> None:
    """A batch of transitions, each against the script."""
    games, batch = played.games, update.batch
    following = names_of(batch.next_obs)
    for index, name in enumerate(names_of(batch.obs)):
        assert name in games.taken, f"mask: no action was taken at {name}"
        total, discount, steps = outcome(games, name, update.standing, played.config)
        assert batch.action[index] == games.taken[name], f"action at {name}"
        assert following[index] == (*name[:2], name[2] + steps), f"next observation of {name}"
        assert math.isclose(batch.reward[index], total, abs_tol=1e-9), f"reward at {name}"
        assert math.isclose(batch.discount[index], discount), f"discount at {name}"


def check_sequences(played: Played, update: Update) -> None:
    """A batch of sequences, each step of each against the script."""
    config, batch = played.config, update.batch
    learned = config.sequence_length - config.burn_in
    assert batch.obs.shape[:2] == (config.sequence_length + config.n_step, config.batch_size), "length of a sequence"
    assert batch.action.shape == (learned, config.batch_size), "steps that are learned from"
    for index, name in enumerate(names_of(batch.obs[config.burn_in])):
        assert name in played.games.taken, f"mask: no action was taken at {name}"
        assert name[2] % learned == 0, f"piece that begins at {name}"
        first = (*name[:2], name[2] - config.burn_in)
        state = state_before(first) if config.stored_state and first[2] > 0 else [0.0] * STATE
        assert batch.state[index].tolist() == state, f"state before {first}"
        check_sequence(played, update, index, first)


def check_sequence(played: Played, update: Update, index: int, first: Name) -> None:
    batch, before = update.batch, played.config.burn_in
    newest = last_stored(played.games, first, update.standing)
    for place in range(len(batch.obs)):
        name = (*first[:2], first[2] + place)
        inside = 0 <= name[2] <= newest
        assert batch.obs[place, index].tolist() == (list(name) if inside else [0, 0, 0]), f"observation of {name}"
        assert batch.reset[place, index] == (name[2] == 0), f"reset at {name}"
        if not before <= place < before + len(batch.action):
            continue
        step = place - before
        told = [float(array[step, index]) for array in (batch.mask, batch.action, batch.reward, batch.discount)]
        if name[2] >= newest:
            assert told == [0, 0, 0, 0], f"mask: no action was taken at {name}"
            continue
        assert told[0] == 1, f"mask at {name}"
        total, discount, steps = outcome(played.games, name, update.standing, played.config)
        assert told[1] == played.games.taken[name], f"action at {name}"
        assert math.isclose(told[2], total, abs_tol=1e-9), f"reward at {name}"
        assert math.isclose(told[3], discount), f"discount at {name}"
        assert batch.ahead[step, index] == steps, f"steps ahead of {name}"


def starts(played: Played, standing: list[Name], ticks: int) -> set[Name]:
    """All steps that a sample can begin with, after so many steps of all games."""
    config = played.config
    every = getattr(config, "sequence_length", 1) - getattr(config, "burn_in", 0)
    before = (name for name, tick in played.games.at.items() if tick < ticks and name[2] % every == 0)
    begun = {name for name in before if name[2] < last_stored(played.games, name, standing)}
    if every == 1 or not config.prioritised:
        return begun
    # A piece is drawn by priority once it is whole: all its steps are stored, or its episode's last observation is.
    newest = {name: last_stored(played.games, name, standing) for name in begun}
    return {name for name in begun if newest[name] >= min(name[2] + every, played.games.end(*name[:2]))}


def check_replay(played: Played) -> None:
    """Every batch that was learned from; then, drawn often enough, everything that can be drawn."""
    config, games = played.config, played.games
    check_batch = check_sequences if hasattr(config, "burn_in") else check_transitions
    assert len(played.learner.updates) > 50, "updates"
    for update in played.learner.updates:
        check_batch(played, update)
    if config.prioritised:
        check_priorities(played)
    batch = played.training.replay.sample(np.random.default_rng(0), 5_000)  # type: ignore[attr-defined]
    drawn = set(names_of(batch.obs[config.burn_in] if hasattr(config, "burn_in") else batch.obs))
    possible = starts(played, games.standing(), games.ticks)
    if config.replay_size > 1_000:
        assert drawn == possible, "mask: all that was played can be drawn, and nothing else"
    else:
        assert drawn < possible, "the ring has dropped some"


def check_priorities(played: Played) -> None:
    """Weights of (chance)^-beta over the largest, where chances follow from the TD errors that were handed back."""
    config, known, largest = played.config, {}, 1.0  # type: Any, dict[Name, float], float
    for update in played.learner.updates:
        batch = update.batch
        for name in starts(played, update.standing, update.ticks):
            known.setdefault(name, largest)
        names = names_of(batch.obs[config.burn_in] if hasattr(config, "burn_in") else batch.obs)
        beta = config.beta_start + (1 - config.beta_start) * min(1.0, update.taken / config.beta_steps)
        assert set(names) <= known.keys(), "weight: drawn before it was whole"
        chances = np.array([known[name] for name in names])
        wanted = (chances / chances.min()) ** -beta
        assert np.allclose(batch.weight, wanted), f"weight: priorities, or beta {beta:.2f}"
        known |= {name: (abs(scripted.error(*name)) + 0.01) ** config.alpha for name in names}
        largest = max(largest, *(known[name] for name in names))
