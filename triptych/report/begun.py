"""What a run began with: weights of another one (`train --from RUN`), and layers that are frozen (`--freeze LAYERS`)."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from triptych.report.logs import Log
from triptych.report.show.build import network_of
from triptych.spec.reuse import means
from triptych.utils.checks import InputError, moment
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
    """The page's table of each tensor: taken from another run or fresh, and frozen or not; None: all are fresh, and learn."""
    origin, recipe = origin_of(log), log.recipe
    frozen = () if recipe is None else recipe.freeze
    if origin is None and not frozen:
        return None
    until = "" if recipe is None or recipe.thaw_after is None else f" until {moment(recipe.thaw_after)}"
    origins = {} if origin is None else origin.get("tensors", {"all": "taken"})
    rows = [
        (name, where + f", frozen{until}" * any(means(word, name) for word in frozen))
        for name, where in (origins or dict.fromkeys(tensors_of(log), "fresh")).items()
    ]
    return {"name": log.name, "file": origin and origin["file"], "sha256": origin and origin["sha256"], "rows": rows}


def tensors_of(log: Log) -> list[str]:
    """The tensors of a run's network; none where its game may not be made here."""
    try:
        return list(network_of(log.recipe).tensors()) if log.recipe and log.playable else []
    except InputError:
        return []
