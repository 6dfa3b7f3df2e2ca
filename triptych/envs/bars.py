"""What an agent thinks of its actions, as bars: Q values above the lowest of them, or an actor's probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

GAP, STRIP = 8, 4  # pixels: between columns and beside text, of the mark at the action that was taken
HEAD, ROW, TALLEST = 24, 26, 34  # pixels: the line that says what the bars are, a row, the tallest row
TALL = 7  # rows of a column, where bars may stand in several
GROUND, INK, PALE = (250, 250, 248), (24, 24, 27), (92, 92, 98)
TRACK, OTHER = (238, 238, 234), (202, 202, 196)  # behind a bar; a bar of an action that was not taken
TINT = 0.55  # how much of the agent's own colour is in the bar of the action that was taken


@dataclass(frozen=True)
class Decision:
    """What an agent thought of the actions at one observation, and which it took."""

    numbers: Sequence[float]  # [A] Q values, or probabilities
    action: int
    is_policy: bool  # they are probabilities
    value: float | None = None  # what a critic expects from here on


def spread(decision: Decision | None) -> float:
    """How far a decision's numbers lie apart: what a full bar of Q values stands for is the largest spread of a game."""
    found = 0.0 if decision is None else float(np.max(decision.numbers) - np.min(decision.numbers))
    return found if np.isfinite(found) else 0.0


def shares(decision: Decision, full: float) -> np.ndarray:
    """How much of its track each bar fills [A], 0 to 1: a probability, or a Q value above the lowest as a share of `full`."""
    numbers = np.nan_to_num(np.asarray(decision.numbers, np.float64), posinf=0.0, neginf=0.0)
    if decision.is_policy:
        return np.clip(numbers, 0, 1)
    return np.clip((numbers - numbers.min()) / full, 0, 1) if full > 0 else np.zeros_like(numbers)


def heading(decision: Decision) -> str:
    """What the numbers are, in words."""
    if not decision.is_policy:
        return "Q values, bars from the lowest"
    return "probabilities" if decision.value is None else f"probabilities, value {number(decision.value)}"


def number(value: float, apart: float = 1.0) -> str:
    """A number with as many decimals as numbers that are so far apart need to be told from each other."""
    decimals = 2 if apart <= 0 else min(4, max(0, 2 - math.floor(math.log10(apart))))
    return f"{value:,.{decimals}f}"


def written(decision: Decision, full: float) -> list[str]:
    """What stands at each row's end."""
    if decision.is_policy:
        return [f"{100 * value:.0f} %" for value in decision.numbers]
    return [number(value, full) for value in decision.numbers]


def height_for(actions: int, width: int) -> int:
    """Pixels that `draw_bars` wants for so many actions, in as many columns as are readable."""
    return HEAD + ROW * -(-actions // columns_for(actions, width))


def columns_for(actions: int, width: int) -> int:
    return max(1, min(-(-actions // TALL), width // 150))


def draw_bars(
    decision: Decision | None, names: Sequence[str], full: float, size: tuple[int, int], colour: str
) -> np.ndarray:
    """Bars as a picture [H, W, 3], a row an action: its name, its number, a bar behind them. The action taken is coloured.

    Args:
        decision: None: nothing was decided, and the tracks are empty.
        names: of the actions.
        full: the spread of Q values that a full bar stands for.
        size: width and height, pixels.
        colour: of the agent, "#d9560b".
    """
    from PIL import Image, ImageDraw

    width, height = size
    whole = Image.new("RGB", size, GROUND)
    pen = ImageDraw.Draw(whole)
    columns = columns_for(len(names), width)
    rows = -(-len(names) // columns)
    tall = max(2, min(TALLEST, (height - HEAD) // rows))
    letters = font(max(9, min(16, tall - 7)))
    if decision is not None:
        pen.text((0, HEAD / 2 - 1), heading(decision), fill=PALE, font=font(15), anchor="lm")
    filled = [0.0] * len(names) if decision is None else shares(decision, full)
    ends = [""] * len(names) if decision is None else written(decision, full)
    across = (width - GAP * (columns - 1)) // columns
    for place, (name, share, end) in enumerate(zip(names, filled, ends, strict=True)):
        left, top = (place // rows) * (across + GAP), HEAD + (place % rows) * tall
        box = (left, top, left + across - 1, top + tall - 4)
        draw_row(pen, box, (name, end), float(share), letters, None if decision is None or decision.action != place else colour)  # fmt: skip
    return np.asarray(whole)


def draw_row(
    pen: Any, box: tuple[int, int, int, int], texts: tuple[str, str], share: float, letters: Any, colour: str | None
) -> None:
    """One bar in its box (left, top, right, bottom), the name at its left end and the number at its right."""
    left, top, right, bottom = box
    pen.rectangle(box, fill=TRACK)
    start = left + STRIP
    length = round(share * (right - start + 1))
    if length:
        pen.rectangle((start, top, start + length - 1, bottom), fill=OTHER if colour is None else tinted(colour))
    if colour is not None:
        pen.rectangle((left, top, left + STRIP - 1, bottom), fill=colour)
    middle = (top + bottom) / 2
    room = right - start - 2 * GAP - pen.textlength(texts[1], font=letters)
    pen.text((start + GAP - 2, middle), fitting(texts[0], room, pen, letters), fill=INK, font=letters, anchor="lm")
    pen.text((right - GAP + 3, middle), texts[1], fill=INK, font=letters, anchor="rm")


@cache
def tinted(colour: str) -> tuple[int, ...]:
    """A colour made light enough for dark letters."""
    parts = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return tuple(round(TINT * part + (1 - TINT) * ground) for part, ground in zip(parts, GROUND, strict=True))


def fitting(text: str, room: float, pen: Any, letters: Any) -> str:
    """As much of a text as there is room for."""
    if pen.textlength(text, font=letters) <= room:
        return text
    while text and pen.textlength(f"{text}…", font=letters) > room:
        text = text[:-1]
    return f"{text}…"


@cache
def font(size: int) -> Any:
    """The font that Pillow carries: the same on every machine."""
    from PIL import ImageFont

    return ImageFont.load_default(size)
