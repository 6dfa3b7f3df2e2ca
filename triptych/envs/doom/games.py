"""ViZDoom by its Gymnasium ids: games that play side by side, with position, heading and game variables where they are asked for.

A time limit is a truncation here, and its observation the last real one; vizdoom's own says terminated too, and shows black.
"""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import gymnasium
import numpy as np
from gymnasium import spaces

from triptych.envs.config import Kind
from triptych.envs.doom.engine import Engine, made, sweep
from triptych.envs.gym import Gym, GymGames
from triptych.utils.checks import check, one_of, within

TICS = 35  # of the engine, a second
PARTS = ("position", "heading", "variables")
RESOLUTIONS = ("160x120", "200x150", "256x192", "320x240", "400x300", "512x384", "640x480", "800x600")


@dataclass(frozen=True)
class Doom(Gym):
    """ViZDoom's scenarios."""

    kind: ClassVar[str] = "doom"
    before: ClassVar[dict[str, Any]] = {}
    apart: ClassVar[frozenset[str]] = frozenset({"maximum"})

    frame_skip: int = 4  # tics of the engine a step, 35 of which are a second
    # what the engine draws, before crop and size
    resolution: Literal["160x120", "200x150", "256x192", "320x240", "400x300", "512x384", "640x480", "800x600"] = (
        "160x120"
    )
    # what is told besides the screen: position (x and y as shares of the map), heading, variables (those of the scenario)
    parts: tuple[str, ...] = ()

    @property
    def place_hint(self) -> str:
        return f"--env.parts {' '.join((*self.parts, 'position'))}"

    @property
    def repeats(self) -> int:
        return 1  # the engine does

    def __post_init__(self) -> None:
        super().__post_init__()
        within(self, 1, 100, "frame_skip")
        check(not self.maximum, "maximum", self.maximum, "False, as the engine shows its last tic alone")
        one_of(self, "resolution", RESOLUTIONS)
        known = isinstance(self.parts, tuple) and set(self.parts) <= set(PARTS)
        check(known, "parts", self.parts, f"some of {', '.join(PARTS)}")


def plays(spec: Any) -> bool:
    return str(spec.entry_point).startswith("vizdoom.gymnasium_wrapper")


class OneDoom(gymnasium.Env):
    """One game, whose process may play before `step` or `reset` is called.

    Args:
        engine: its process, which makes it already.
        config: its id, what is told besides the screen, and how many tics a step has.
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(self, engine: Engine, config: Doom, render_mode: str | None = None):
        self.engine, self.render_mode = engine, render_mode
        self.metadata = {**self.metadata, "render_fps": TICS / config.frame_skip}
        env_id, parts = config.id, config.parts
        found = made(engine, env_id)
        check("variables" not in parts or found["variables"] > 0, "parts", parts, f"no variables, as {env_id} has none")
        self.action_space = spaces.Discrete(found["actions"])
        self.names = found["names"]
        variables = spaces.Box(-np.inf, np.inf, (found["variables"],), np.float32)
        boxes = {
            "position": spaces.Box(0, 1, (2,), np.float32),
            "heading": spaces.Box(-1, 1, (2,), np.float32),
            "variables": variables,
        }
        screen = spaces.Box(0, 255, found["screen"], np.uint8)
        self.observation_space = spaces.Dict({"screen": screen, **{name: boxes[name] for name in parts}})
        self.screen = np.zeros(found["screen"], np.uint8)

    def begin(self, name: str, *given: Any) -> None:
        """Has its process do what is called next: "reset" with a seed or None, or "step" with an action."""
        if not self.engine.waiting:
            self.engine.ask(name, *given)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self.begin("reset", seed)
        obs, self.engine.left = self.engine.answer()
        return self.seen(obs), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.begin("step", int(action))
        obs, reward, terminated, truncated = self.engine.answer()
        return self.seen(obs), reward, terminated, truncated, {}

    def seen(self, obs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        self.screen = obs["screen"]
        return obs

    def render(self) -> np.ndarray:
        """The screen in three colours."""
        return np.broadcast_to(self.screen, (*self.screen.shape[:2], 3)).copy()

    def get_action_meanings(self) -> list[str]:
        return self.names

    def close(self) -> None:
        self.engine.close()


class DoomGames(GymGames):
    """N games, which play at the same time."""

    def __init__(self, config: Doom, spec: Any, num_envs: int, threads: int):
        if "position" in config.parts and "position" not in config.drop and not config.render:
            config = dataclasses.replace(config, position="position")  # which a neural map may ask for
        options = spec.kwargs | with_files(config.arguments()) | {
            "frame_skip": config.frame_skip,
            "screen_resolution": f"RES_{config.resolution.upper()}",
            "screen_format": "RGB24" if config.colour else "GRAY8",
        }  # fmt: skip
        sweep()
        engines = [Engine(spec.id, options, config.parts) for _ in range(num_envs)]  # all of them start at once
        waiting = list(engines)

        def maker(**given: Any) -> gymnasium.Env:
            render = {"render_mode": given.get("render_mode")}
            return OneDoom(waiting.pop(0), config, **render)

        maker.metadata = OneDoom.metadata  # type: ignore[attr-defined]
        ours = copy.copy(spec)
        ours.entry_point, ours.kwargs = maker, {}
        try:
            super().__init__(config, ours, num_envs, threads)
        except BaseException:
            for engine in engines:
                engine.close()
            raise

    def reset(self, seeds: np.ndarray) -> Any:
        for env, seed in zip(self.envs, seeds, strict=True):
            env.unwrapped.begin("reset", int(seed))  # type: ignore[attr-defined]
        return super().reset(seeds)

    def send(self, actions: np.ndarray) -> None:
        super().send(actions)
        for env, ended, action in zip(self.envs, self.ended, self.actions, strict=True):
            asked = ("reset", None) if ended else ("step", int(action))
            env.unwrapped.begin(*asked)  # type: ignore[attr-defined]


def with_files(options: dict[str, Any]) -> dict[str, Any]:
    """Options whose relative file names are whole ones, as games work in folders of their own."""
    return {
        name: str(Path(value).absolute()) if isinstance(value, str) and Path(value).is_file() else value
        for name, value in options.items()
    }


def unread(spec: Any) -> set[str]:
    """The fields of a config that these games never read: what they show is known."""
    return {"layout", "drop", "render", "position", "position_bounds", "maximum"}


def pictures(config: Doom) -> str:
    return f"the engine's last of {config.frame_skip} tics"


KIND = Kind(Doom, plays, DoomGames, unread, pictures=pictures)
