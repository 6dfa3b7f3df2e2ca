"""Pictures of games side by side, each with its name, its score, its step and its agent's bars: the pictures of a video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from triptych.envs.bars import GROUND, INK, PALE, Decision, draw_bars, fitting, font, height_for
from triptych.utils.checks import InputError
from triptych.utils.install import install_hint

GAP, HEAD = 12, 68  # pixels: between panels, the two lines above each
TITLE, NOTE = 22, 18  # the height of their letters
BESIDE = 240  # pixels: bars beside a picture
SMALLEST, WIDEST = 320, 400  # pixels: smaller pictures are enlarged by whole numbers, wider ones made smaller
FADED = 0.55  # how far a game that is over fades


@dataclass(frozen=True)
class Panel:
    """One game as it stands."""

    title: str
    colour: str  # of the bar beside the title, "#d9560b"
    picture: np.ndarray  # [H, W, 3] bytes
    score: float
    step: int
    over: bool = False  # the game has ended: its last picture stays, faded
    decision: Decision | None = None  # at this picture
    names: Sequence[str] = ()  # of the actions; none: there are no bars
    full: float = 0.0  # the spread of Q values that fills a bar


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
    """Draws panels in rows and returns one picture [H, W, 3], as large as any other of the same games; sides are even.

    The bars of a panel that is alone stand beside its picture, those of several below their pictures.
    """
    from PIL import Image

    beside = sum(map(len, rows)) == 1
    drawn = [[draw(panel, beside) for panel in row] for row in rows]
    height = GAP + sum(max(panel.height for panel in row) + GAP for row in drawn)
    width = GAP + max(sum(panel.width + GAP for panel in row) for row in drawn)
    whole = Image.new("RGB", (width + width % 2, height + height % 2), GROUND)
    top = GAP
    for row in drawn:
        left = GAP
        for panel in row:
            whole.paste(panel, (left, top))
            left += panel.width + GAP
        top += max(panel.height for panel in row) + GAP
    return np.asarray(whole)


def draw(panel: Panel, beside: bool) -> Any:
    """One panel as a Pillow picture: a coloured bar and the title, score and step under it, then the game and its bars."""
    from PIL import Image, ImageDraw

    game = sized(panel.picture)
    shown = place_bars(panel, game, beside) if panel.names else game
    if panel.over:
        shown = Image.blend(shown, Image.new("RGB", shown.size, GROUND), FADED)
    whole = Image.new("RGB", (shown.width, HEAD + shown.height), GROUND)
    whole.paste(shown, (0, HEAD))
    pen = ImageDraw.Draw(whole)
    pen.rectangle((0, 4, 7, HEAD - 10), fill=panel.colour)
    room = shown.width - 16
    pen.text((16, 18), fitting(panel.title, room, pen, font(TITLE)), fill=INK, font=font(TITLE), anchor="lm")
    pen.text((16, 46), f"score {score(panel.score)}", fill=INK, font=font(NOTE), anchor="lm")
    ended = "end at " if panel.over else ""
    pen.text((shown.width, 46), f"{ended}step {panel.step:,}", fill=PALE, font=font(NOTE), anchor="rm")
    pen.rectangle((0, HEAD, game.width - 1, HEAD + game.height - 1), outline="#c9c9c4")
    return whole


def place_bars(panel: Panel, game: Any, beside: bool) -> Any:
    """The game with its agent's bars beside or below it."""
    from PIL import Image

    def bars(size: tuple[int, int]) -> Any:
        return Image.fromarray(draw_bars(panel.decision, panel.names, panel.full, size, panel.colour))

    if beside:
        height = max(game.height, height_for(len(panel.names), BESIDE))
        whole = Image.new("RGB", (game.width + GAP + BESIDE, height), GROUND)
        whole.paste(bars((BESIDE, height)), (game.width + GAP, 0))
    else:
        height = height_for(len(panel.names), game.width)
        whole = Image.new("RGB", (game.width, game.height + GAP // 2 + height), GROUND)
        whole.paste(bars((game.width, height)), (0, game.height + GAP // 2))
    whole.paste(game, (0, 0))
    return whole


def score(reward: float) -> str:
    """A score as people write it."""
    return f"{reward:,.4g}" if abs(reward) < 1000 else f"{reward:,.0f}"


def sized(picture: np.ndarray) -> Any:
    """A game's picture in a size that people can read."""
    from PIL import Image

    found = Image.fromarray(picture)
    if found.width > WIDEST:
        return found.resize((WIDEST, round(found.height * WIDEST / found.width)), Image.Resampling.BILINEAR)
    times = -(-SMALLEST // found.width)
    return found.resize((found.width * times, found.height * times), Image.Resampling.NEAREST)
