"""`triptych look`: what the agent sees, beside the screen that a person sees."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from triptych import envs
from triptych.envs.videos import screen_config
from triptych.recipes import Recipe
from triptych.spec import FrameDifference, each
from triptych.utils.checks import InputError, check
from triptych.utils.files import check_new_file, write_whole
from triptych.utils.install import install_hint
from triptych.utils.seeds import game_seeds, generator

APART = 40  # steps of random play between two rows
SCALE, WANTED = 3, 280  # screen pixels a pixel of what the agent sees at least, and a side of it about
GAP, LINE = 12, 16  # pixels between pictures, of a line of numbers
HEAD, LETTERS = 30, 17  # pixels of the title, of the captions, of a row's label, and of their letters
BACKGROUND, INK = (250, 250, 248), (40, 40, 40)


@dataclass(frozen=True)
class Row:
    """What is drawn of one observation."""

    pictures: list[np.ndarray]  # [H, W, 3] each
    label: str = ""  # above them


def look(recipe: Recipe, path: Path, frames: int = 4, *, title: str = "", seed: int | None = None) -> Path:
    """Draws `frames` observations of random play, a row each: the screen, then every picture of the stack.

    Args:
        path: the PNG to write, whole or not at all.
        seed: of the game and the actions; None: the recipe's.

    Raises:
        InputError: Pillow is missing, `path` is no PNG, or the environment shows no screen.
    """
    check(frames > 0, "frames", frames, "above 0")
    check(path.suffix.lower() == ".png", "out", str(path), "a file that ends on .png")
    check_new_file(path)
    check_drawing()
    rows = [
        Row([enlarge(picture) for picture in row])
        for row in observe(recipe, frames, recipe.seed if seed is None else seed)
    ]
    captions = ["screen", *columns(recipe, len(rows[0].pictures) - 1)]
    return write_sheet(path, rows, captions, title)


def check_drawing() -> None:
    """Refuses what could not be drawn, as Pillow is missing."""
    if importlib.util.find_spec("PIL") is None:
        raise InputError(f"look needs Pillow, which is not installed: {install_hint('pixels')}")


def write_sheet(path: Path, rows: list[Row], captions: list[str], title: str) -> Path:
    """Writes rows of pictures as a PNG."""
    sheet = draw_sheet(rows, captions, title)
    write_whole(path, lambda temporary: sheet.save(temporary, "PNG"))
    return path


def draw_sheet(rows: list[Row], captions: list[str], title: str) -> Any:
    """Rows of pictures as a Pillow picture, the title above them and a caption above each column."""
    from PIL import Image

    heights = [max(picture.shape[0] for picture in row.pictures) + (HEAD if row.label else 0) for row in rows]
    width = max(sum(picture.shape[1] + GAP for picture in row.pictures) for row in rows) + GAP
    sheet = Image.new("RGB", (width, 2 * HEAD + sum(heights) + GAP * len(rows)), BACKGROUND)
    draw_text(sheet, GAP, 6, title, LETTERS)
    top = 2 * HEAD
    for index, (row, height) in enumerate(zip(rows, heights, strict=True)):
        below = HEAD if row.label else 0
        draw_text(sheet, GAP, top + 6, row.label, LETTERS)
        left = GAP
        for picture, caption in zip(row.pictures, captions, strict=True):
            if index == 0:
                draw_text(sheet, left, HEAD + 4, caption, LETTERS)
            sheet.paste(Image.fromarray(picture), (left, top + below))
            left += picture.shape[1] + GAP
        top += height + GAP
    return sheet


def observe(recipe: Recipe, count: int, seed: int) -> list[list[np.ndarray]]:
    """Rows of uint8 pictures [H, W, 3]: the screen, the stack from the oldest to the newest, what the network makes of it.

    Of observations with several parts, each vector's numbers are a picture at the row's end.
    """
    games, screens = envs.make(recipe.env, 1), envs.make(screen_config(recipe.env), 1)
    recipe.make_network(games.observation, games.num_actions)
    rng, seeds = generator(seed, "look"), game_seeds(seed, "look", 0, 1)
    obs, screen = games.reset(seeds), screens.reset(seeds)
    rows = [picture_row(recipe, each(first_game, obs), screen[0, -1])]
    while len(rows) < count:
        for _ in range(APART):
            action = rng.integers(games.num_actions, size=1)
            games.send(action)
            screens.send(action)
            obs, screen = games.recv().obs, screens.recv().obs
        rows.append(picture_row(recipe, each(first_game, obs), screen[0, -1]))
    games.close()
    screens.close()
    return rows


def first_game(part: np.ndarray) -> np.ndarray:
    return part[0]


def picture_row(recipe: Recipe, obs: Any, screen: np.ndarray) -> list[np.ndarray]:
    if isinstance(obs, dict):  # the picture's row, and beside it the numbers of each other part
        row = [screen]
        for part in (part for part in obs.values() if part.ndim >= 3):
            row = picture_row(recipe, part, screen)
        return row + [numbers(part, screen.shape[0], name) for name, part in obs.items() if part.ndim < 3]
    if obs.ndim < 3:
        return [screen, numbers(obs, screen.shape[0])]
    pictures = [coloured(frame) for frame in frames_of(recipe, obs)]
    if isinstance(recipe.network[0], FrameDifference):  # grey for no change; most are faint, so they are stretched
        change = obs[1].astype(float) - obs[0]
        shown = np.ceil(127 * np.abs(change) / max(1.0, np.abs(change).max()))  # even the faintest
        pictures.append(coloured((127 + shown * np.sign(change)).astype(np.uint8)))
    return [screen, *pictures]


def frames_of(recipe: Recipe, obs: np.ndarray) -> list[np.ndarray]:
    """The pictures of an observation, grey or in colours; those that the environment stacks itself lie in its last axis."""
    if obs.ndim == 3:
        return list(obs)
    planes = 3 if getattr(recipe.env, "colour", False) else 1
    return [
        frame[..., start : start + planes].squeeze() for frame in obs for start in range(0, frame.shape[-1], planes)
    ]


def columns(recipe: Recipe, count: int) -> list[str]:
    """What stands above the pictures of a row."""
    stack = getattr(recipe.env, "stack", 1)
    if stack > count > 1:
        return [f"picture {place + 1}" for place in range(count)]  # of a stack of the environment's own
    if stack > count:
        return ["what the agent gets"]
    names = [f"t-{back}" if back else "t (newest)" for back in range(stack - 1, -1, -1)]
    if isinstance(recipe.network[0], FrameDifference):
        names.append("difference (contrast stretched)")
    return names + ["beside it"] * (count - len(names))


def coloured(frame: np.ndarray) -> np.ndarray:
    return frame if frame.ndim == 3 else np.repeat(frame[..., None], 3, axis=2)


def enlarge(picture: np.ndarray) -> np.ndarray:
    """Small pictures by whole pixels, so that each one shows."""
    side = max(picture.shape[:2])
    factor = max(SCALE, WANTED // side) if side < 120 else 2 if side < 300 else 1
    return np.ascontiguousarray(picture.repeat(factor, axis=0).repeat(factor, axis=1))


def numbers(obs: np.ndarray, height: int, name: str = "", slopes: np.ndarray | None = None) -> np.ndarray:
    """A vector as text, each number behind the part's name and its place, and before its slope, where there is one."""
    from PIL import Image

    sheet = Image.new("RGB", (220, max(height, LINE * (len(obs) + 1))), BACKGROUND)
    for index, value in enumerate(obs):
        slope = "" if slopes is None else f"   {slopes[index]:+.3g}"
        draw_text(sheet, 8, 8 + LINE * index, f"{name}[{index}] {value: .4f}{slope}")
    return np.asarray(sheet)


def draw_text(sheet: object, left: int, top: int, text: str, letters: int = 13) -> None:
    from PIL import ImageDraw, ImageFont

    ImageDraw.Draw(sheet).text((left, top), text, fill=INK, font=ImageFont.load_default(letters))  # type: ignore[arg-type]
