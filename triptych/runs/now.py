"""now.json: what an agent sees and what it makes of it, as a run goes on. A page that watches the run reads it.

It is no record: each is written over the one before, and nothing reads it but for showing it.
"""

from __future__ import annotations

import base64
import contextlib
import os
from pathlib import Path
from typing import Annotated, Literal, NotRequired, TypedDict

import msgspec
import numpy as np
from msgspec import Meta

from triptych.utils.checks import InputError
from triptych.utils.files import TEMPORARY, is_link, open_own
from triptych.utils.reading import AS_LEFT, Count, content_of, typed

NOW = "now.json"
MOST_BYTES = 2_000_000  # of an observation; a larger one is left out
DTYPES = {"uint8": np.uint8, "float32": np.float32, "float64": np.float64, "int32": np.int32, "int64": np.int64}


class Part(TypedDict):
    """One part of an observation: an array, its bytes (little-endian) as base64."""

    shape: Annotated[list[Annotated[int, Meta(ge=0, le=100_000)]], Meta(max_length=6)]
    dtype: Literal["uint8", "float32", "float64", "int32", "int64"]
    data: str


class Now(TypedDict):
    """What is in the file. A number that is not finite is null."""

    steps: Count
    updates: Count
    episode: Count  # which is being played, from 1
    length: Count  # steps of it so far
    reward: float | None  # of it so far
    actions: list[str]  # [A] what they are called
    is_policy: bool  # `values` are probabilities; else Q values
    values: list[float | None]  # [A]
    value: float | None  # what a critic expects from here on
    broken_steps: NotRequired[Count]  # of the run: their numbers were not finite, and nothing was learned from them
    obs: dict[str, Part]  # by the part's name, "" where there is only one


def write_now(folder: Path, content: Now) -> None:
    """Writes the file, whole: a reader sees this one or the one before. It is not forced to the disk, which would take time.

    Raises:
        OSError: there is no room, or the folder cannot be written.
    """
    temporary = folder / f"{NOW}{TEMPORARY}"
    with os.fdopen(open_own(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as file:
        file.write(msgspec.json.encode(content))
    os.replace(temporary, folder / NOW)


def read_now(folder: Path) -> Now | None:
    """The newest one; None where a run has written none.

    Raises:
        InputError: it cannot be read.
    """
    file = folder / NOW
    if is_link(file) or not file.is_file():
        return None
    content = content_of(file)
    try:
        plain = msgspec.json.decode(content)
    except msgspec.DecodeError as error:
        raise InputError(f"{file} cannot be read ({error}); allowed: {AS_LEFT}") from None
    found: Now = typed(plain, Now, file)
    for name, part in found["obs"].items():
        array_of(part, f"{file}: obs.{name}")
    return found


def part_of(array: np.ndarray) -> Part:
    """An array as the file has it; a type that it does not have as float32."""
    kept = array if array.dtype.name in DTYPES else array.astype(np.float32)
    data = base64.b64encode(np.ascontiguousarray(kept).astype(kept.dtype.newbyteorder("<")).tobytes())
    return {"shape": list(kept.shape), "dtype": kept.dtype.name, "data": data.decode("ascii")}  # type: ignore[typeddict-item]


def array_of(part: Part, where: str) -> np.ndarray:
    """The array again.

    Raises:
        InputError: it has not as many bytes as its shape says.
    """
    with contextlib.suppress(ValueError):  # binascii.Error is one
        data = base64.b64decode(part["data"], validate=True)
        return np.frombuffer(data, np.dtype(DTYPES[part["dtype"]]).newbyteorder("<")).reshape(part["shape"])
    raise InputError(f"{where} is no array of shape {part['shape']}; allowed: {AS_LEFT}")
