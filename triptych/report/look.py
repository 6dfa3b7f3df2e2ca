"""`triptych look`: what the agent sees, beside the screen that a person sees."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from triptych import envs
from triptych.envs.videos import own_screen
from triptych.recipes import Recipe
from triptych.report.look_numbers import Numbers, numbers_of
from triptych.spec import FrameDifference, each, parts_of
from triptych.utils.checks import InputError, check
from triptych.utils.files import check_new_file, write_whole
from triptych.utils.install import install_hint
from triptych.utils.seeds import game_seeds, generator

APART = 40  # steps of random play between two rows
SCALE, WANTED = 3, 280  # screen pixels a pixel of what the agent sees at least, and a side of it about
GAP, LINE = 12, 16  # pixels between pictures, of a line of numbers
HEAD, LETTERS = 30, 17  # pixels of the title, of the captions, of a row's label, and of their letters
WIDE = 9  # pixels of a table's letter, about
SCREEN, GETS = "screen", "what the agent gets"
BACKGROUND, INK = (250, 250, 248), (40, 40, 40)


@dataclass(frozen=True)
class Row:
    """What is drawn of one observation."""

    pictures: list[np.ndarray]  # [H, W, 3] each
    label: str = ""  # above them


def look(recipe: Recipe, path: Path, frames: int = 4, *, title: str = "", seed: int | None = None) -> Path:
    """Draws `frames` observations of random play: see `look_and_tell`, whose file this is."""
    return look_and_tell(recipe, path, frames, title=title, seed=seed)[0]


def look_and_tell(
    recipe: Recipe, path: Path, frames: int = 4, *, title: str = "", seed: int | None = None
) -> tuple[Path, Numbers | None]:
    """Draws `frames` observations of random play, a row each: the screen, then every picture of the stack.

    A game that draws nothing has no screen. Above its rows stands what its numbers are, and what random play scores.

    Args:
        path: the PNG to write, whole or not at all.
        seed: of the game and the actions; None: the recipe's.

    Returns:
        the file, and what stands above its rows, if anything.

    Raises:
        InputError: Pillow is missing, `path` is no PNG, or the environment cannot be made.
    """
    check(frames > 0, "frames", frames, "above 0")
    check(path.suffix.lower() == ".png", "out", str(path), "a file that ends on .png")
    check_new_file(path)
    check_drawing()
    seed = recipe.seed if seed is None else seed
    rows, captions = observe(recipe, frames, seed)
    numbers = None if captions[0] == SCREEN else numbers_of(recipe.env, seed)
    drawn = [Row([enlarge(picture) for picture in row]) for row in rows]
    return write_sheet(path, drawn, captions, title, table=numbers.table() if numbers else ()), numbers


def check_drawing() -> None:
    """Refuses what could not be drawn, as Pillow is missing."""
    if importlib.util.find_spec("PIL") is None:
        raise InputError(f"look needs Pillow, which is not installed: {install_hint('pixels')}")


def write_sheet(
    path: Path, rows: list[Row], captions: list[str], title: str, table: Sequence[Sequence[str]] = ()
) -> Path:
    """Writes rows of pictures as a PNG."""
    sheet = draw_sheet(rows, captions, title, table)
    write_whole(path, lambda temporary: sheet.save(temporary, "PNG"))
    return path


def draw_sheet(rows: list[Row], captions: list[str], title: str, table: Sequence[Sequence[str]] = ()) -> Any:
    """Rows of pictures as a Pillow picture, the title above them and a caption above each column.

    Args:
        table: lines of cells, between title and captions.
    """
    from PIL import Image

    heights = [max(picture.shape[0] for picture in row.pictures) + (HEAD if row.label else 0) for row in rows]
    width = max(sum(picture.shape[1] + GAP for picture in row.pictures) for row in rows) + GAP
    lefts, wide = places_of(table)
    top = (2 + len(table)) * HEAD
    sheet = Image.new("RGB", (max(width, wide), top + sum(heights) + GAP * len(rows)), BACKGROUND)
    draw_text(sheet, GAP, 6, title, LETTERS)
    for index, cells in enumerate(table, start=1):
        for left, cell in zip(lefts, cells, strict=False):
            draw_text(sheet, left, HEAD * index + 4, cell, LETTERS)
    for index, (row, height) in enumerate(zip(rows, heights, strict=True)):
        below = HEAD if row.label else 0
        draw_text(sheet, GAP, top + 6, row.label, LETTERS)
        left = GAP
        for picture, caption in zip(row.pictures, captions, strict=True):
            if index == 0:
                draw_text(sheet, left, top - HEAD + 4, caption, LETTERS)
            sheet.paste(Image.fromarray(picture), (left, top + below))
            left += picture.shape[1] + GAP
        top += height + GAP
    return sheet


def places_of(table: Sequence[Sequence[str]]) -> tuple[list[int], int]:
    """Where each column of a table begins, and how wide the table is, in pixels. A line of one cell is a sentence."""
    lefts, left = [], GAP
    for cells in zip(*(line for line in table if len(line) > 1), strict=True):
        lefts.append(left)
        left += WIDE * max(map(len, cells)) + 2 * GAP
    sentences = [GAP + WIDE * len(line[0]) for line in table if len(line) == 1]
    return lefts or [GAP], max([left, *sentences])


def observe(recipe: Recipe, count: int, seed: int) -> tuple[list[list[np.ndarray]], list[str]]:
    """Rows of uint8 pictures [H, W, 3], and what stands above them.

    The screen, where the game draws one, the stack from the oldest to the newest, what the network makes of it; at the
    row's end each vector's numbers.
    """
    screens = own_screen(recipe.env)
    games = envs.make(recipe.env, 1)
    recipe.make_network(games.observation, games.num_actions)
    rng, seeds = generator(seed, "look"), game_seeds(seed, "look", 0, 1)
    obs = games.reset(seeds)
    screen = None if screens is None else screens.reset(seeds)[0, -1]
    rows = [picture_row(recipe, each(first_game, obs), screen)]
    while len(rows) < count:
        for _ in range(APART):
            action = rng.integers(games.num_actions, size=1)
            games.send(action)
            obs = games.recv().obs
            if screens is not None:
                screens.send(action)
                screen = screens.recv().obs[0, -1]
        rows.append(picture_row(recipe, each(first_game, obs), screen))
    captions = [SCREEN] * (screens is not None) + columns(recipe, each(first_game, obs))
    games.close()
    if screens is not None:
        screens.close()
    return rows, captions


def first_game(part: np.ndarray) -> np.ndarray:
    return part[0]


def picture_row(recipe: Recipe, obs: Any, screen: np.ndarray | None) -> list[np.ndarray]:
    """The screen [H, W, 3], if there is one, then what `columns` names."""
    before, height = ([], 0) if screen is None else ([screen], screen.shape[0])
    parts = parts_of(obs)
    pictures = [picture for part in parts.values() if part.ndim >= 3 for picture in pictures_of(recipe, part)]
    return before + pictures + [numbers(part, height, name) for name, part in parts.items() if part.ndim < 3]


def pictures_of(recipe: Recipe, part: np.ndarray) -> list[np.ndarray]:
    """Those of a stack, and what the network makes of them."""
    pictures = [coloured(frame) for frame in frames_of(recipe, part)]
    if isinstance(recipe.network[0], FrameDifference):  # grey for no change; most are faint, so they are stretched
        change = part[1].astype(float) - part[0]
        shown = np.ceil(127 * np.abs(change) / max(1.0, np.abs(change).max()))  # even the faintest
        pictures.append(coloured((127 + shown * np.sign(change)).astype(np.uint8)))
    return pictures


def planes_of(recipe: Recipe) -> int:
    """How many numbers of a pixel are one picture."""
    return 3 if getattr(recipe.env, "colour", False) else 1


def frames_of(recipe: Recipe, obs: np.ndarray) -> list[np.ndarray]:
    """The pictures of an observation, grey or in colours; those that the environment stacks itself lie in its last axis."""
    if obs.ndim == 3:
        return list(obs)
    planes = planes_of(recipe)
    return [
        frame[..., start : start + planes].squeeze() for frame in obs for start in range(0, frame.shape[-1], planes)
    ]


def columns(recipe: Recipe, obs: Any) -> list[str]:
    """What stands above the pictures of a row, but for the screen: pictures first, then the other parts by their names."""
    parts = parts_of(obs)
    pictures = [name for part in parts.values() if part.ndim >= 3 for name in names_of(recipe, part)]
    return pictures + [name or GETS for name, part in parts.items() if part.ndim < 3]


def names_of(recipe: Recipe, part: np.ndarray) -> list[str]:
    """What a part's pictures are called: when they were seen, and which of several they are."""
    stack = len(part)
    inside = len(frames_of(recipe, part)) // stack
    times = [f"t-{back}" if back else "t (newest)" for back in range(stack - 1, -1, -1)] if stack > 1 else [""]
    if inside == 1:
        kinds = [""]
    elif inside == 3 and not hasattr(recipe.env, "colour"):  # these games are always in colours
        kinds = ["red", "green", "blue"]
    else:  # of a stack of the environment's own
        kinds = [f"picture {place + 1}" for place in range(inside)]
    named = [", ".join(filter(None, (kind, time))) or GETS for time in times for kind in kinds]
    return named + ["difference (contrast stretched)"] * isinstance(recipe.network[0], FrameDifference)


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
