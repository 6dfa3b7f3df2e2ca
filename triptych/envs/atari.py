"""Atari through ale-py's vector environment: games in C++ threads, DeepMind's wrappers inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from triptych.envs.actions import readable
from triptych.envs.config import Kind, Screen
from triptych.envs.games import Step
from triptych.spec import Observation
from triptych.utils.checks import at_least, check, within


@dataclass(frozen=True)
class Atari(Screen):
    """Atari games, with the wrappers of Mnih et al. (2015)."""

    kind: ClassVar[str] = "atari"

    frame_skip: int = 4  # emulator frames a step, the action repeated (ids that leave it open)
    sticky: float | None = None  # chance that the last action is repeated; None: what the id says
    noop_max: int = 30  # idle frames before an episode begins: 0 to noop_max - 1 of them, each as likely
    fire: bool = True  # press FIRE in the first frame of an episode, in place of an idle one, where the game has it
    maximum: bool = True  # a picture is the larger of a step's last two frames, pixel by pixel; else the last frame
    full_action_space: bool = False  # all 18 actions of the console; else those that the game reads
    time_limit: int | None = None  # steps after which an episode is cut; None: what the id says, 0: never

    def __post_init__(self) -> None:
        super().__post_init__()
        within(self, 1, 10_000, "frame_skip")
        within(self, 0, 10_000, "noop_max")
        at_least(self, 0, "time_limit")
        within(self, 0, 1, "sticky")


PLAIN = {"noop_max": 0, "fire": False, "maximum": False}  # the emulator without the wrappers of Mnih et al.


def unread(spec: Any) -> set[str]:
    """The fields of a config that these games never read, or take in one form only."""
    return {"fill"} | (set() if spec.kwargs["frameskip"] == 1 else {"frame_skip"})


def plays(spec: Any) -> bool:
    """Random frame skip (`-v0`, `-v4` without NoFrameskip), modes and wrappers are beyond the vector environment."""
    known = {"game", "frameskip", "repeat_action_probability", "full_action_space", "max_num_frames_per_episode"}
    plain = spec.max_episode_steps is None and not spec.additional_wrappers and set(spec.kwargs) == known
    return spec.entry_point == "ale_py.env:AtariEnv" and plain and isinstance(spec.kwargs["frameskip"], int)


NEVER = 2**31 - 1  # emulator frames: a year and more
SCREEN = (210, 160)  # pixels, height and width
LARGEST = 2_000  # pixels a side that a screen is made to; beyond lies a slip of the pen, and memory that runs out


def start(config: Any) -> str:
    """How an episode begins, in words."""
    if config.noop_max <= 1:
        return "a seed a game" + (", FIRE for one frame where the game has it" if config.fire else "")
    idle = f"a seed a game, 0 to {config.noop_max - 1} idle frames"
    return idle + (", FIRE in place of the first where the game has it" if config.fire else "")


def pictures(config: Any) -> str:
    """What a picture is made of, in words."""
    return "the larger of a step's last two frames, pixel by pixel" if config.maximum else "a step's last frame"


def whole_and_part(config: Screen) -> tuple[tuple[int, int], tuple[slice, ...]]:
    """Height and width of the whole screen when it is resized so that its part has the wanted size, and that part.

    ale-py resizes and stacks, but does not crop: resized first and cropped then, the part is the same but for rounding.
    """
    shares = config.crop[:2], config.crop[2:]
    sides = config.sides or tuple(
        max(1, round(pixels * (end - start))) for pixels, (start, end) in zip(SCREEN, shares, strict=True)
    )
    whole = [max(side, round(side / (end - start))) for side, (start, end) in zip(sides, shares, strict=True)]
    check(max(whole) <= LARGEST, "size", list(sides), f"such that the screen before its crop has at most {LARGEST} pixels a side ({whole[0]} by {whole[1]})")  # fmt: skip
    starts = [
        min(round(start * all_), all_ - side) for side, all_, (start, _) in zip(sides, whole, shares, strict=True)
    ]
    part = (slice(None), slice(None), *(slice(start, start + side) for start, side in zip(starts, sides, strict=True)))
    return (whole[0], whole[1]), part


def vector_settings(config: Atari, spec: Any) -> dict[str, Any]:
    """What ale-py's vector environment takes to play a config's games, but for how many and on how many threads."""
    (height, width), _ = whole_and_part(config)
    # "NoFrameskip" (1) leaves the skip to the recipe; other ids fix it.
    frames = config.frame_skip if spec.kwargs["frameskip"] == 1 else spec.kwargs["frameskip"]
    return {
        "game": spec.kwargs["game"],
        "max_num_frames_per_episode": longest(config, frames, spec.kwargs["max_num_frames_per_episode"]),
        "repeat_action_probability": (
            spec.kwargs["repeat_action_probability"] if config.sticky is None else config.sticky
        ),
        "full_action_space": config.full_action_space or spec.kwargs["full_action_space"],
        "img_height": height,
        "img_width": width,
        "grayscale": not config.colour,
        "stack_num": config.stack,
        "frameskip": frames,
        "noop_max": config.noop_max,
        "use_fire_reset": config.fire,
        "maxpool": config.maximum,
        "reward_clipping": False,  # the raw score belongs in the log; the learner clips for itself
    }


def longest(config: Atari, frames_per_step: int, frames: int) -> int:
    """Emulator frames after which an episode is cut; `frames` is what the id says."""
    if config.time_limit is None:
        return frames
    return config.time_limit * frames_per_step or NEVER


class AtariGames:
    """N Atari games; whole games, raw rewards. No snapshot: ale-py has none that holds every detail."""

    typical_episode = 600
    saves = False
    first_action = 0

    def __init__(self, config: Atari, spec: Any, num_envs: int, threads: int):
        from ale_py.vector_env import AtariVectorEnv

        check(config.fill == "zeros", "fill", config.fill, "zeros, for Atari games")
        _, self.part = whole_and_part(config)
        self.num_envs = num_envs
        settings = vector_settings(config, spec)
        self.frames_per_step = settings["frameskip"]
        self.envs = AtariVectorEnv(num_envs=num_envs, num_threads=max(1, min(num_envs, threads)), **settings)
        colours = (3,) if config.colour else ()
        sides = (rows.stop - rows.start for rows in self.part[2:])
        self.observation = Observation((config.stack, *sides, *colours), "uint8")
        self.cropped = self.observation.shape[1:3] != (settings["img_height"], settings["img_width"])
        self.lives = np.zeros(num_envs, np.int64)
        self.num_actions = int(self.envs.single_action_space.n)  # type: ignore[attr-defined]  # a Discrete
        self.pending = False

    def reset(self, seeds: np.ndarray) -> np.ndarray:
        if self.pending:  # a reset with a step under way gives other numbers
            self.recv()
        obs, info = self.envs.reset(seed=np.asarray(seeds))
        self.lives = np.asarray(info["lives"])
        return self.seen(obs)

    @property
    def action_names(self) -> list[str]:
        return [readable(action.name) for action in self.envs.ale.get_action_set()]

    def seen(self, obs: np.ndarray) -> np.ndarray:
        """What is left of the pictures [N, stack, ...] after the crop."""
        return np.ascontiguousarray(obs[self.part]) if self.cropped else obs

    def send(self, actions: np.ndarray) -> None:
        self.envs.send(np.asarray(actions, np.int64))
        self.pending = True

    def recv(self) -> Step:
        obs, reward, terminated, truncated, info = self.envs.recv()
        self.pending = False
        before, self.lives = self.lives, np.array(info["lives"])
        ends = np.asarray(terminated, bool), np.asarray(truncated, bool)
        return Step(self.seen(obs), np.asarray(reward, np.float64), *ends, self.lives < before)

    def get_state(self) -> dict[str, Any]:
        raise RuntimeError("Atari games cannot be saved; a checkpoint cuts them")

    def set_state(self, state: dict[str, Any]) -> None:
        raise RuntimeError("Atari games cannot be saved; a checkpoint cuts them")

    def close(self) -> None:
        if self.pending:
            self.recv()
        self.envs.close()


KIND = Kind(Atari, plays, AtariGames, unread, start=start, pictures=pictures)
