"""What a .wandb file holds: W&B's log of a run, written by W&B itself, offline too.

W&B has no reader of its own in Python any more; the framing is LevelDB's log, the records are protocol buffers of W&B's.
A head of 7 bytes (":W&B", 0xBEE1 and a version), then blocks of 32,768 bytes of pieces: a checksum (4), a length (2), a kind (1),
and the piece. Kind 1 is a whole record, 2 its first piece, 3 one in the middle, 4 its last. Zeros fill a block's end.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from triptych.trackers.base import ROW

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


def last_numbers(files: Sequence[Path]) -> tuple[int | None, int] | None:
    """The last of our rows in files of one run, and the number that W&B gives next; None: there are no rows in them."""
    rows = [numbers for file in files for record in parsed(file) if (numbers := numbers_of(record))]
    if not rows:
        return None
    ours = [row for row, _ in rows if row is not None]
    return max(ours, default=None), max(number for _, number in rows) + 1


def numbers_of(record: Any) -> tuple[int | None, int] | None:
    """Our number and W&B's `_step` of a row; None: the record is none."""
    if record.WhichOneof("record_type") != "history":
        return None
    values = {item.key or ".".join(item.nested_key): item.value_json for item in record.history.item}
    row = values.get(ROW)
    return None if row is None else int(float(row)), int(values["_step"])
