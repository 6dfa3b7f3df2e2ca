"""What a run began with: weights of another one (`train --from RUN`), layers that are frozen (`--freeze LAYERS`), a teacher."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
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


def reused(log: Log) -> list[dict[str, Any]]:
    """The page's tables of a run's tensors: what it began with, unless all are fresh and learn, each other network that it went
    on with, and who taught it."""
    return [*begun(log), *switched(log), *taught(log)]


def begun(log: Log) -> Iterator[dict[str, Any]]:
    """Each tensor at step 0: taken from another run or fresh, and frozen or not."""
    origin, recipe = origin_of(log), log.recipe
    frozen = () if recipe is None else recipe.freeze
    if origin is None and not frozen:
        return
    until = "" if recipe is None or recipe.thaw_after is None else f" until {moment(recipe.thaw_after)}"
    origins = {} if origin is None else origin.get("tensors", {"all": "taken"})
    rows = [
        (name, where + f", frozen{until}" * any(means(word, name) for word in frozen))
        for name, where in (origins or dict.fromkeys(tensors_of(log), "fresh")).items()
    ]
    of = "weights of its own" if origin is None else f"weights of {origin['file']} (SHA-256 {origin['sha256']})"
    yield {"told": f"{log.name} began with {of}.", "when": "at step 0", "rows": rows}


class Switch(TypedDict):
    """A network that a run went on with, as config.json tells it."""

    tensors: NotRequired[dict[str, str]]


def switched(log: Log) -> Iterator[dict[str, Any]]:
    """Each tensor where the run went on with another network."""
    for change in (log.config or {}).get("changes", []):
        tensors = typed(change.get("network", {}), Switch, log.name, "changes.network").get("tensors", {})
        if tensors:
            told = f"{log.name} went on with another network from step {change['step']:,}."
            yield {"told": told, "when": f"at step {change['step']:,}", "rows": list(tensors.items())}


class Taught(TypedDict):
    """What a config.json says of a teacher."""

    file: str
    sha256: str


def taught(log: Log) -> Iterator[dict[str, Any]]:
    """Who taught a run, how, and until when."""
    told, recipe = (log.config or {}).get("teacher"), log.recipe
    if told is None or recipe is None:
        return
    teacher = typed(told, Taught, log.name, "teacher")
    until = recipe.teacher_until
    plays = f"until step {recipe.teacher_plays:,}" if recipe.teacher_plays else "never"
    rows = [
        ("run", run_behind(teacher["file"])),
        ("weights", teacher["file"]),
        ("SHA-256", teacher["sha256"]),
        ("loss", recipe.teacher_loss + ", and nothing else is learned" * recipe.teacher_alone),
        ("weight", f"{recipe.teacher_weight:g}"),
        ("until", "the run's end" if until is None else f"step {until:,}, falling to 0"),
        ("chooses the actions", plays),
    ]
    yield {"told": f"{log.name} had a teacher.", "what": "teacher", "when": "", "rows": rows}


def run_behind(weights: str) -> str:
    """The name of the run that a weights file lies in; of another file its own."""
    path = PurePath(weights)
    return path.parent.parent.name if path.parent.name == "checkpoints" else path.name


def tensors_of(log: Log) -> list[str]:
    """The tensors of a run's network; none where its game may not be made here."""
    try:
        return list(network_of(log.recipe).tensors()) if log.recipe and log.playable else []
    except InputError:
        return []
