"""The commands that bring runs to trackers, and weights back."""

from __future__ import annotations

import dataclasses
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from triptych.cli import exits
from triptych.cli.options import Command, RunName, Tracker, Where, needed, print_json
from triptych.utils.console import counted, put


@dataclass(frozen=True)
class Track(Where):
    """Sends a run to trackers: TensorBoard, Weights & Biases, trackio, MLflow.

    What they have of it already stays and is not sent again, so this may be repeated, also for a run that was never tracked.
    """

    name: RunName = ""  # a run folder, or a run's name
    to: tuple[Tracker, ...] = ()  # where: tensorboard, wandb, trackio, mlflow; one or several

    def run(self) -> int:
        from triptych.trackers.registry import TRACKERS
        from triptych.trackers.track import track

        needed(self.name, "RUN", "a run folder, or a run's name under --runs-dir")
        needed(" ".join(self.to), "--to", ", ".join(TRACKERS))
        sent = track(self.name, self.to, runs_dir=self.runs_dir)
        for one in sent:
            put(f"{one.tracker}: {counted(one.rows, 'row')}, {one.new:,} of them new; {one.where}")
        print_json(self, {"run": self.name, "to": [dataclasses.asdict(one) for one in sent]})
        return exits.DONE


@dataclass(frozen=True)
class Fetch(Command):
    """Brings weights back from where a tracker, or anybody, keeps them, into a folder that evaluate takes."""

    # wandb:ENTITY/PROJECT/NAME:best, hf:OWNER/REPO[:FILE], mlflow:RUN[:best], or a run folder
    source: Annotated[Positional[str], arg(metavar="SOURCE", help_behavior_hint="")] = ""
    runs_dir: Path = Path("runs")  # the folder in which the new folder is made
    run_name: str | None = None  # its name; None: after what is fetched

    def run(self) -> int:
        from triptych.trackers.fetch import SOURCES, fetch

        needed(self.source, "SOURCE", SOURCES)
        fetched = fetch(self.source, runs_dir=self.runs_dir, run_name=self.run_name)
        latest = "" if "best" in fetched.weights else " --weights latest"
        put(f"{fetched.path}: {' and '.join(fetched.weights)} weights of {fetched.source}")
        put(f"test them with: triptych evaluate {shlex.quote(str(fetched.path))}{latest}")
        print_json(self, fetched)
        return exits.DONE
