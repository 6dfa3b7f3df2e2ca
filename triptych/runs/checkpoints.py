"""Checkpoints: weights to play with, and all that a resume goes on from (`boundary-...`).

checkpoints/best.safetensors            weights at the highest mean of the last `best_window` episodes
checkpoints/latest.safetensors          weights at the last checkpoint, or where the run stopped
checkpoints/weights-000030000.safetensors   weights at each checkpoint
checkpoints/boundary-000030000/         everything else a resume needs; the last two are kept
checkpoints/snapshot-000034567/         the same, between two of them: where a run was stopped, or long without one; the last is kept
checkpoints/store/rows-...safetensors   segments of the stored stream; they never change
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from triptych.buffers.store import Store
from triptych.recipes import Recipe
from triptych.recipes.serialise import to_dict
from triptych.runs.folder import RunFolder
from triptych.runs.manifest import read_manifest
from triptych.runs.names import OutsideError, unwritable
from triptych.spec.weights import Weights, save_weights
from triptych.utils.checks import InputError
from triptych.utils.console import warn
from triptych.utils.files import (
    TEMPORARY,
    is_link,
    read_tensors,
    remove,
    sha256,
    sync_folder,
    write_json,
    write_tensors,
    write_whole,
)
from triptych.utils.state import State

KINDS = ("boundary", "snapshot")
KEPT = 2  # checkpoints kept: a damaged state costs an interval and not the run (segments they share)
SEGMENT_BYTES = 256 * 2**20  # at most so much memory while a segment is written


class Checkpoints:
    """The checkpoints of one run folder."""

    def __init__(self, run: RunFolder, recipe: Recipe, threads: int | None = None):
        self.run = run
        self.folder = run.path / "checkpoints"
        self.metadata = {"recipe": to_dict(recipe)}
        self.threads = threads
        self.segments: list[dict[str, Any]] = []
        self.read_as: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]] | None = None
        self.mark = ""  # in the names of segments
        try:
            (self.folder / "store").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(run.path, error) from None

    def belong_to(self, recipe: Recipe) -> None:
        """What is written from now on is of another recipe, as where a run is given more steps."""
        self.metadata = {"recipe": to_dict(recipe)}

    def save_weights(self, name: str, weights: Weights, steps: int, updates: int) -> None:
        """Writes weights to play with; the file names the recipe, and the steps and updates behind it."""
        metadata = self.metadata | {"steps": steps, "updates": updates}
        save_weights(self.folder / f"{name}.safetensors", weights, metadata)

    def save(
        self,
        step: int,
        state: State,
        store: Store | None,
        regular: bool = True,
        exact: bool = True,
        cuts: bool = False,
    ) -> None:
        """Writes a boundary: new segments, then a folder that appears whole, then drops what is no longer needed.

        Args:
            regular: False: between two regular ones.
            exact: whether a resume from it gives the numbers of a run that never stopped.
            cuts: whether a resume from it cuts games that this session has not cut.
        """
        if store is not None:
            self.save_segments(store)
        folder = self.folder / f"{'boundary' if regular else 'snapshot'}-{step:09d}"
        temporary = folder.with_name(folder.name + TEMPORARY)
        for old in (temporary, folder):
            remove(old)
        temporary.mkdir()
        write_tensors(temporary / "state.safetensors", state.arrays)
        best = self.folder / "best.safetensors"
        if best.exists():
            copy_whole(best, temporary / "best.safetensors")
        manifest = {
            "step": step,
            "exact": exact,
            "cuts": cuts,
            "recipe": self.metadata["recipe"],  # a resume is asked whether its config is still that of the checkpoint
            "threads": self.threads,
            "state": state.json,
            "segments": self.segments,
            "logs": self.run.log_sizes(),
            "files": {path.name: sha256(path) for path in sorted(temporary.iterdir())},
        }
        write_json(temporary / "boundary.json", manifest)
        digest = sha256(temporary / "boundary.json")
        write_whole(temporary / "boundary.sha256", lambda path: path.write_text(digest + "\n", encoding="ascii"))
        os.replace(temporary, folder)
        sync_folder(self.folder)
        self.prune()

    def save_segments(self, store: Store) -> None:
        """Writes the rows that no segment holds yet, and forgets segments that the ring has left behind."""
        if self.read_as is not None:  # those that there are hold something else
            self.segments, self.read_as = [], None
        start = max(self.segments[-1]["end"] if self.segments else 0, store.oldest)
        rows = max(1, int(SEGMENT_BYTES / store.row_bytes()))
        for begin in range(start, store.count, rows):
            end = min(begin + rows, store.count)
            path = self.folder / "store" / f"rows-{begin:010d}-{end:010d}{self.mark}.safetensors"
            write_tensors(path, store.take(begin, end))
            self.segments.append({"file": path.name, "start": begin, "end": end, "sha256": sha256(path)})
        self.segments = [segment for segment in self.segments if segment["end"] > store.oldest]

    def boundaries(self) -> list[Path]:
        """Boundary folders, those between the regular ones too, newest first."""
        found = [path for kind in KINDS for path in self.folder.glob(f"{kind}-*")]
        found = [path for path in found if step_of(path) is not None and not is_link(path)]
        return sorted(found, key=lambda path: (step_of(path) or 0, is_regular(path)), reverse=True)

    def kept(self) -> list[Path]:
        """The newest regular boundaries, and one that is newer than all of them."""
        found = self.boundaries()
        return ([] if not found or is_regular(found[0]) else found[:1]) + [p for p in found if is_regular(p)][:KEPT]

    def prune(self) -> None:
        """Keeps the newest boundaries and the segments they need; removes leftovers of interrupted saves."""
        kept = self.kept()
        dropped = [path for path in self.boundaries() if path not in kept]
        try:
            needed = {segment["file"] for path in kept for segment in read_manifest(path)["segments"]}
        except InputError:  # what a damaged one needs is not known: segments are left alone
            needed = {path.name for path in (self.folder / "store").iterdir()}
        for path in [*dropped, *(path for kind in KINDS for path in self.folder.glob(f"{kind}-*{TEMPORARY}"))]:
            remove(path)
        for path in (self.folder / "store").iterdir():
            if path.name not in needed:
                remove(path)

    def load(self, exact: bool = False) -> tuple[dict[str, Any], State]:
        """The newest boundary whose files are all as they were written: (manifest, state).

        Args:
            exact: one from which a resume gives the numbers of a run that never stopped.

        Raises:
            InputError: there is none, or one names files outside the run's folder.
        """
        for path in self.boundaries():
            try:
                manifest = self.verify(path)
                if exact and not manifest.get("exact", True):
                    continue
                arrays, _ = read_tensors(path / "state.safetensors")
            except OutsideError:  # no damage: somebody wrote it so
                raise
            except InputError as error:
                warn(f"{error}; trying the checkpoint before it")
                continue
            self.segments = list(manifest["segments"])
            return manifest, State(arrays, manifest["state"])
        if exact and self.boundaries():
            raise InputError(f"{self.folder} holds no checkpoint that gives the same numbers; allowed: without --exact")
        raise InputError(f"{self.folder} holds no whole checkpoint; allowed: a run folder as triptych left it")

    def verify(self, path: Path) -> dict[str, Any]:
        """Checks a boundary's files and segments against their SHA-256, and that the logs reach as far as it."""
        manifest = read_manifest(path)
        self.run.check_logs(manifest["logs"])
        files = [(path / name, digest) for name, digest in manifest["files"].items()]
        files += [(self.folder / "store" / segment["file"], segment["sha256"]) for segment in manifest["segments"]]
        for file, digest in files:
            if not file.is_file():
                raise InputError(f"{file} is missing")
            if sha256(file) != digest:
                raise InputError(f"{file} is damaged: its SHA-256 is not the one in boundary.json")
        return manifest

    def fill(self, store: Store | None) -> None:
        """Puts the segments' rows back into a store whose counters are restored."""
        if store is None:
            return
        for segment in self.segments:
            rows, _ = read_tensors(self.folder / "store" / segment["file"])
            store.put(segment["start"], rows if self.read_as is None else self.read_as(rows))

    def change_rows(self, read_as: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]], mark: str) -> None:
        """Segments are to be read as something else, and written anew at the next save, under names of their own: earlier
        checkpoints still need them as they are.

        Args:
            mark: in these names.
        """
        self.read_as, self.mark = read_as, f"-{mark}"

    def rewind(self, manifest: dict[str, Any], weights: Weights) -> None:
        """Makes logs and weights what they were at a boundary; `weights` are those that its learner has."""
        step, updates = manifest["step"], manifest["state"]["counters"]["updates"]
        self.save_weights("latest", weights, step, updates)
        self.run.cut_logs(manifest["logs"])
        for path in self.folder.glob("weights-*.safetensors"):
            if (step_of(path) or 0) > step:
                path.unlink()
        for path in (path for kind in KINDS for path in self.folder.glob(f"{kind}-*")):
            if is_link(path) or (step_of(path) or 0) > step:
                remove(path)
        newest = f"update-{updates:09d}"
        for path in (self.run.path / "videos").glob("update-?????????.mp4"):
            if path.stem > newest:
                path.unlink()
        self.take_back_best(step)
        self.run.remove_temporaries()
        self.prune()

    def take_back_best(self, step: int) -> None:
        """Puts the best weights of a boundary in the place of those that came after it."""
        best = self.folder / "best.safetensors"
        folder = next(path for path in self.boundaries() if step_of(path) == step)
        if (folder / "best.safetensors").exists():
            copy_whole(folder / "best.safetensors", best)
        else:
            best.unlink(missing_ok=True)


def newest_manifest(run: Path) -> dict[str, Any] | None:
    """What a run's newest checkpoint that can be read says, whoever writes the run now; None: there is none."""
    folder = run / "checkpoints"
    found = [path for kind in KINDS for path in folder.glob(f"{kind}-*") if step_of(path) is not None]
    for path in sorted(found, key=lambda path: step_of(path) or 0, reverse=True):
        with contextlib.suppress(InputError):  # damaged, or removed meanwhile
            return read_manifest(path)
    return None


def step_of(path: Path) -> int | None:
    """The step in `boundary-000030000` or `weights-000030000.safetensors`; None for any other name."""
    number = path.stem.split("-", 1)[1]
    return int(number) if number.isdigit() and path.suffix in ("", ".safetensors") else None


def is_regular(path: Path) -> bool:
    return path.name.startswith(KINDS[0])


def copy_whole(source: Path, target: Path) -> None:
    """A copy of its own: a damaged bit in one of them is none in the other."""
    write_whole(target, lambda temporary: shutil.copyfile(source, temporary))
