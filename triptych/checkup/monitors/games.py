"""What the games say: observations, rewards, ends. Whether there is anything to learn from in them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Sampled
from triptych.envs import Step
from triptych.spec import parts_of
from triptych.training.base import Episode, Tick
from triptych.training.callbacks.base import Run

CONSTANT = Signal(
    "observation-constant",
    "stop",
    "the observation never changes",
    (
        "a wrapper that returns its first observation, or a buffer that is never written",
        "a picture that is cropped, scaled or cast to nothing",
        "a game that does not go on: paused, in a menu, or without its first action",
    ),
    "the environment and its wrappers; `triptych look`",
)
IDENTICAL = Signal(
    "games-identical",
    "warn",
    "parallel games are one and the same",
    ("one seed for all games", "one game's answer handed out to all", "one object in several places"),
    "how games are made and seeded; num_envs",
)
SAME_START = Signal(
    "games-share-a-seed",
    "warn",
    "parallel games begin alike",
    ("one seed for all games", "a reset that ignores its seed"),
    "how games are seeded",
)
NO_REWARD = Signal(
    "reward-zero",
    "warn",
    "no reward is ever given",
    (
        "a wrapper that drops it, or rounds and clips it to 0",
        "a goal that is never reached by chance: the game is too hard to begin with",
    ),
    "the environment and its wrappers; rewards on the way to the goal",
)
ONE_REWARD = Signal(
    "reward-constant",
    "warn",
    "each step is paid alike, and each episode is as long",
    ("a wrapper that clips rewards to one value", "a reward that does not depend on what was done"),
    "the environment and its wrappers",
)
LEARNED_REWARD = Signal(
    "learned-reward-constant",
    "stop",
    "all rewards that are learned from are alike, and the game's are not",
    ("a clip to one value", "rewards that are scaled or cast to nothing", "a reward that is not handed to the buffer"),
    "algorithm.reward, reward_scale; what is stored of a step",
)
NO_END = Signal(
    "episodes-never-end",
    "warn",
    "no episode ends",
    ("an end that is not handed on", "a game without an end, and without a limit of time"),
    "env.time_limit; what the environment returns as terminated and truncated",
)
LONGER = Signal(
    "episodes-too-long",
    "warn",
    "episodes go on beyond their time limit",
    (
        "a limit that never reaches the environment",
        "frames that are counted where steps were meant, or the other way round",
    ),
    "env.time_limit; where the environment is made",
)
UNASKED = Signal(
    "games-step-alone",
    "stop",
    "the training's games take steps that the training did not choose",
    ("test games are played in the training's games", "somebody else holds the same environment"),
    "who calls the games; evaluate_every",
)
FRAMES = 200  # steps that are looked at
EPISODES = 30
EARLY = 0.02  # of a run's steps, in which a game that is hard may pay nobody
WHOLE = 1_000  # steps of a run that is over
CHANCES = 20
MOST_STARTS = 200


class Observations(Sampled):
    """Whether observations change, and differ from game to game. By checksums, of the first player's games."""

    always = ("reset",)

    def __init__(self) -> None:
        self.first: np.ndarray | None = None  # [N] of each game
        self.changes = False
        self.frames = 0
        self.alike: np.ndarray | None = None  # [N, N] whether two games have shown the same all the time
        self.chances = 0  # starts of episodes, at which games that are apart could have parted
        self.starts: list[tuple[int, int]] = []  # game, and what an episode of it began with
        self.ended: np.ndarray | None = None  # [N] after the step before
        self.same_start = 0  # resets at which all games showed the same
        self.resets = 0
        self.is_picture = False

    def begin(self, run: Run) -> None:
        self.is_picture = run.training.games.observation.is_picture
        if not run.counters.steps and run.training.players():
            self.reset(0, run.training.players()[0].obs)  # which came before there were ears

    def slept(self) -> None:
        self.ended = None

    def reset(self, player: int, obs: Any) -> None:
        sums = checksums(obs)
        if not player and len(sums) > 2:
            self.resets += 1
            self.same_start += len(set(sums.tolist())) == 1

    def received(self, player: int, step: Step) -> None:
        if player:
            return
        sums = checksums(step.obs)
        self.frames += 1
        self.first = sums if self.first is None else self.first
        self.changes = self.changes or bool((sums != self.first).any())
        if len(sums) > 1:
            same = sums[:, None] == sums
            self.alike = same if self.alike is None else self.alike & same
        if self.ended is not None and self.ended.any():
            self.chances += 1
            if len(self.starts) < MOST_STARTS:
                self.starts.extend((int(game), int(sums[game])) for game in np.flatnonzero(self.ended))
        self.ended = step.terminated | step.truncated

    def judge(self, run: Run) -> Iterator[Finding]:
        if self.frames >= FRAMES and not self.changes:
            yield Finding(
                CONSTANT, f"each game showed one observation in {self.frames:,} steps", "others as the game goes on"
            )
            return
        if self.alike is not None and self.frames >= FRAMES and (self.is_picture or self.chances >= CHANCES):
            pairs = int(np.triu(self.alike, 1).sum())
            if pairs:
                told = f"{pairs:,} pairs of games showed the same in each of {self.frames:,} steps"
                yield Finding(IDENTICAL, told, "games that part within some steps")
        differ = len(self.starts) >= CHANCES and len(set(self.starts)) > 0.9 * len(self.starts)
        if self.resets and self.same_start == self.resets and differ:
            told = f"all games showed the same first observation at each of {self.resets:,} resets"
            yield Finding(SAME_START, told, "others in each game, as at the episodes' starts later on", 0)


