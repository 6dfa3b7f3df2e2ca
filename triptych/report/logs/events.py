"""TensorBoard's event files: records of TFRecord, each an `Event` of protocol buffers, of which the scalars are read.

Both formats are older than most of the tools that write them and are not changed any more. TensorBoard's own reader would bring
ten packages for these hundred lines; nothing else of what it can do is needed here.

Records: utils/records.py.
An event: wall_time = 1 (double), step = 2 (int64), summary = 5, in which value = 1, in which tag = 1, simple_value = 2 (float) or
tensor = 8, in which dtype = 1, tensor_content = 4, float_val = 5, double_val = 6.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from triptych.report.logs.log import Arrays
from triptych.utils.checks import InputError
from triptych.utils.records import masked
from triptych.utils.tables import reason

MOST_BYTES = 1_000_000  # of a record that is looked into: longer ones hold pictures, sounds and graphs
MOST_TAGS = 2_000
DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8"}  # of TensorFlow: DT_FLOAT, DT_DOUBLE, DT_INT32, DT_INT64
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # how a field is stored

Value = int | float | memoryview
Curves = dict[str, tuple[array, array, array]]  # a tag's steps, times and values


class TornError(ValueError):
    """What follows in the file is no event."""


def read_events(path: Path) -> tuple[dict[str, Arrays], list[str]]:
    """The scalars of an event file by tag, as arrays of `step`, `time` (seconds since 1970) and `value`, and what was torn.

    Raises:
        InputError: it cannot be opened, or its first record is no event.
    """
    curves: Curves = {}
    notes: list[str] = []
    count = 0
    try:
        with open(path, "rb") as file:
            for event in records(file):
                add(curves, event)
                count += 1
    except (TornError, struct.error) as error:
        if not count:
            raise InputError(
                f"{path} is no event file of TensorBoard ({error}); allowed: events.out.tfevents.*"
            ) from None
        notes.append(f"{path.name}: what stands behind its {count:,} events is torn, and left out")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({reason(error)}); allowed: an event file of TensorBoard") from None
    found: dict[str, Arrays] = {
        tag: dict(zip(("step", "time", "value"), (np.frombuffer(one, np.float64) for one in curve), strict=True))
        for tag, curve in curves.items()
    }
    return found, notes


def records(file: BinaryIO) -> Iterator[memoryview]:
    """The events, as bytes. Records too long to hold scalars alone are passed over."""
    while head := file.read(12):
        if len(head) < 12 or masked(head[:8]) != int.from_bytes(head[8:], "little"):
            raise TornError("no record's head")
        length = int.from_bytes(head[:8], "little")
        if length > MOST_BYTES:
            file.seek(length + 4, 1)
            continue
        body = file.read(length + 4)
        if len(body) < length + 4 or masked(body[:length]) != int.from_bytes(body[length:], "little"):
            raise TornError("a record with another checksum")
        yield memoryview(body)[:length]


def add(curves: Curves, event: memoryview) -> None:
    """Appends an event's scalars to the curves of their tags."""
    time, step, summary = 0.0, 0, None
    for number, value in fields(event):
        if number == 1 and isinstance(value, memoryview):
            time = struct.unpack("<d", value)[0]
        elif number == 2 and isinstance(value, int):
            step = value - (1 << 64) if value >> 63 else value
        elif number == 5 and isinstance(value, memoryview):
            summary = value
    for number, value in fields(summary) if summary is not None else ():
        if number == 1 and isinstance(value, memoryview):
            tag, scalar = tag_and_scalar(value)
            if tag and scalar is not None and (tag in curves or len(curves) < MOST_TAGS):
                for part, one in zip(
                    curves.setdefault(tag, (array("d"), array("d"), array("d"))), (step, time, scalar), strict=True
                ):
                    part.append(one)


def tag_and_scalar(summary_value: memoryview) -> tuple[str, float | None]:
    tag, scalar = "", None
    for number, value in fields(summary_value):
        if number == 1 and isinstance(value, memoryview):
            tag = bytes(value).decode("utf-8", "replace")
        elif number == 2 and isinstance(value, memoryview) and len(value) == 4:
            scalar = struct.unpack("<f", value)[0]
        elif number == 8 and isinstance(value, memoryview):
            scalar = of_tensor(value)
    return tag, scalar


def of_tensor(tensor: memoryview) -> float | None:
    """The number in a tensor of one; None where it is text, or several."""
    parts = dict(fields(tensor))
    kind = DTYPES.get(parts.get(1, 0))  # type: ignore[arg-type]
    for number, stored in ((4, kind), (5, "<f4"), (6, "<f8")):
        held = parts.get(number)
        if kind and stored and isinstance(held, memoryview) and len(held) == np.dtype(stored).itemsize:
            return float(np.frombuffer(held, stored)[0])
    return None


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message of protocol buffers: number, and what is stored."""
    place = 0
    while place < len(message):
        key, place = varint(message, place)
        kind = key & 7
        if kind == VARINT:
            value, place = varint(message, place)
            yield key >> 3, value
            continue
        if kind not in (FIXED64, BYTES, FIXED32):
            raise TornError("a field of no known kind")
        size, place = varint(message, place) if kind == BYTES else (8 if kind == FIXED64 else 4, place)
        if place + size > len(message):
            raise TornError("a field longer than its record")
        yield key >> 3, message[place : place + size]
        place += size


def varint(message: memoryview, place: int) -> tuple[int, int]:
    """A number of seven bits a byte, and the place behind it."""
    value, shift = 0, 0
    while place < len(message) and shift < 70:
        byte = message[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value & 0xFFFFFFFFFFFFFFFF, place
    raise TornError("a number without an end")
