"""Games of a user that fail, hang, or show numbers that are not finite."""

from __future__ import annotations

import os
import sys
import time
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces


class Base(gymnasium.Env):
    """A guess: the sign of the first number. An episode has 20 steps."""

    seen = 0  # steps of all games

    def __init__(self, **options: Any):
        self.observation_space = spaces.Box(-1, 1, (3,), np.float32)
        self.action_space = spaces.Discrete(2)

    def look(self) -> np.ndarray:
        return np.array([self.x, self.t / 20, 1.0], np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.x, self.t = float(self.np_random.uniform(-1, 1)), 0
        return self.look(), {}

    def step(self, action: int) -> Any:
        Base.seen += 1
        reward = 1.0 if (self.x > 0) == bool(action) else 0.0
        self.t += 1
        self.x = float(self.np_random.uniform(-1, 1))
        return self.look(), reward, False, self.t >= 20, {}


class Raises(Base):
    """Raises once at a step, as its `kind` says: an error, an error of the system, the end of the process."""

    at = 700

    def __init__(self, kind: str = "RuntimeError"):
        super().__init__()
        self.kind = kind

    def step(self, action: int) -> Any:
        if Base.seen == self.at:
            Base.seen += 1
            if self.kind == "exit":
                sys.exit()
            raise {"pipe": BrokenPipeError(32, "Broken pipe"), "os": ConnectionResetError(104, "reset by peer")}.get(
                self.kind, RuntimeError("simulator lost connection")
            )
        return super().step(action)


class NeverBegins(Base):
    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        raise FileNotFoundError(2, "No such file or directory", "maps/level-1.txt")


class Hangs(Base):
    def step(self, action: int) -> Any:
        if Base.seen >= 400:
            print("hanging", file=sys.stderr, flush=True)
            time.sleep(3_600)
        return super().step(action)


class NotFinite(Base):
    """A reward that is NaN, and a sensor that drops out, each once in a while."""

    def step(self, action: int) -> Any:
        obs, reward, terminated, truncated, info = super().step(action)
        draw = self.np_random.random()
        if draw < 0.02:
            reward = float("nan")
        elif draw < 0.04:
            obs[0] = np.inf
        return obs, reward, terminated, truncated, info


class DarkResets(Base):
    """Each episode but the first begins with an observation that is not finite."""

    begun = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        obs, info = super().reset(seed=seed)
        self.begun += 1
        return (obs if self.begun == 1 else np.full_like(obs, np.nan)), info


class NeverFinite(Base):
    """Not one of its observations is finite but those of its resets."""

    def look(self) -> np.ndarray:
        return np.full(3, np.nan, np.float32) if self.t else super().look()


class Slow(Base):
    """So that somebody may end its process meanwhile."""

    def step(self, action: int) -> Any:
        time.sleep(0.002)
        if os.environ.get("TELL_PID"):
            with open(os.environ["TELL_PID"], "a", encoding="ascii") as file:
                print(os.getpid(), file=file)
            del os.environ["TELL_PID"]
        return super().step(action)


class Closes(Base):
    """Counts its calls of `close`, which fails."""

    closed: ClassVar[list[int]] = []  # of each environment that was made

    def __init__(self) -> None:
        super().__init__()
        self.number = len(self.closed)
        self.closed.append(0)

    def close(self) -> None:
        self.closed[self.number] += 1
        raise OSError("no such window")


for kind in (Raises, NeverBegins, Hangs, NotFinite, DarkResets, NeverFinite, Slow, Closes):
    gymnasium.register(f"{kind.__name__}-v0", entry_point=kind)
