"""TensorBoard: an event file in the run's folder, so that `tensorboard --logdir runs` shows each run under its name.

Written here, field by field, as every writer that others offer imports TensorFlow or PyTorch where they are installed: half a
gigabyte and many seconds for these hundred lines. The format is older than most of them and is not changed any more.

An event (protocol buffers): wall_time = 1 (double), step = 2 (int64), file_version = 3, summary = 5, in which value = 1, in which
tag = 1, simple_value = 2 (float), image = 4 (height = 1, width = 2, colorspace = 3, encoded_image_string = 4), tensor = 8
(dtype = 1, tensor_shape = 2, string_val = 8), metadata = 9 (plugin_data = 1 (plugin_name = 1), data_class = 4).
"""

from __future__ import annotations

import os
import shlex
import struct
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from triptych.trackers.base import About, Point
from triptych.trackers.films import gif_of
from triptych.utils.files import open_own, remove
from triptych.utils.records import framed

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # how a field is stored
STRING, TENSOR_CLASS, RGB = 7, 2, 3  # DT_STRING, DATA_CLASS_TENSOR, an image's colours
NAME = "events.out.tfevents."


def open_run(about: About) -> EventFile:
    return EventFile(about)


class EventFile:
    """The event file of a run; `run` is its name."""

    late = False

    def __init__(self, about: About):
        file = about.folder / (about.run or "")
        size = about.kept.get("size", 0)
        goes_on = about.run is not None and file.is_file() and file.stat().st_size >= size > 0
        if not goes_on:
            for old in about.folder.glob(
                f"{NAME}*.triptych"
            ):  # of another past: TensorBoard would show both as one run
                remove(old)
            file = about.folder / f"{NAME}{time.time_ns()}.triptych"
        self.run, self.begun = file.name, about.begun
        self.where = f"tensorboard --logdir {shlex.quote(str(about.folder.absolute().parent))}"
        self.file = os.fdopen(open_own(file, os.O_RDWR | os.O_CREAT), "r+b")
        self.file.truncate(size if goes_on else 0)  # what a mirror that was killed had not finished
        self.size = self.file.seek(0, os.SEEK_END)
        if not goes_on:
            self.write(self.begun, 0, text(3, "brain.Event:2"))
            self.write(self.begun, 0, summary(text_value("hyperparameters/text_summary", as_table(about.settings))))

    def held(self) -> int | None:
        return None

    def films(self) -> None:
        """It holds what the folder says: the file was cut back to that."""

    def rows(self, points: Sequence[Point]) -> None:
        for point in points:
            values = b"".join(scalar(name, value) for name, value in point.values.items())
            self.write(point.time, point.step, message(5, values))

    def test(self, name: str, values: Mapping[str, float], step: int) -> None:
        self.write(time.time(), step, message(5, b"".join(scalar(f"test/{name}/{key}", values[key]) for key in values)))

    def video(self, name: str, file: Path, step: int) -> None:
        if (film := gif_of(file)) is not None:
            picture = number(1, film.height) + number(2, film.width) + number(3, RGB) + message(4, film.content)
            self.write(time.time(), step, summary(text(1, name) + message(4, picture)))

    def weights(self, alias: str, files: Mapping[str, Path], step: int) -> None:
        """TensorBoard knows no weights: they are in the folder beside the event file."""

    def kept(self) -> Mapping[str, Any]:
        if not self.file.closed:
            self.file.flush()
            os.fsync(self.file.fileno())
            self.size = self.file.tell()
        return {"size": self.size}

    def close(self) -> None:
        self.file.close()

    def write(self, at: float, step: int, content: bytes) -> None:
        self.file.write(framed(key(1, FIXED64) + struct.pack("<d", at) + number(2, step) + content))


def summary(value: bytes) -> bytes:
    return message(5, message(1, value))


def scalar(tag: str, value: float) -> bytes:
    """A value of a summary, ready to stand in it."""
    return message(1, text(1, tag) + key(2, FIXED32) + struct.pack("<f", as_float32(value)))


def as_float32(value: float) -> float:
    """What does not fit into a float of 32 bits is infinite there."""
    return value if abs(value) < 3.4e38 else float("inf") if value > 0 else float("-inf")


def text_value(tag: str, content: str) -> bytes:
    """A text of Markdown."""
    tensor = number(1, STRING) + message(2, message(2, number(1, 1))) + text(8, content)
    metadata = message(1, text(1, "text")) + number(4, TENSOR_CLASS)
    return text(1, tag) + message(8, tensor) + message(9, metadata)


def as_table(settings: Mapping[str, Any]) -> str:
    """Settings as a table of Markdown, as CleanRL writes them."""
    rows = (f"|{cell(name)}|{cell(value)}|" for name, value in sorted(settings.items()))
    return "\n".join(["|param|value|", "|-|-|", *rows])


def cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def key(field: int, kind: int) -> bytes:
    return varint(field << 3 | kind)


def number(field: int, value: int) -> bytes:
    return key(field, VARINT) + varint(value)


def text(field: int, content: str) -> bytes:
    return message(field, content.encode("utf-8", "replace"))


def message(field: int, content: bytes) -> bytes:
    return key(field, BYTES) + varint(len(content)) + content


def varint(value: int) -> bytes:
    """A number that is not negative, seven bits a byte, the lowest first."""
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
