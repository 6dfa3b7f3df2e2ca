"""What a new run begins with: weights of another one (`train --from RUN --take LAYERS`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from triptych.experiments.load import beside, file_of, holds_weights
from triptych.recipes import Recipe
from triptych.recipes.feasibility import Prepared
from triptych.recipes.serialise import from_dict
from triptych.runs.names import run_path
from triptych.runs.records import own_source, read_settings
from triptych.runs.trust import Allowed, allow
from triptych.spec import Network
from triptych.spec.reuse import Reuse, reuse, table
from triptych.spec.weights import Weights, check_numbers
from triptych.utils.checks import InputError, moment
from triptych.utils.console import counted
from triptych.utils.files import read_tensors, sha256
from triptych.utils.seeds import generator

ALLOWED = "a run folder, a run's name or its weights"


@dataclass(frozen=True)
class Start:
    """Weights of another run, of which a new one takes what fits."""

    file: Path
    tensors: Weights
    told: dict[str, Any]  # what the new run's config.json says of them
    take: tuple[str, ...] = ()  # layers or kinds of layers; none: all that fit

    @classmethod
    def read(cls, run: str | Path, runs_dir: str | Path, take: Iterable[str] = ()) -> Start:
        """Those of a weights file, or a run's best ones (the latest, where it has no best). It runs no code."""
        path = weights_of(run, runs_dir, "from")
        tensors, metadata = read_weights(path)
        check_numbers(tensors, str(path))
        known = metadata or {}
        told = {"file": str(path), "sha256": sha256(path), "steps": known.get("steps"), "updates": known.get("updates")}
        return cls(path, tensors, told, tuple(take))

    def fit(self, network: Network, seed: int) -> Reuse:
        """What the new network takes; the rest is drawn, as it would be without another run.

        Raises:
            InputError: no layer fits, or one that was asked for is not in both networks.
        """
        return reuse(self.tensors, network, generator(seed, "weights"), self.take, str(self.file))

    def recorded(self, found: Reuse) -> dict[str, Any]:
        """What config.json says under `from`."""
        return self.told | {"take": list(self.take), "tensors": found.origins}

    def line(self, found: Reuse) -> str:
        """What was taken, for the user."""
        step, count, all_of_them = self.told["steps"], len(found.taken), len(found.origins)
        at = "" if step is None else f", as they were at step {step:,}"
        what = (
            f"all weights ({counted(count, 'tensor')})" if count == all_of_them else f"{count} of {all_of_them} tensors"
        )
        return f"from      {self.file}: {what}{at}; training begins at step 0"


class Begun(NamedTuple):
    """What a run begins with: another one's weights, and what of them fits; or neither."""

    start: Start | None
    reused: Reuse | None

    def lines(self, prepared: Prepared) -> list[str]:
        """For the user: where the weights came from, and each tensor, taken, fresh or frozen. None where all are fresh, and learn."""
        recipe, network = prepared.recipe, prepared.network
        frozen, origins = recipe.frozen(network), {} if self.reused is None else self.reused.origins
        lines = [] if self.start is None or self.reused is None else [self.start.line(self.reused)]
        if frozen:
            end = recipe.thaw_after
            until = "to the run's end" if end is None else f"until {moment(end)}"
            lines.append(f"frozen    {counted(len(frozen), 'tensor')} of {len(network.tensors())}, {until}")
        rows = table(network.tensors(), origins, frozen) if lines else []
        return [*lines, *(f"          {row}" for row in rows)]


def weights_of(run: str | Path, runs_dir: str | Path, setting: str) -> Path:
    """A weights file as it is given, or that of a run's best weights, or of its latest where it has no best.

    Args:
        setting: where the run was named, for the error's line.

    Raises:
        InputError: there is no such run, or it has no weights.
    """
    path = run_path(str(run), runs_dir)
    begun = path.is_dir() and ((path / "checkpoints").is_dir() or (path / "config.json").is_file())
    if not path.is_file() and not begun:
        raise InputError(f"{setting} is {str(run)!r}: no such run; allowed: {ALLOWED}")
    if begun and not holds_weights(path / "checkpoints"):
        allowed = "a run that has written a checkpoint, or a weights file"
        raise InputError(f"{setting} is {str(run)!r}: this run has no weights, or none yet; allowed: {allowed}")
    return file_of(path / "checkpoints", "best") if begun else path


def read_weights(path: Path) -> tuple[Weights, dict[str, Any] | None]:
    """The tensors of a file that `--from` names, and what Triptych wrote beside them.

    Raises:
        InputError: it cannot be read; the line says that it stands behind `--from`.
    """
    try:
        return read_tensors(path)
    except InputError as error:
        problem = str(error).removeprefix(f"{path}: ").partition("; allowed: ")[0]
        raise InputError(f"from is {str(path)!r}: {problem}; allowed: {ALLOWED}") from None


def settings_behind(run: str | Path, runs_dir: str | Path) -> Recipe:
    """The recipe that a run, or a weights file, was trained with: to train with it anew.

    Its `source` is "" unless the run is the user's own: a new run copies that file, and marks it as one to run.
    """
    path = run_path(str(run), runs_dir)
    if not path.is_file():
        return read_settings(path)
    _, metadata = read_weights(path)
    if metadata is None or "recipe" not in metadata:
        raise InputError(f"{path} names no recipe; allowed: weights that triptych wrote, or a recipe beside --from")
    stored = beside(path, metadata["recipe"])
    allow(stored, Allowed(ways=("a recipe's name or file beside --from",)))
    return dataclasses.replace(from_dict(stored.recipe), source=own_source(stored))
