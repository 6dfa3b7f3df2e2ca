"""Sending a run that is there already: what the command line and Python call."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from triptych.runs.names import LOGS, is_weights_only
from triptych.runs.records import Named, path_of
from triptych.trackers.failures import told_in_a_line
from triptych.trackers.mirror import Mirror
from triptych.trackers.registry import TRACKERS, check_trackers
from triptych.utils.checks import InputError, check
from triptych.utils.console import counted, warn


@dataclass(frozen=True)
class Tracked:
    """A run in a tracker."""

    tracker: str
    run: str  # what the tool calls it
    rows: int  # that it holds
    new: int  # of them sent now
    where: str  # where to look at it


def track(run: Named, to: Sequence[str], *, runs_dir: str | Path = "runs") -> list[Tracked]:
    """Brings trackers up to where a run is: rows that are safe in its folder, test games, films, weights. What they have stays.

    Args:
        run: a run folder, a run's name under `runs_dir`, or what `train` returned.
        to: "tensorboard", "wandb", "trackio", "mlflow".

    Raises:
        InputError: no such run or tracker, the folder holds weights only, one is not installed, or one fails; those before it have the run.
    """
    check(bool(to), "to", "", ", ".join(TRACKERS))
    names = check_trackers(to, "to")
    folder = path_of(run, runs_dir)
    if is_weights_only(folder):
        raise InputError(f"{folder} has no {' and no '.join(LOGS)}, so no rows to send; allowed: a run with its logs")
    return [send(folder, name) for name in names]


def send_all(runs: Sequence[str | Path], names: Sequence[str], group: str | None = None) -> None:
    """Sends runs that have ended. A tracker that fails gets no further ones, as it may take minutes to fail: that is one warning."""
    for name in names:
        for place, folder in enumerate(runs):
            try:
                send(Path(folder), name, group)
            except (InputError, OSError) as error:
                left = counted(len(runs) - place, "run")
                warn(
                    f"{error}; {name} has not got {left}, from {folder} on; send each with: triptych track RUN --to {name}"
                )
                break


def send(folder: Path, name: str, group: str | None = None) -> Tracked:
    told = told_in_a_line(f"{name} fails", "a tracker that takes the run; --verbose says more")
    with told, contextlib.redirect_stdout(sys.stderr), Mirror(folder, name, patience=1.0, group=group) as mirror:
        new = mirror.go_on(final=True)
    return Tracked(name, str(mirror.state.run), mirror.reader.count, new, mirror.tracker.where)
