"""A replay's single frames on the device, in PyTorch."""

from __future__ import annotations

import numpy as np
import torch


def find_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Frames:
    """See `triptych.frameworks.Frames`."""

    def __init__(self, count: int, shape: tuple[int, ...]):
        self.place = find_device()
        self.array = torch.zeros((count, *shape), dtype=torch.uint8, device=self.place)

    def put(self, start, frames):
        self.array[start : start + len(frames)] = torch.from_numpy(np.ascontiguousarray(frames)).to(self.place)

    def get(self, places, blank):
        found = self.array[self.index(places)]
        blank = torch.from_numpy(blank).to(self.place)
        return found.masked_fill_(blank.reshape(*blank.shape, *[1] * (found.ndim - blank.ndim)), 0)

    def numpy(self, places):
        return self.array[self.index(places)].cpu().numpy()

    def index(self, places):
        return torch.from_numpy(places).to(self.place)
