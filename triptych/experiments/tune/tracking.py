"""A search in trackers: each of its runs is a run there, and all of them are a group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triptych.trackers.track import send_all
from triptych.utils.console import warn


@dataclass
class Tracking:
    """The trackers that a search is sent to.

    Args:
        folder: the search's.
        names: the trackers'.
        live: whether they follow each run; else the runs are sent when the search has ended, as where Ray has made them.
    """

    folder: Path
    names: tuple[str, ...] = ()
    live: bool = True
    told: set[str] = field(default_factory=set)  # trackers that have failed

    @property
    def shared(self) -> dict[str, Any]:
        """What the job of each run says of them."""
        return {"track": self.names if self.live else (), "group": self.folder.name}

    def hear(self, result: Mapping[str, Any]) -> None:
        """Tells of a tracker that failed in a run, once: what it does in one it does in all."""
        for name, line in result.get("untracked", {}).items():
            if name not in self.told:
                self.told.add(name)
                warn(line)

    def end(self) -> None:
        """Sends what was not sent on the way."""
        if not self.live:
            runs = [
                path.parent
                for kind in ("trials", "fresh")
                for path in sorted(self.folder.glob(f"{kind}/*/config.json"))
            ]
            send_all(runs, self.names, self.folder.name)
