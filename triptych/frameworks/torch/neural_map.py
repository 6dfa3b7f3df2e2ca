"""The memory kind `neural_map`: see `triptych.spec.neural_map`. A map is [B, H, W, C], rows y and columns x."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from triptych.frameworks.torch.layers import Parameters, builder
from triptych.spec import NeuralMap


def cells_of(position: Tensor, size: int) -> Tensor:
    """Columns and rows [T, B, 2] of positions from 0 to 1. Comparisons are exact; a product would be rounded at the edges."""
    edges = torch.tensor([index / size for index in range(1, size)], dtype=torch.float32, device=position.device)
    return (position[..., None] >= edges.to(position.dtype)).sum(dim=-1)


def place_of(cells: Tensor, size: int) -> Tensor:
    """[B, H, W], true at the places [B, 2]."""
    numbers = torch.arange(size, device=cells.device)
    column, row = (cells[:, axis, None] == numbers for axis in (0, 1))
    return row[:, :, None] & column[:, None, :]


def shifted(grid: Tensor, moved: Tensor) -> Tensor:
    """The map moved against the agent, which has moved by so many columns and rows [B, 2]; zeros where nothing was."""
    numbers = torch.arange(grid.shape[1], device=grid.device)
    away = numbers - numbers[:, None]  # [to, from]
    columns, rows = ((away == moved[:, axis, None, None]).to(grid.dtype) for axis in (0, 1))
    return torch.einsum("byh,bhxc->byxc", rows, torch.einsum("bxw,bhwc->bhxc", columns, grid))


def cleared(grid: Tensor, starts: Tensor) -> Tensor:
    """The map, or what lies beside it, zeroed where an episode starts [B]."""
    return grid.masked_fill(starts.reshape(-1, *[1] * (grid.ndim - 1)), 0)


class MapMemory(Parameters):
    """A map that is read as a whole and written where the agent is. State: the map, and egocentric the place before."""

    def forward(self, x: Tensor, state: Tensor, reset: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        size, channels = self.spec.size, self.spec.channels
        numbers = size * size * channels
        grid, before = state[:, :numbers].unflatten(1, (size, size, channels)), state[:, numbers:]
        outputs = []
        # Unbound at once: the gradient of each x[t] would be as large as that of x.
        for now, starts, cell in zip(x.unbind(), reset.unbind(), cells_of(position, size).unbind(), strict=True):
            grid, before = cleared(grid, starts), cleared(before, starts)
            if self.spec.egocentric:
                place = cell.to(before.dtype)
                grid = shifted(grid, (place - before[:, :2]) * before[:, 2:])
                before = torch.cat([place, torch.ones_like(before[:, 2:])], dim=1)
                cell = torch.full_like(cell, size // 2)
            y, grid = self.step(now, grid, place_of(cell, size))
            outputs.append(y)
        return torch.stack(outputs), torch.cat([grid.flatten(1), before], dim=1)

    def step(self, x: Tensor, grid: Tensor, here: Tensor) -> tuple[Tensor, Tensor]:
        read = self.read(grid)
        known = torch.cat([x, read], dim=1)
        context = [self.ask(known, grid)] if self.spec.context else []
        old = torch.einsum("bhw,bhwc->bc", here.to(grid.dtype), grid)
        new = self.write(torch.cat([known, *context], dim=1), old)
        grid = torch.where(here[..., None], new[:, None, None], grid)
        return torch.cat([read, *context, new, *[x] * self.spec.skip], dim=1), grid

    def read(self, grid: Tensor) -> Tensor:
        x = grid.permute(0, 3, 1, 2)
        for index in (1, 2, 3):
            kernel, bias = getattr(self, f"read_{index}_kernel"), getattr(self, f"read_{index}_bias")
            x = torch.relu(F.conv2d(x, kernel, bias, stride=2, padding=1))
        return self.dense("read", x.permute(0, 2, 3, 1).flatten(1))

    def ask(self, known: Tensor, grid: Tensor) -> Tensor:
        """The context: all places, weighed by how well they answer."""
        places = grid.flatten(1, 2)
        scores = torch.einsum("bc,bpc->bp", self.dense("query", known), places)
        return torch.einsum("bp,bpc->bc", torch.softmax(scores, dim=1), places)

    def write(self, known: Tensor, old: Tensor) -> Tensor:
        if not self.spec.gated:
            hidden = torch.relu(self.dense("hidden", torch.cat([known, old], dim=1)))
            return torch.tanh(self.dense("write", hidden))
        size = self.spec.channels
        gates = self.dense("write", known)
        recurrent: Any = self.write_recurrent_kernel
        g, z = torch.sigmoid(gates[:, : 2 * size] + F.linear(old, recurrent[: 2 * size])).chunk(2, dim=1)
        new = torch.tanh(gates[:, 2 * size :] + F.linear(g * old, recurrent[2 * size :]))
        return (1 - z) * old + z * new


MODULES = {NeuralMap: MapMemory}
MAPS: dict[type, Any] = {spec: builder(module) for spec, module in MODULES.items()}
