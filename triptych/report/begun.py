"""What a run began with, where its weights were not drawn: another run's (`train --from RUN`)."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from triptych.report.logs import Log
from triptych.utils.reading import typed


class Origin(TypedDict):
    """What a config.json says of it."""

    file: str
    sha256: str
    take: NotRequired[list[str]]
    tensors: NotRequired[dict[str, str]]  # older runs began with all of them


def origin_of(log: Log) -> Origin | None:
    """Where a run's first weights came from; None: they were drawn."""
    told = (log.config or {}).get("from")
    return None if told is None else typed(told, Origin, log.name, "from")


def flags(log: Log) -> list[str]:
    """The words of a command line that say it."""
    origin = origin_of(log)
    if origin is None:
        return []
    take = origin.get("take", [])
    return [f"--from={origin['file']}", *(["--take", *take] if take else [])]


def reused(log: Log) -> dict[str, Any] | None:
    """The page's table of it, tensor by tensor; None: all were drawn."""
    origin = origin_of(log)
    if origin is None:
        return None
    rows = list(origin.get("tensors", {"all": "taken"}).items())
    return {"name": log.name, "file": origin["file"], "sha256": origin["sha256"], "rows": rows}
