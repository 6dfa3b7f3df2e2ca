"""boundary.json, the manifest of a checkpoint: what it holds, and the SHA-256 of everything that it names."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from triptych.runs.names import REWOUND, OutsideError, check_plain
from triptych.utils.checks import InputError
from triptych.utils.reading import AS_LEFT, Count, Finite, content_of, read_json, typed


class Segment(TypedDict):
    """Rows [start, end) of the stored stream, in a file of their own."""

    file: str
    start: Count
    end: Count
    sha256: str


class Best(TypedDict):
    score: Finite | None
    step: Count | None


class Saved(TypedDict):
    """The part of a state that every run has; the rest is the business of who takes it up (`training.fitting`)."""

    counters: dict[str, Count]
    rngs: dict[str, dict[str, Any]]
    scores: list[float]
    best: Best
    stopped_by: str
    postponed: NotRequired[str]
    seconds: Finite
    periods: NotRequired[Count]
    callbacks: NotRequired[list[tuple[str, dict[str, Any]]]]


class Manifest(TypedDict):
    """What stands in boundary.json."""

    step: Count
    state: Saved
    segments: list[Segment]
    logs: dict[str, Count]
    files: dict[str, str]
    exact: NotRequired[bool]  # older versions wrote no others
    cuts: NotRequired[bool]  # whether a resume from it cuts games that the run itself did not cut
    recipe: NotRequired[dict[str, Any]]
    threads: NotRequired[Count]


def read_manifest(folder: Path) -> dict[str, Any]:
    """What a checkpoint's manifest says.

    Raises:
        InputError: it is damaged, or something in it is of another type.
        OutsideError: it names files outside the run's folder.
    """
    file = folder / "boundary.json"
    digest = content_of(folder / "boundary.sha256").strip()
    if hashlib.sha256(content_of(file)).hexdigest().encode() != digest:
        raise InputError(f"{file} cannot be read (its SHA-256 is not the one in boundary.sha256)")
    content = read_json(file, dict[str, Any], any_text=True)
    manifest: Manifest = typed(content, Manifest, file)
    check_names(manifest, file)
    if "recipe" in manifest and "threads" not in manifest:
        raise InputError(f"{file}: threads is missing; allowed: {AS_LEFT}")
    counters = manifest["state"]["counters"]
    for name in ("steps", "updates", "episodes"):
        if name not in counters:
            raise InputError(f"{file}: state.counters.{name} is missing; allowed: {AS_LEFT}")
    if counters["steps"] != manifest["step"]:
        raise InputError(
            f"{file}: state.counters.steps is {counters['steps']}; allowed: {manifest['step']}, as its step"
        )
    return content


def check_names(manifest: Manifest, where: Path) -> None:
    """Refuses a manifest that names files outside the run's folder, or other logs than a run has.

    Raises:
        OutsideError: it does; that is no damage, somebody wrote it so.
    """
    for name in [*manifest["files"], *manifest["logs"], *(segment["file"] for segment in manifest["segments"])]:
        check_plain(name, where)
    for name in manifest["logs"]:
        if name not in REWOUND:
            raise OutsideError(f"{where} names the log {name!r}; allowed: {', '.join(REWOUND)}")
