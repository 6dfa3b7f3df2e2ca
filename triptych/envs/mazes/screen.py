"""A maze as a person is shown it: the whole of it from above, beside what its agent sees."""

from __future__ import annotations

import numpy as np

# Red, green and blue of a tile: what cannot be seen, floor, wall, goals red and teal, indicators green and blue.
PALETTE = np.array(
    [[0, 0, 0], [230, 230, 230], [110, 110, 110], [255, 0, 0], [0, 200, 200], [0, 255, 0], [0, 0, 255]], np.uint8
)
AGENT = np.array([255, 220, 0], np.uint8)
PIXELS = 360  # height of a screen, roughly
DIM = 0.45  # brightness of what the agent does not see
GAP = 12  # pixels between the two pictures


class Canvas:
    """Where the two pictures lie.

    Args:
        extent: tiles a side of the maze.
        image_shape: rows, columns, colours of what the agent sees.
    """

    def __init__(self, extent: int, image_shape: tuple[int, int, int]):
        self.extent, self.zoom = extent, max(2, PIXELS // extent)
        self.height = extent * self.zoom
        self.image_zoom = max(1, self.height // image_shape[0])
        self.width = self.height + GAP + image_shape[1] * self.image_zoom
        self.shape = (max(self.height, image_shape[0] * self.image_zoom), self.width, 3)

    def plan(self, tiles: np.ndarray, position: np.ndarray, heading: np.ndarray, lit: np.ndarray) -> np.ndarray:
        """The maze from above.

        Args:
            tiles: [extent, extent].
            position: (x, y) of the agent, in tiles.
            heading: (dx, dy) where it looks, of length 1.
            lit: [extent, extent] bool, what it sees.
        """
        picture = PALETTE[tiles] * np.where(lit, 1.0, DIM)[..., None]
        picture = picture.repeat(self.zoom, axis=0).repeat(self.zoom, axis=1).astype(np.uint8)
        rows, columns = (np.indices(picture.shape[:2]) + 0.5) / self.zoom
        ahead = (columns - position[0]) * heading[0] + (rows - position[1]) * heading[1]
        aside = (columns - position[0]) * heading[1] - (rows - position[1]) * heading[0]
        # A triangle whose tip points where the agent looks.
        inside = (ahead > -0.35) & (np.abs(aside) < 0.25 * (0.45 - ahead) / 0.8)
        picture[inside] = AGENT
        return picture

    def beside(self, plan: np.ndarray, image: np.ndarray) -> np.ndarray:
        """Both pictures on one screen."""
        screen = np.full(self.shape, 30, np.uint8)
        large = image.repeat(self.image_zoom, axis=0).repeat(self.image_zoom, axis=1)
        screen[: self.height, : self.height] = plan
        screen[: len(large), self.height + GAP :] = large
        return screen
