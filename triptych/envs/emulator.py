"""Atari ids that ale-py's vector environment cannot play (`-v0`: the frame skip is drawn), one game after the other.

They get the wrappers that the vector environment has, so that weights trained there meet here the game they know.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium
import numpy as np

from triptych.envs.atari import PLAIN, pictures, start
from triptych.envs.config import Kind
from triptych.envs.gym import Gym, GymGames
from triptych.utils.checks import check, within

IDLE = 0  # the action that does nothing, in every Atari game


@dataclass(frozen=True)
class Emulator(Gym):
    """Atari ids that draw their frame skip; idle frames, FIRE and the maximum of two frames as in `Atari`."""

    kind: ClassVar[str] = "emulator"
    before: ClassVar[dict[str, Any]] = {"frame_skip": 1, **PLAIN}
    apart: ClassVar[frozenset[str]] = frozenset({"frame_skip"})

    noop_max: int = 30  # idle frames before an episode begins: 0 to noop_max - 1 of them, each as likely
    fire: bool = True  # press FIRE in the first frame of an episode, in place of an idle one, where the game has it
    maximum: bool = True  # a picture is the larger of a step's last two frames, pixel by pixel; else the last frame

    @property
    def place_hint(self) -> str:
        return ""  # nothing of theirs says it

    def __post_init__(self) -> None:
        super().__post_init__()
        check(
            self.frame_skip == 1,
            "frame_skip",
            self.frame_skip,
            f"1, as {self.id} itself says how many frames a step has",
        )
        within(self, 0, 10_000, "noop_max")


def plays(spec: Any) -> bool:
    return spec.entry_point == "ale_py.env:AtariEnv"  # what `atari` plays is asked before


def fixed(spec: Any) -> dict[str, Any]:
    """What an id fixes itself: frames a step (two numbers: drawn between them) and the chance of a repeated action."""
    skip = spec.kwargs["frameskip"]
    return {
        "frame_skip": skip if isinstance(skip, int) else (skip[0], skip[1] - 1),
        "sticky": spec.kwargs["repeat_action_probability"],
    }


class Frames(gymnasium.Wrapper):
    """Steps of several emulator frames. Without idle frames, FIRE and maximum it is Gymnasium's own game, bit by bit.

    Args:
        env: the emulator, a frame a step.
        skip: frames a step; two numbers: drawn from the first to below the second, as Gymnasium draws them.
    """

    def __init__(self, env: gymnasium.Env, skip: int | tuple[int, int], noop_max: int, fire: bool, maximum: bool):
        super().__init__(env)
        self.skip, self.noop_max = skip, noop_max
        meanings: list[str] = env.unwrapped.get_action_meanings()  # type: ignore[attr-defined]  # ale-py's
        self.fire = meanings.index("FIRE") if fire and "FIRE" in meanings else None
        self.maximum = maximum and len(env.observation_space.shape or ()) > 1  # of memory cells it means nothing
        self.frames: list[Any] = [None, None]  # the last two, the newest last

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        obs, info = self.env.reset(seed=seed, options=options)
        idle = int(self.unwrapped.np_random.integers(self.noop_max)) if self.noop_max > 1 else 0
        # As ale-py's vector environment does it: FIRE takes the place of the first idle frame.
        for action in [IDLE] * idle if self.fire is None else [self.fire] + [IDLE] * (idle - 1):
            obs, _, terminated, truncated, info = self.env.step(action)
            if terminated or truncated:
                obs, info = self.env.reset()
        self.frames = [obs, obs]
        return obs, info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        skip = self.skip if isinstance(self.skip, int) else int(self.unwrapped.np_random.integers(*self.skip))
        total, ended = 0.0, False
        # To the end of the step even where the game has ended: Gymnasium does, and each frame draws whether an action sticks.
        for left in range(skip, 0, -1):
            obs, reward, terminated, truncated, info = self.env.step(action)
            total += float(reward)
            ended = ended or terminated or truncated
            # Frames at which the game has ended are not seen: the picture of the step before stands in, as in ale-py.
            if left <= 2 and not ended:
                self.frames[2 - left] = obs
                if skip == 1:
                    self.frames[0] = obs
        if self.maximum:
            obs = self.frames[1] = np.maximum(*self.frames)
        return obs, total, terminated, truncated, info


def by_frames(noop_max: int, fire: bool, maximum: bool, frameskip: Any, **options: Any) -> gymnasium.Env:
    """What Gymnasium calls to make one game."""
    from ale_py.env import AtariEnv

    skip = frameskip if isinstance(frameskip, int) else tuple(frameskip)  # JSON knows lists only
    return Frames(AtariEnv(frameskip=1, **options), skip, noop_max, fire, maximum)  # type: ignore[arg-type]


def make(config: Emulator, spec: Any, num_envs: int, threads: int) -> GymGames:
    """Gymnasium's games, its time limit counting steps and not frames."""
    ours = copy.deepcopy(spec)
    ours.entry_point = by_frames
    wanted = {"noop_max": config.noop_max, "fire": config.fire, "maximum": config.maximum}
    # As the vector environment shows it, not made grey of the colours here.
    grey = {} if config.colour or "obs_type" in ours.kwargs else {"obs_type": "grayscale"}
    ours.kwargs = {**ours.kwargs, **wanted, **grey}
    return GymGames(config, ours, num_envs, threads)


def unread(spec: Any) -> set[str]:
    """The fields of a config that these games never read: what they show is known."""
    return {"layout", "drop", "frame_skip"}


KIND = Kind(Emulator, plays, make, unread, fixed=fixed, start=start, pictures=pictures)
