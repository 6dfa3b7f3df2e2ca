"""What the agent sees and its values, of a run's now.json, as a browser draws it."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from triptych.report.dashboard.files import changed
from triptych.report.dashboard.status import Status, part
from triptych.runs.now import NOW, array_of, read_now

MOST_NUMBERS = 64  # of a vector
MOST_PICTURES = 16
MOST_LETTERS = 60  # of an action's name


def seen(run: Status) -> dict[str, Any] | None:
    """The newest snapshot; None: the run has left none.

    Returns:
        `pictures` with `name`, `width`, `height`, `channels` and `data` (uint8, base64), the oldest first; `numbers` with `name`
        and `values`; the agent's `values` of its `actions`, a critic's `value`, and when it was `written`.

    Raises:
        InputError: it cannot be read.
    """
    now = read_now(run.path)
    if now is None:
        return None
    env = part(run.recipe, "env")
    pictures: list[dict[str, Any]] = []
    numbers: list[dict[str, Any]] = []
    for name, one in now["obs"].items():
        array = array_of(one, NOW)
        if array.ndim < 3:
            numbers.append({"name": name, "values": [finite(value) for value in array.ravel()[:MOST_NUMBERS].tolist()]})
        else:
            pictures += [told(name, frame) for frame in frames_of(array, bool(env.get("colour")))]
    return {
        "steps": now["steps"],
        "updates": now["updates"],
        "episode": now["episode"],
        "length": now["length"],
        "reward": now["reward"],
        "broken_steps": now.get("broken_steps", 0),
        "written": changed(run.path / NOW),
        "values": now["values"],
        "value": now["value"],
        "is_policy": now["is_policy"],
        "actions": [name[:MOST_LETTERS] for name in now["actions"]],
        "pictures": pictures[-MOST_PICTURES:],
        "numbers": numbers,
    }


def finite(value: float) -> float | None:
    return float(f"{value:.5g}") if np.isfinite(value) else None


def frames_of(obs: np.ndarray, colour: bool) -> list[np.ndarray]:
    """The pictures of a stack [S, H, W] or [S, H, W, C], as uint8, with three channels where they are coloured."""
    if obs.dtype != np.uint8:
        spread = np.nan_to_num(obs.astype(np.float64))
        low, high = spread.min(), spread.max()
        obs = (255 * (spread - low) / max(high - low, 1e-9)).astype(np.uint8)
    if obs.ndim == 3:
        return list(obs)
    planes = 3 if colour and obs.shape[-1] % 3 == 0 else 1
    return [
        frame[..., start : start + planes]
        for frame in obs.reshape(-1, *obs.shape[-3:])
        for start in range(0, frame.shape[-1], planes)
    ]


def told(name: str, frame: np.ndarray) -> dict[str, Any]:
    height, width = frame.shape[:2]
    channels = frame.shape[2] if frame.ndim == 3 else 1
    data = base64.b64encode(np.ascontiguousarray(frame).tobytes()).decode("ascii")
    return {"name": name, "width": width, "height": height, "channels": channels, "data": data}
