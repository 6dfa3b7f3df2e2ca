"""What is saved of something that goes on: arrays, and JSON beside them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class State(NamedTuple):
    """The state of a training, or of a part of it. In a checkpoint the arrays lie in state.safetensors, the JSON in boundary.json."""

    arrays: dict[str, np.ndarray]
    json: dict[str, Any]

    def part(self, name: str) -> State:
        """That of the part which `with_part` put there; empty where there is none, as in checkpoints of an older version."""
        prefix = f"{name}/"
        arrays = {key.removeprefix(prefix): array for key, array in self.arrays.items() if key.startswith(prefix)}
        return State(arrays, self.json.get(name, {}))

    def with_part(self, name: str, part: State) -> State:
        """The same with a part's arrays under `name/` and its JSON under `name`."""
        arrays = self.arrays | {f"{name}/{key}": array for key, array in part.arrays.items()}
        return State(arrays, self.json | ({name: part.json} if part.json else {}))
