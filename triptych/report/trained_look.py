"""What a trained agent sees while it plays: its observations, its bars, and what its choice hangs on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from triptych.envs.bars import Decision, draw_bars, height_for
from triptych.envs.panels import BESIDE
from triptych.envs.panels import score as in_words
from triptych.recipes import Recipe
from triptych.report.look import SCREEN, Row, coloured, columns, enlarge, frames_of, numbers, picture_row
from triptych.spec import Observation, parts_of

HEAT, FULL = (
    np.array([255.0, 64.0, 0.0]),
    99.5,
)  # the colour of what matters; the percentile of it that is fully coloured
DIM = 0.55  # of the picture beneath


@dataclass(frozen=True)
class Moment:
    """One step of a game, as its agent sees it."""

    screen: np.ndarray  # [H, W, 3], as a person sees it
    obs: Any  # of one game, as the network gets it; of several parts a dict of them
    decision: Decision
    step: int
    score: float  # so far
    slopes: np.ndarray | None = None  # [*part] of the observation's main part, see `training.saliency`
    strength: np.ndarray | None = None  # [H, W] of a neural map's places, see `training.map_sight`
    looks: np.ndarray | None = None  # [H, W] how much the agent looks at each of them
    place: tuple[int, int] | None = None  # column and row of the agent on the map


def draw_moment(
    recipe: Recipe, observation: Observation, moment: Moment, names: Sequence[str], full: float, colour: str
) -> tuple[Row, list[str]]:
    """A row of pictures: the screen, what the agent gets, what its choice hangs on, its bars; and the captions of its columns.

    Args:
        names: of the actions.
        full: the spread of Q values that fills a bar.
        colour: of the agent.
    """
    pictures = [enlarge(picture) for picture in picture_row(recipe, moment.obs, moment.screen)]
    captions = [SCREEN, *columns(recipe, moment.obs)]
    if moment.slopes is not None:
        pictures.append(slopes_of(recipe, observation, moment, pictures[0].shape[0]))
        captions.append("what the action hangs on")
    if moment.strength is not None:
        pictures.append(map_picture(moment.strength, moment.place, pictures[0].shape[0]))
        captions.append("its map")
    if moment.looks is not None:
        pictures.append(map_picture(moment.looks, moment.place, pictures[0].shape[0]))
        captions.append("where it looks on it")
    height = max(height_for(len(names), BESIDE), *(picture.shape[0] for picture in pictures))
    pictures.append(draw_bars(moment.decision, names, full, (BESIDE, height), colour))
    captions.append("")
    return Row(pictures, f"step {moment.step:,}, score {in_words(moment.score)}"), captions


def map_picture(values: np.ndarray, place: tuple[int, int] | None, height: int) -> np.ndarray:
    """Numbers by row and column as light, the largest one white, about as high as the screen; the agent's place is framed."""
    most = float(values.max())
    light = np.clip(values / most, 0, 1) if most > 0 else np.zeros_like(values)
    side = max(4, height // len(values))
    picture = np.round(255 * light).astype(np.uint8).repeat(side, axis=0).repeat(side, axis=1)
    picture = np.repeat(picture[..., None], 3, axis=2)
    if place is not None:
        column, row = place
        box = picture[row * side : (row + 1) * side, column * side : (column + 1) * side]
        inside = box[1:-1, 1:-1].copy()
        box[:] = HEAT.astype(np.uint8)
        box[1:-1, 1:-1] = inside
    return picture


def slopes_of(recipe: Recipe, observation: Observation, moment: Moment, height: int) -> np.ndarray:
    """The gradient over the newest picture, or of a vector behind each of its numbers."""
    assert moment.slopes is not None
    part = parts_of(moment.obs)[observation.main_name]
    if not observation.is_picture:
        return numbers(part, height, observation.main_name, moment.slopes)
    newest = coloured(frames_of(recipe, part)[-1])
    return enlarge(overlaid(newest, heat_of(moment.slopes, newest.shape[:2])))


def heat_of(slopes: np.ndarray, sides: tuple[int, ...]) -> np.ndarray:
    """How much each pixel matters [H, W], 0 to 1: the largest size of its gradients, over the stack and the colours.

    Args:
        slopes: [stack, H, W] or [stack, H, W, C].
        sides: H and W.
    """
    size = np.abs(slopes)
    size = size.max(axis=tuple(axis for axis in range(size.ndim) if axis not in (1, 2)))
    assert size.shape == sides
    full = float(np.percentile(size, FULL)) or float(size.max())
    return np.clip(size / full, 0, 1) if full > 0 else np.zeros(sides)


def overlaid(picture: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """A picture [H, W, 3], dimmed, under what matters in it."""
    share = heat[..., None]
    return np.round((1 - share) * DIM * picture + share * HEAT).astype(np.uint8)
