"""Whether the pictures that a network gets lie as a person sees them: not on their side, upside down or mirrored.

An agent learns from a turned picture, too, but a transferred network does not, and square pictures have no shape that tells. So
they are compared with the environment's own screen, which takes another way through the code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from triptych import envs
from triptych.checkup.findings import Finding, Signal
from triptych.envs import GameConfig, Games
from triptych.envs.config import Screen
from triptych.envs.videos import screen_config
from triptych.spec import parts_of
from triptych.utils.checks import EnvironmentFailed, InputError
from triptych.utils.failures import first_line

MOMENTS, BETWEEN = 8, 8  # pictures that are compared, and steps from one to the next
LIKE, UNLIKE = 0.8, 0.5  # correlation of a picture with the screen turned so; with the screen as it is

TURNED = Signal(
    "picture-turned", "warn", "pictures do not lie as the environment's own screen does",
    ("height and width swapped, as for a library that takes the width first", "rows read from the bottom up",
     "an array of channels, height and width taken for another order"),
    "what makes an observation of the environment's picture",
)  # fmt: skip
UNSEEN = Signal(
    "picture-not-compared",
    "note",
    "pictures were not compared with the environment's screen",
    (),
    "the environment's render",
)
WAYS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "upright": lambda screen: screen,
    "on its side (height and width swapped)": lambda screen: screen.T,
    "upside down": lambda screen: screen[::-1],
    "mirrored": lambda screen: screen[:, ::-1],
    "turned by 180 degrees": lambda screen: screen[::-1, ::-1],
    "turned by 90 degrees to the left": lambda screen: screen.T[::-1],
    "turned by 90 degrees to the right": lambda screen: screen.T[:, ::-1],
    "mirrored and on its side": lambda screen: screen.T[::-1, ::-1],
}


def judge_upright(config: GameConfig, games: Games) -> Iterator[Finding]:
    """Compares the pictures of the first game with the screen that a second one, given the same seed and actions, shows.

    Nothing is said where the screen shows something else than what the agent sees; where there is none, a note.
    """
    if not games.observation.is_picture:
        return
    screens: Games | None = None
    try:
        screens = envs.make(screen_config(config), 1)
        yield from compared(config, games, screens)
    except (
        InputError,
        EnvironmentFailed,
    ) as error:  # of the screen, which no run needs: the games are looked at elsewhere
        yield Finding(UNSEEN, f"no screen to compare pictures with: {first_line(error)}")
    finally:
        if screens is not None:
            screens.close()


def compared(config: GameConfig, games: Games, screens: Games) -> Iterator[Finding]:
    pictures, seen = [], []
    for picture, screen in moments(games, screens):
        declared = screens.observation.main.shape[1:]
        if screen.shape != declared:
            told = f"a screen of shape {screen.shape}, where the environment says {declared}"
            yield Finding(TURNED, told, "pictures [height, width, colours] as declared")
            return
        pictures.append(grey(picture))
        seen.append(cropped(grey(screen), config.crop) if isinstance(config, Screen) else grey(screen))
    alike = {name: likeness(pictures, [way(screen) for screen in seen]) for name, way in WAYS.items()}
    best = max(alike, key=lambda name: alike[name])
    if alike[best] > LIKE and alike["upright"] < UNLIKE:
        told = f"{best}: correlation with the screen so {alike[best]:.2f}, with it as it is {alike['upright']:.2f}"
        yield Finding(TURNED, told, f"pictures as the screen shows them: a correlation above {LIKE:g}")


def moments(games: Games, screens: Games) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The newest picture [H, W] or [H, W, C] that an agent gets of the first game, and the screen [H, W, 3] beside it."""
    rng, seeds = np.random.default_rng(3), 9_000 + np.arange(games.num_envs)
    main, screen = games.observation.main_name, screens.observation.main_name
    found: tuple[Any, Any] = games.reset(seeds), screens.reset(seeds[:1])
    for step in range(MOMENTS * BETWEEN):
        if step % BETWEEN == 0:
            yield parts_of(found[0])[main][0, -1], parts_of(found[1])[screen][0, -1]
        actions = rng.integers(games.num_actions, size=games.num_envs)
        games.send(actions)
        screens.send(actions[:1])
        found = games.recv().obs, screens.recv().obs


def grey(picture: np.ndarray) -> np.ndarray:
    return picture.astype(np.float64).mean(axis=-1) if picture.ndim == 3 else picture.astype(np.float64)


def cropped(picture: np.ndarray, crop: tuple[float, float, float, float]) -> np.ndarray:
    """The part of a picture [H, W] that lies within these shares of it: top, bottom, left, right."""
    (height, width), (top, bottom, left, right) = picture.shape, crop
    return picture[round(top * height) : round(bottom * height), round(left * width) : round(right * width)]


def likeness(pictures: list[np.ndarray], screens: list[np.ndarray]) -> float:
    """The median correlation of pictures with screens that are averaged down to their size; 0 where either is of one grey."""
    found = []
    for picture, screen in zip(pictures, screens, strict=True):
        one, other = picture - picture.mean(), resized(screen, picture.shape)
        other = other - other.mean()
        size = np.sqrt((one**2).sum() * (other**2).sum())
        found.append(float((one * other).sum() / size) if size > 0 else 0.0)
    return float(np.median(found))


def resized(picture: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A picture [H, W] as the means of `shape` blocks; where it is smaller than that, its nearest pixels."""
    for axis, wanted in enumerate(shape):
        have = picture.shape[axis]
        starts = np.arange(wanted) * have // wanted
        sizes = np.maximum(1, np.diff(np.append(starts, have)))
        picture = np.add.reduceat(picture, starts, axis=axis) / np.expand_dims(sizes, 1 - axis)
    return picture