def checksums(obs: Any) -> np.ndarray:
    """[N] of what each game shows."""
    return np.array([checksum(obs, game) for game in range(len(next(iter(parts_of(obs).values()))))])


def checksum(obs: Any, game: int) -> int:
    """Of what one game shows."""
    found = 0
    for part in parts_of(obs).values():
        found = zlib.adler32(np.ascontiguousarray(part[game]).data.cast("B"), found)
    return found


class Rewards(Sampled):
    """Rewards as the game gives them, by episode and by step, and as they are learned from."""

    def __init__(self) -> None:
        self.episodes = 0
        self.scores: set[tuple[float, int]] = set()  # at most a few
        self.any = False  # whether one was not 0
        self.raw: set[float] = set()
        self.taught: set[float] = set()
        self.batches = self.steps = 0
        self.run: Any = None

    def begin(self, run: Run) -> None:
        self.run = run

    def episode(self, run: Run, episode: Episode) -> None:
        self.episodes += 1
        self.any = self.any or episode.reward != 0
        if len(self.scores) < 3:
            self.scores.add((round(episode.reward, 6), episode.length))

    def step(self, run: Run, tick: Tick) -> None:
        self.any = self.any or bool(np.any(tick.step.reward))

    def received(self, player: int, step: Step) -> None:
        self.steps += 1
        rewards = np.asarray(step.reward)[~self.run.training.players()[player].ended]  # elsewhere games only restarted
        if len(self.raw) < 5:
            self.raw.update(np.unique(rewards).tolist())

    def fed(self, player: int, batch: Any) -> None:
        reward = getattr(batch, "reward", None)
        if reward is not None and getattr(batch, "mask", None) is None and len(self.taught) < 5:
            self.batches += 1
            self.taught.update(np.unique(np.asarray(reward)).tolist())

    def judge(self, run: Run) -> Iterator[Finding]:
        # Of a run that is over: each game was played for a third of an episode, and nothing was there to be learned from.
        games = run.recipe.algorithm.games_at_once(run.recipe.num_envs)
        third = games * getattr(run.training.games, "typical_episode", 500) // 3
        over = bool(run.stopped_by) and run.counters.steps >= max(WHOLE, third)
        budget = run.recipe.steps if run.recipe.episodes is None else 0
        long = self.episodes >= EPISODES and run.counters.steps >= EARLY * budget
        if not self.any and (long or over):
            told = f"0 in each of {run.counters.steps:,} steps, and of {self.episodes:,} episodes"
            yield Finding(NO_REWARD, told, "a reward now and then")
        elif self.any and self.episodes >= EPISODES and len(self.raw) == 1 and len(self.scores) == 1:
            told = f"{next(iter(self.raw)):g} in each of {self.steps:,} steps, and every episode alike"
            yield Finding(ONE_REWARD, told, "rewards that depend on what is done")
        varied = len({float(np.sign(value)) for value in self.raw}) > 1
        enough = self.batches >= 30 and self.steps >= FRAMES
        if enough and varied and len(self.taught) == 1:
            told = f"{next(iter(self.taught)):g} in each of {self.batches:,} batches"
            yield Finding(LEARNED_REWARD, told, f"as varied as the game's, such as {listed(self.raw)}")


def listed(values: set[float]) -> str:
    return ", ".join(f"{value:g}" for value in sorted(values)[:4])


class Ends(Sampled):
    """Whether episodes end, and each step of the games is one of the training."""

    always = ("sent",)

    def __init__(self) -> None:
        self.sends = self.ticks = 0
        self.episodes = 0
        self.begun = 0
        self.longest = 0
        self.since: int | None = None

    def begin(self, run: Run) -> None:
        self.begun = run.counters.steps
        self.sends = self.ticks = 0

    def sent(self, player: int, actions: np.ndarray) -> None:
        self.sends += 1

    def step(self, run: Run, tick: Tick) -> None:
        self.ticks += 1
        if self.since is None and self.sends > self.ticks:
            self.since = run.counters.steps

    def episode(self, run: Run, episode: Episode) -> None:
        self.episodes += 1
        self.longest = max(self.longest, episode.length)

    def judge(self, run: Run) -> Iterator[Finding]:
        limit = getattr(run.recipe.env, "time_limit", None)
        if limit and self.longest > limit:
            yield Finding(LONGER, f"an episode of {self.longest:,} steps", f"at most {limit:,}", self.begun)
        if run.training.players() and self.sends > self.ticks + 1 and self.since is not None:
            told = f"{self.sends - self.ticks:,} steps more than were chosen, of {self.sends:,}"
            yield Finding(UNASKED, told, "none", self.since)
        games = run.recipe.algorithm.games_at_once(run.recipe.num_envs)
        longest = 20 * max(getattr(run.training.games, "typical_episode", 500), 200)
        each = (run.counters.steps - self.begun) // games
        if not self.episodes and each > longest:
            yield Finding(
                NO_END, f"none in {each:,} steps of each game", f"an end within {longest:,} steps", self.begun
            )
