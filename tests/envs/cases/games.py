"""A small game in every form that people give theirs: which side a number is on must be said. Twelve steps an episode."""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

HERE = "tests.envs.cases.games"
STEPS = 12


class Side(gymnasium.Env):
    """1 for action 1 where the number is above 0, and for action 0 elsewhere; else 0."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 8}  # noqa: RUF012
    observation_space: Any = spaces.Box(-1, 1, (2,), np.float32)
    action_space: Any = spaces.Discrete(2)

    def __init__(self, render_mode: str | None = None):
        self.render_mode = render_mode

    def look(self) -> Any:
        return np.array([self.number, self.time / STEPS], np.float32)

    def earned(self, reward: float) -> Any:
        """What `step` gives for the reward."""
        return reward

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict]:
        super().reset(seed=seed)
        self.time, self.number = 0, float(self.np_random.uniform(-1, 1))
        return self.look(), {}

    def step(self, action: Any) -> Any:
        reward = float((self.number > 0) == bool(action))
        self.time += 1
        self.number = float(self.np_random.uniform(-1, 1))
        return self.look(), self.earned(reward), False, self.time >= STEPS, {}


class NoSeed(Side):
    def reset(self) -> Any:  # type: ignore[override]
        return super().reset(seed=0)


class NoInfo(Side):
    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        return super().reset(seed=seed)[0]


class NoSpace(Side):
    observation_space: Any = None


class FourValues(Side):
    def step(self, action: Any) -> Any:
        obs, reward, terminated, truncated, info = super().step(action)
        return obs, reward, terminated or truncated, info


class Reward(Side):
    """A reward in another form, from a step of the episode on."""

    def __init__(self, form: str, begins: int = 1, render_mode: str | None = None):
        super().__init__(render_mode)
        self.form, self.begins = form, begins

    def earned(self, reward: float) -> Any:
        if self.time < self.begins:
            return reward
        return {
            "array": np.array([reward], np.float32), "point": np.array(reward), "scalar": np.float16(reward),
            "bool": bool(reward), "int": int(reward), "fraction": Fraction(int(reward)), "none": None, "text": "good",
            "several": np.array([reward, 0.0]), "nan": float("nan"), "inf": -np.inf, "vast": 1e39,
        }[self.form]  # fmt: skip


class Seen(Side):
    """An observation in another form; `space` is what it says of it."""

    def __init__(self, form: str, render_mode: str | None = None):
        super().__init__(render_mode)
        self.form = form
        self.held = np.zeros(2, np.float32)
        one = spaces.Box(-1, 1, (1,))
        self.observation_space = {
            "short": spaces.Box(-1, 1, (3,)),
            "point": spaces.Box(-1, 1, ()),
            "doubles": spaces.Box(-np.inf, np.inf, (2,), np.float64),
            "choices": spaces.MultiDiscrete([3, 4], start=[-1, 0]),
            "bits": spaces.MultiBinary(3),
            "choice": spaces.Discrete(3, start=-1),
            "sequence": spaces.Dict({"me": one, "others": spaces.Sequence(one)}),
            "graph": spaces.Graph(one, None),
            "sentence": spaces.Dict({"me": one, "mission": spaces.Text(8)}),
            "no-key": spaces.Dict({"me": one, "you": one}),
            "halves": spaces.Box(0, 9, (2,), np.int64),
            "wide": spaces.Box(-1, 1, (2,)),
        }.get(form, Side.observation_space)

    def look(self) -> Any:
        sign = int(self.number > 0)
        self.held[:] = self.number, self.time / STEPS
        one = np.array([self.number], np.float32)
        return {
            "short": lambda: np.zeros(2, np.float32), "list": lambda: [self.number, self.time / STEPS],
            "point": lambda: self.number, "same": lambda: self.held,
            "doubles": lambda: np.array([1e9 * self.number, self.time]), "choices": lambda: np.array([2 * sign - 1, 3]),
            "bits": lambda: [sign, 0, 1], "choice": lambda: 2 * sign - 1, "text": lambda: "left",
            "sequence": lambda: {"me": one, "others": (one,)}, "graph": lambda: None,
            "sentence": lambda: {"me": one, "mission": "go"}, "no-key": lambda: {"me": one},
            "halves": lambda: np.array([0.5, 1.0]), "wide": lambda: np.array([5.0, 0.0]),
            "nan": lambda: np.array([self.number, np.nan if self.time == 5 else 0], np.float32),
            "never": lambda: np.array([np.inf, 0], np.float32),
        }[self.form]()  # fmt: skip


class Fails(Side):
    """Raises at a step of an episode; at 0 in `reset`."""

    def __init__(self, how: str, at: int, render_mode: str | None = None):
        super().__init__(render_mode)
        self.how, self.at = how, at

    def look(self) -> Any:
        if self.time == self.at:
            if self.how == "exit":
                sys.exit()
            raise {"pipe": BrokenPipeError(32, "Broken pipe"), "file": FileNotFoundError(2, "No such file"), "ours": RuntimeError("lost")}[self.how]  # fmt: skip
        return super().look()


class Picture(Side):
    """A white square on the left or right, laid out in any way: `shape` with the sides of the picture as None."""

    def __init__(self, shape: list[int | None], low: float = 0, high: float = 255, dtype: str = "uint8", scale: float | None = None, gives: str = "", render_mode: str | None = None):  # fmt: skip
        super().__init__(render_mode)
        self.sides = [axis for axis, length in enumerate(shape) if length is None]
        whole = [length or 40 for length in shape]
        self.observation_space = spaces.Box(low, high, whole, np.dtype(dtype).type)
        self.low, self.scale = low, high - low if scale is None else scale
        self.gives = gives or dtype

    def look(self) -> Any:
        whole = self.observation_space.shape
        picture = np.zeros((40, 40))
        picture[16:24, (28 if self.number > 0 else 4) :][:, :8] = 1
        around = [40 if axis in self.sides else 1 for axis in range(len(whole))]
        return (self.low + self.scale * np.broadcast_to(picture.reshape(around), whole)).astype(self.gives)

    def render(self) -> np.ndarray:
        return np.full((40, 40, 3), 255 if self.number > 0 else 60, np.uint8)


class Symbols(Side):
    """One of six symbols, to be named."""

    action_space = spaces.Discrete(6)

    def __init__(self, dtype: str, high: int = 5, render_mode: str | None = None):
        super().__init__(render_mode)
        self.observation_space = spaces.Box(0, high, (1,), np.dtype(dtype).type)

    def look(self) -> Any:
        self.symbol = int(self.number * 3 + 3)
        return np.array([self.symbol], self.observation_space.dtype)

    def step(self, action: Any) -> Any:
        right = float(action == self.symbol)
        obs, _, *rest = super().step(0)
        return obs, right, *rest


class FromMinusOne(Seen):
    """Sell, hold, buy as -1, 0, 1; 1 for the sign of the number."""

    action_space = spaces.Discrete(3, start=-1)

    def step(self, action: Any) -> Any:
        if action not in self.action_space:
            raise ValueError(f"{action!r} is no action")
        right = float(action == np.sign(self.number))
        obs, _, *rest = super().step(0)
        return obs, right, *rest


class Endless(Side):
    def step(self, action: Any) -> Any:
        obs, reward, _, _, info = super().step(action)
        return obs, reward, False, False, info


for kind in (Side, NoSeed, NoInfo, NoSpace, FourValues, Reward, Seen, Fails, Picture, Symbols, FromMinusOne, Endless):
    gymnasium.register(f"cases/{kind.__name__}-v0", entry_point=kind)


def named(kind: type) -> str:
    return f"{HERE}:cases/{kind.__name__}-v0"
