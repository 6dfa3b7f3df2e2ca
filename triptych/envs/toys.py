"""Small tasks that need memory, N games at once in NumPy: a cue to keep, a card to repeat, a ball that disappears.

Each game has a generator of its own and draws an episode's secrets at its start, so a game depends on its seed alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces

from triptych.envs.config import GameConfig, Kind
from triptych.envs.games import Step
from triptych.spec import Observation
from triptych.utils.checks import at_least, check, within


@dataclass(frozen=True)
class Toy(GameConfig):
    """The small tasks that need memory."""

    kind: ClassVar[str] = "toy"

    length: int = 10  # steps that something must be remembered (MemoryChain, RepeatPrevious)
    blind: int = 0  # rows in which the ball cannot be seen (Catch)

    def __post_init__(self) -> None:
        super().__post_init__()
        within(self, 1, 1_000_000, "length")
        at_least(self, 0, "blind")


def unread(spec: Any) -> set[str]:
    """The fields of a config that these games never read."""
    return {"length"} if GAMES[spec.id] is Catch else {"blind"}


def plays(spec: Any) -> bool:
    return spec.id in GAMES


class ToyGames(ABC):
    """What the toys share. A subclass says how an episode begins (`begin`), what is seen (`look`) and what a step does (`play`)."""

    saves = True
    first_action = 0
    frames_per_step = 1
    size: int  # numbers of an observation
    num_actions: int
    kept: tuple[str, ...] = ()  # arrays [N, ...] that `begin` and `play` write

    def __init__(self, config: Toy, spec: Any, num_envs: int, threads: int):
        self.num_envs = num_envs
        self.observation = Observation((self.size,), "float32")
        self.rngs = [np.random.default_rng(0) for _ in range(num_envs)]
        self.time = np.zeros(num_envs, np.int64)  # steps since the episode's start
        self.ended = np.ones(num_envs, bool)
        self.actions = np.zeros(num_envs, np.int64)

    @property
    def typical_episode(self) -> int:
        return self.steps

    steps: int  # of an episode

    @abstractmethod
    def begin(self, game: int, rng: np.random.Generator) -> None:
        """Draws what a game's new episode hides."""

    @abstractmethod
    def look(self) -> np.ndarray:
        """Observations [N, size]."""

    @abstractmethod
    def play(self, actions: np.ndarray) -> np.ndarray:
        """Rewards [N] of the actions [N], before time goes on."""

    def reset(self, seeds: np.ndarray) -> np.ndarray:
        self.rngs = [np.random.default_rng(int(seed)) for seed in seeds]
        self.start(np.arange(self.num_envs))
        self.ended[:] = False
        return self.look()

    def start(self, games: np.ndarray) -> None:
        self.time[games] = 0
        for game in games:
            self.begin(int(game), self.rngs[game])

    def send(self, actions: np.ndarray) -> None:
        self.actions = np.asarray(actions)

    def recv(self) -> Step:
        acts = ~self.ended
        reward = np.where(acts, self.play(self.actions), 0.0)
        self.time += acts
        self.start(np.flatnonzero(self.ended))
        self.ended = acts & (self.time >= self.steps)
        return Step(self.look(), reward, self.ended.copy(), np.zeros(self.num_envs, bool))

    def get_state(self) -> dict[str, Any]:
        arrays = {name: getattr(self, name).tolist() for name in ("time", "ended", *self.kept)}
        return arrays | {"rngs": [rng.bit_generator.state for rng in self.rngs]}

    def set_state(self, state: dict[str, Any]) -> None:
        for name in ("time", "ended", *self.kept):
            getattr(self, name)[:] = state[name]
        for rng, saved in zip(self.rngs, state["rngs"], strict=True):
            rng.bit_generator.state = saved

    def close(self) -> None:
        """Nothing is held."""
        return


class MemoryChain(ToyGames):
    """A sign is shown once; `length` steps later it must be named: 1, else -1 (Osband et al. 2020, memory_len).

    Observation: time left (1 to 0), 1 where the answer counts, the sign (-1 or 1) at the start and 0 after it.
    """

    size, num_actions, kept = 3, 2, ("sign",)

    def __init__(self, config: Toy, spec: Any, num_envs: int, threads: int):
        super().__init__(config, spec, num_envs, threads)
        self.steps = config.length + 1
        self.sign = np.zeros(num_envs, np.int64)

    def begin(self, game: int, rng: np.random.Generator) -> None:
        self.sign[game] = 2 * rng.integers(2) - 1

    def look(self) -> np.ndarray:
        left = np.maximum(0, self.steps - 1 - self.time)
        return np.stack([left / (self.steps - 1), left == 0, self.sign * (self.time == 0)], axis=1).astype(np.float32)

    def play(self, actions: np.ndarray) -> np.ndarray:
        return np.where(self.time == self.steps - 1, (2 * actions - 1) * self.sign, 0).astype(float)


