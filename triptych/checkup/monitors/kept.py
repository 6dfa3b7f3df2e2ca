"""Whether what the run keeps is what it says: the best weights, and what a resume takes up."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from triptych.buffers.compression import frames_of
from triptych.buffers.pictures import renamed
from triptych.buffers.store import Store
from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Sampled
from triptych.runs.checkpoints import KINDS, newest_manifest
from triptych.training.base import Tick
from triptych.training.callbacks.base import Run
from triptych.utils.checks import InputError
from triptych.utils.files import read_tensors

BEST = Signal(
    "best-weights-wrong",
    "stop",
    "the best weights that are kept are not those of the network",
    (
        "the target's weights are kept, or those of another moment",
        "a file that is written too late or too early, or not at all",
    ),
    "where the best weights are kept; best_window",
)
RESUMED = Signal(
    "resume-differs",
    "stop",
    "the run goes on with something else than its checkpoint holds",
    (
        "an optimiser, a target network or a generator that is made anew",
        "a counter that begins at 0 again",
        "rows of the replay that are put back at another place, or not at all",
    ),
    "what takes a checkpoint up",
)
PICTURES = 64  # rows of a segment whose observations are compared, of the newest ones and of others


class BestWeights(Sampled):
    """The mean of the last episodes, worked out again: where it is the highest so far, the file must hold the weights of now."""

    def __init__(self) -> None:
        self.recent: deque[float] = deque()
        self.score: float | None = None
        self.count = 0
        self.wrong: tuple[int, str] | None = None

    def begin(self, run: Run) -> None:
        self.recent = deque(self.recent, maxlen=run.recipe.best_window)

    def step(self, run: Run, tick: Tick) -> None:
        own = [episode.reward for episode in tick.episodes if not episode.taught]
        if not own or not run.counters.updates:
            return
        self.recent.extend(own)
        if len(self.recent) < run.recipe.best_window:
            return
        mean = float(np.mean(self.recent))
        if self.score is None or mean >= self.score:
            self.score = mean
            self.count += 1
            if self.count & (self.count - 1) == 0 and self.wrong is None:  # the 1st, 2nd, 4th, ...: it reads a file
                self.compare(run)

    def compare(self, run: Run) -> None:
        path, weights = run.path / "checkpoints" / "best.safetensors", run.weights()
        if not path.exists():
            self.wrong = run.counters.steps, "there is no file, though an episode ended with the highest mean so far"
            return
        kept, _ = read_tensors(path)
        if kept.keys() != weights.keys() or not all(np.array_equal(kept[name], weights[name]) for name in weights):
            self.wrong = (
                run.counters.steps,
                "the file holds other weights than the network, where the highest mean so far came",
            )

    def forget_scores(self) -> None:
        self.recent.clear()

    def judge(self, run: Run) -> Iterator[Finding]:
        if self.wrong is not None:
            yield Finding(BEST, self.wrong[1], "the network's own", self.wrong[0])

    def get_state(self) -> dict[str, Any]:
        return {"recent": list(self.recent), "score": self.score, "count": self.count}

    def set_state(self, state: dict[str, Any]) -> None:
        self.recent.extend(state["recent"])
        self.score, self.count = state["score"], state["count"]


class Resumed(Sampled):
    """Weights, moments, generators and counters of a run that goes on, against the checkpoint's files."""

    def __init__(self) -> None:
        self.differs: list[str] = []
        self.at = 0

    def begin(self, run: Run) -> None:
        self.at = run.counters.steps
        manifest = newest_manifest(run.path) if self.at else None
        if manifest is not None and manifest["step"] == self.at:
            self.differs = list(differences(run, manifest))

    def judge(self, run: Run) -> Iterator[Finding]:
        if self.differs:
            more = f" and {len(self.differs) - 3} more" if len(self.differs) > 3 else ""
            yield Finding(RESUMED, f"another {', '.join(self.differs[:3])}{more}", "the checkpoint's own", self.at)


def differences(run: Run, manifest: dict[str, Any]) -> Iterator[str]:
    """What is not as it was saved: tensors of the learner, numbers of the run. Another network is another matter."""
    now, saved = run.training.state_of_run(), manifest["state"]
    kept = [path for kind in KINDS if (path := state_file(run.path, kind, manifest["step"])).exists()]
    try:
        arrays, _ = read_tensors(kept[0])
    except (InputError, IndexError):
        return
    arrays = {name: array for name, array in arrays.items() if name.startswith("learner/")}
    shapes = {name: array.shape for name, array in now.arrays.items()}
    if shapes == {name: array.shape for name, array in arrays.items()}:
        yield from (name for name in arrays if not np.array_equal(arrays[name], now.arrays[name], equal_nan=True))
    for name in ("counters", "rngs", "scores"):
        if now.json[name] != saved[name]:
            yield name
    yield from rows_that_differ(run, manifest.get("segments", []))


def rows_that_differ(run: Run, segments: list[dict[str, Any]]) -> Iterator[str]:
    """What of the replay's rows is not as in the checkpoint's newest file of them, or in its oldest.

    Not compared: states, which another network may have begun anew; and the mask, as a run that had ended before forgets that
    its last row did.
    """
    store, told = run.training.store, set[str]()
    if store is None:
        return
    for segment in segments[-1:] + segments[: len(segments) > 1]:
        try:
            saved, _ = read_tensors(run.path / "checkpoints" / "store" / segment["file"])
        except InputError:
            continue
        for name in differing(store, saved, segment["start"]):
            if name not in told:
                told.add(name)
                yield f"{name} in the replay"


def differing(store: Store, saved: dict[str, np.ndarray], start: int) -> Iterator[str]:
    """The numbers and observations of a store that are not those of a segment's rows, which begin at row `start`."""
    first, end = max(start, store.oldest), min(start + len(saved["mask"]), store.count)
    if first >= end:
        return
    rows = np.arange(first, end)
    for name in store.fields:
        own = getattr(store, name)[rows % store.rows]
        if name == "mask" or name not in saved or saved[name].dtype != own.dtype:
            continue
        kept = saved[name][rows - start]
        if kept.shape == own.shape and not np.array_equal(kept, own, equal_nan=kept.dtype.kind == "f"):
            yield name
    yield from observations_that_differ(store, saved, rows, start)


def observations_that_differ(store: Store, saved: dict[str, np.ndarray], rows: np.ndarray, start: int) -> Iterator[str]:
    """The same of what was observed; of many rows the newest ones, and others at even distances."""
    if len(rows) > 2 * PICTURES:
        rows = np.unique(np.append(rows[-PICTURES:], rows[:: len(rows) // PICTURES]))
    for name, ring in store.rings():
        part = store.observation.parts[name]
        held = renamed(saved, f"frame/{name}", "frame") if name else saved
        now = ring.take(rows % store.rows)
        told = (
            frames_of(one, at, part.frame_shape, part.dtype)
            for one, at in ((held, rows - start), (now, np.arange(len(rows))))
        )
        try:
            same = all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(*told, strict=True))
        except (KeyError, ValueError):  # rows of another form
            continue
        if not same:
            yield f"observation {name}".strip()


def state_file(run: Path, kind: str, step: int) -> Path:
    return run / "checkpoints" / f"{kind}-{step:09d}" / "state.safetensors"
