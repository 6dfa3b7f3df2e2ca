"""What a .wandb file holds: W&B's log of a run, written by W&B itself, offline too.

W&B has no reader of its own in Python any more; the framing is LevelDB's log, the records are protocol buffers of W&B's.
A head of 7 bytes (":W&B", 0xBEE1 and a version), then blocks of 32,768 bytes of pieces: a checksum (4), a length (2), a kind (1),
and the piece. Kind 1 is a whole record, 2 its first piece, 3 one in the middle, 4 its last. Zeros fill a block's end.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych.trackers.base import FILM, ROW

HEAD, BLOCK, PIECE = 7, 32_768, 7
WHOLE, FIRST, LAST = 1, 2, 4


def records(file: Path) -> Iterator[bytes]:
    """The records, up to where the file ends or was torn: whoever was killed left no more."""
    content = file.read_bytes()
    place, record = HEAD, b""
    while place + PIECE <= len(content):
        left = BLOCK - place % BLOCK
        if left < PIECE:
            place += left
            continue
        _, length, kind = struct.unpack_from("<IHB", content, place)
        if kind == 0 or place + PIECE + length > len(content):
            return
        piece = content[place + PIECE : place + PIECE + length]
        place += PIECE + length
        record = piece if kind in (WHOLE, FIRST) else record + piece
        if kind in (WHOLE, LAST):
            yield record


def parsed(file: Path) -> Iterator[Any]:
    """The records as W&B's own messages."""
    from wandb.proto.wandb_internal_pb2 import Record

    for content in records(file):
        record = Record()
        record.ParseFromString(content)
        yield record


@dataclass(frozen=True)
class Logged:
    """What was logged of a run."""

    row: int | None  # the place of our last row; None: none of them is a row of ours
    films: frozenset[str]  # their files
    next: int | None  # the number that W&B gives next; None: nothing was logged


def read_logged(files: Sequence[Path]) -> Logged:
    """What stands in files of one run."""
    found = [values for file in files for record in parsed(file) if (values := values_of(record))]
    rows = [int(float(values[ROW])) for values in found if ROW in values]
    films = frozenset(str(json.loads(values[FILM])) for values in found if FILM in values)
    numbers = [int(values["_step"]) + 1 for values in found]
    return Logged(max(rows, default=None), films, max(numbers, default=None))


def values_of(record: Any) -> dict[str, str]:
    """What a row of W&B's holds, each value as JSON; empty where the record is none."""
    if record.WhichOneof("record_type") != "history":
        return {}
    return {item.key or ".".join(item.nested_key): item.value_json for item in record.history.item}