class RepeatPrevious(ToyGames):
    """One of four cards is shown each step; the one of `length` steps ago must be named (Morad et al. 2023).

    1/50 for each right answer, -1/50 for a wrong one, from the step on where there is one; an episode has 50 of them.
    Observation: the card, one of four numbers 1.
    """

    size, num_actions, kept = 4, 4, ("cards",)
    answers = 50

    def __init__(self, config: Toy, spec: Any, num_envs: int, threads: int):
        super().__init__(config, spec, num_envs, threads)
        self.delay = config.length
        self.steps = self.delay + self.answers
        self.cards = np.zeros((num_envs, self.steps + 1), np.int64)

    def begin(self, game: int, rng: np.random.Generator) -> None:
        self.cards[game] = rng.integers(4, size=self.steps + 1)

    def look(self) -> np.ndarray:
        return np.eye(4, dtype=np.float32)[self.cards[np.arange(self.num_envs), self.time]]

    def play(self, actions: np.ndarray) -> np.ndarray:
        asked = self.time - self.delay
        right = actions == self.cards[np.arange(self.num_envs), np.maximum(asked, 0)]
        return np.where(asked >= 0, np.where(right, 1.0, -1.0) / self.answers, 0.0)


class Catch(ToyGames):
    """A ball falls through 10 rows of 5 places; the paddle below moves left, stays or moves right: 1 if it is caught, else -1.

    (Osband et al. 2020.) In the last `blind` rows before the paddle's the ball cannot be seen. It starts at most two places
    aside, and the paddle itself tells where it was meant to go, so memory is needed only where `blind` is 8: without it
    three balls in five are caught at best, 0.2 on average.
    Observation: the places, row by row, 1 where the ball or the paddle is.
    """

    rows, columns = 10, 5
    size, num_actions, kept = 50, 3, ("ball", "paddle")
    steps = 9

    def __init__(self, config: Toy, spec: Any, num_envs: int, threads: int):
        super().__init__(config, spec, num_envs, threads)
        check(config.blind < self.rows - 1, "blind", config.blind, f"less than {self.rows - 1}, the rows of a fall")
        self.blind = config.blind
        self.ball = np.zeros(num_envs, np.int64)
        self.paddle = np.zeros(num_envs, np.int64)

    def begin(self, game: int, rng: np.random.Generator) -> None:
        self.ball[game], self.paddle[game] = rng.integers(self.columns), self.columns // 2

    def look(self) -> np.ndarray:
        board, games = np.zeros((self.num_envs, self.rows, self.columns), np.float32), np.arange(self.num_envs)
        board[games, self.time, self.ball] = self.time < self.rows - 1 - self.blind
        board[games, -1, self.paddle] = 1
        return board.reshape(self.num_envs, -1)

    def play(self, actions: np.ndarray) -> np.ndarray:
        moved = np.clip(self.paddle + actions - 1, 0, self.columns - 1)
        self.paddle = np.where(self.ended, self.paddle, moved)
        caught = np.where(self.paddle == self.ball, 1.0, -1.0)
        return np.where(self.time == self.steps - 1, caught, 0.0)


class OneToy(gymnasium.Env):
    """A toy as a Gymnasium environment, for other libraries. `length`, `blind`: see `Toy`."""

    def __init__(self, game: type[ToyGames], **settings: Any):
        self.games = game(Toy("", **settings), None, 1, 1)
        self.observation_space = spaces.Box(-1, 1, self.games.observation.shape, np.float32)
        self.action_space = spaces.Discrete(self.games.num_actions)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        return self.games.reset(self.np_random.integers(2**31, size=1))[0], {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict]:
        self.games.send(np.array([action]))
        step = self.games.recv()
        return step.obs[0], float(step.reward[0]), bool(step.terminated[0]), False, {}


GAMES: dict[str, type[ToyGames]] = {
    f"triptych/{game.__name__}-v0": game for game in (MemoryChain, RepeatPrevious, Catch)
}
for name, game in GAMES.items():
    gymnasium.register(name, entry_point="triptych.envs.toys:OneToy", kwargs={"game": game})


def make(config: Toy, spec: Any, num_envs: int, threads: int) -> ToyGames:
    return GAMES[spec.id](config, spec, num_envs, threads)


KIND = Kind(Toy, plays, make, unread)
