"""A logger of one's own: every row of the logs as a line of JSON, and an end where the game is good enough.

    triptych train own_logger.py

Registered in a recipe's file, it watches every run of it, a resumed one and those of a comparison too.
`--callback module:name` and `triptych.train(..., callbacks=[...])` do the same for one run.
"""

from __future__ import annotations

import json
from typing import Any

import triptych
from triptych.training.callbacks.base import Run

ENOUGH = 100.0  # mean reward of the last 100 episodes


class JsonLines(triptych.Callback):
    """Writes `rows.jsonl` into the run's folder. Of a callback's methods it has those that it needs."""

    def __init__(self) -> None:
        self.size = 0  # bytes written

    def set_state(self, state: dict[str, Any]) -> None:
        """A resume: what the checkpoint knew of this file. It comes before `start`."""
        self.size = state["size"]

    def get_state(self) -> dict[str, Any]:
        """Asked for at each checkpoint."""
        return {"size": self.size}

    def start(self, run: Run) -> None:
        self.file = open(run.path / "rows.jsonl", "ab")  # noqa: SIM115 (closed in `end`)
        self.file.truncate(self.size)  # rows after the checkpoint are played, and written, again

    def row(self, run: Run, table: str, row: dict[str, Any]) -> None:
        """`table` is "episodes" or "metrics", of which a row was just written."""
        self.file.write(json.dumps({"table": table, **row}).encode() + b"\n")
        self.file.flush()
        self.size = self.file.tell()
        if table == "episodes" and len(run.scores) == 100 and sum(run.scores) / 100 >= ENOUGH:
            run.stop("good enough")  # summary.json says so under stopped_by

    def end(self, run: Run, result: Any) -> None:
        self.file.close()


triptych.register_callback(JsonLines)

recipe = triptych.override(triptych.load_recipe("cartpole"), {"steps": 20_000})
