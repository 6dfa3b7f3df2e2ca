"""A replay's single frames on the device, in PyTorch."""

from __future__ import annotations

import numpy as np
import torch

from triptych import frameworks


def count_gpus() -> int:
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def find_device() -> torch.device:
    """Where the next learner is, as `frameworks.set_device` was told."""
    gpu = frameworks.gpu_of(count_gpus())
    return torch.device("cpu") if gpu is None else torch.device("cuda", gpu)


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
