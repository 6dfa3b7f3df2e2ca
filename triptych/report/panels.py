"""Pictures of games side by side, each under a line with its name and its score: the pictures of a film."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from triptych.utils.checks import InputError
from triptych.utils.install import install_hint

GAP, HEAD, TEXT = 12, 46, 24  # pixels: between panels, the line above each, the height of its letters
SMALLEST, WIDEST = 320, 400  # pixels: smaller pictures are enlarged by whole numbers, wider ones made smaller
BACKGROUND, INK, FADED = (250, 250, 248), (24, 24, 27), 0.55  # FADED: how far a game that is over fades


@dataclass(frozen=True)
class Panel:
    """One game as it stands."""

    title: str
    colour: str  # of the bar beside the title, "#d9560b"
    picture: np.ndarray  # [H, W, 3] bytes
    note: str  # the score
    over: bool  # the game has ended: its last picture stays, faded


def check_pillow() -> None:
    """Refuses what could not be drawn.

    Raises:
        InputError: Pillow is not installed.
    """
    try:
        from PIL import ImageDraw, ImageFont  # noqa: F401
    except ModuleNotFoundError:
        raise InputError(f"labelled videos need Pillow, which is not installed: {install_hint('pixels')}") from None


def sheet(rows: list[list[Panel]]) -> np.ndarray:
    """Draws panels in rows and returns one picture [H, W, 3], as large as any other of the same games; sides are even."""
    from PIL import Image

    drawn = [[draw(panel) for panel in row] for row in rows]
    height = GAP + sum(max(panel.height for panel in row) + GAP for row in drawn)
    width = GAP + max(sum(panel.width + GAP for panel in row) for row in drawn)
    whole = Image.new("RGB", (width + width % 2, height + height % 2), BACKGROUND)
    top = GAP
    for row in drawn:
        left = GAP
        for panel in row:
            whole.paste(panel, (left, top))
            left += panel.width + GAP
        top += max(panel.height for panel in row) + GAP
    return np.asarray(whole)


def draw(panel: Panel) -> Any:
    """One panel as a Pillow picture: a coloured bar and the title on the left, the note on the right, the game below."""
    from PIL import Image, ImageDraw

    game = sized(panel.picture)
    if panel.over:
        game = Image.blend(game, Image.new("RGB", game.size, BACKGROUND), FADED)
    whole = Image.new("RGB", (game.width, HEAD + game.height), BACKGROUND)
    whole.paste(game, (0, HEAD))
    pen = ImageDraw.Draw(whole)
    pen.rectangle((0, 6, 7, HEAD - 8), fill=panel.colour)
    middle = HEAD / 2 - 1
    note = pen.textlength(panel.note, font=font(TEXT))
    room = game.width - 16 - note - GAP
    pen.text((16, middle), fitting(panel.title, room, pen), fill=INK, font=font(TEXT), anchor="lm")
    pen.text((game.width, middle), panel.note, fill=INK, font=font(TEXT), anchor="rm")
    pen.rectangle((0, HEAD, game.width - 1, whole.height - 1), outline="#c9c9c4")
    return whole


def sized(picture: np.ndarray) -> Any:
    """A game's picture in a size that people can read."""
    from PIL import Image

    found = Image.fromarray(picture)
    if found.width > WIDEST:
        return found.resize((WIDEST, round(found.height * WIDEST / found.width)), Image.Resampling.BILINEAR)
    times = -(-SMALLEST // found.width)
    return found.resize((found.width * times, found.height * times), Image.Resampling.NEAREST)


def fitting(text: str, room: float, pen: Any) -> str:
    """As much of a text as there is room for."""
    if pen.textlength(text, font=font(TEXT)) <= room:
        return text
    while text and pen.textlength(f"{text}…", font=font(TEXT)) > room:
        text = text[:-1]
    return f"{text}…"


@cache
def font(size: int) -> Any:
    """The font that Pillow carries: the same on every machine."""
    from PIL import ImageFont

    return ImageFont.load_default(size)
