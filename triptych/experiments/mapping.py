"""Weights of any other program, brought to neutral names and axes by a mapping file.

    layout = "torch"

    [tensors]
    "dense_1/kernel" = "network.0.weight"
    "dense_1/bias" = "network.0.bias"
    "dense_2/kernel" = { name = "network.9.weight", flattened = [64, 7, 7] }

`layout` says how their kernels lie: "torch" is (out, in) and OIHW, "flax" is (in, out) and HWIO, as ours. An entry names their
tensor; `transpose` says another order of the axes than the layout's, `flattened` the channels, rows and columns of a kernel that
follows a flattening in which channels come first, `plus` a tensor that is added (PyTorch's LSTM has two biases).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from triptych.frameworks.foreign import read_flax, read_torch
from triptych.spec.weights import Weights
from triptych.utils.checks import InputError, check, one_of
from triptych.utils.files import read_tensors
from triptych.utils.reading import content_of, typed

LAYOUTS: dict[str, dict[int, tuple[int, ...]]] = {
    "torch": {1: (0,), 2: (1, 0), 4: (2, 3, 1, 0)},
    "flax": {1: (0,), 2: (0, 1), 4: (0, 1, 2, 3)},
}
MOST_BYTES = 2_000_000_000  # of a weights file


@dataclass(frozen=True)
class Entry:
    """Which tensor of theirs one of ours is."""

    name: str
    transpose: tuple[int, ...] | None = None  # the order of its axes in ours; None: the layout's
    flattened: tuple[int, ...] | None = None  # channels, rows, columns before it; None: none, or channels came last
    plus: str | None = None  # another tensor, which is added

    @property
    def channels_rows_columns(self) -> tuple[int, int, int] | None:
        """`flattened`, where it is three sizes."""
        sizes = self.flattened or ()
        return (sizes[0], sizes[1], sizes[2]) if len(sizes) == 3 and min(sizes) > 0 else None


@dataclass(frozen=True)
class MappingFile:
    """A mapping file as it was written."""

    tensors: dict[str, str | Entry]
    layout: str = "torch"  # or flax

    @property
    def entries(self) -> dict[str, Entry]:
        return {ours: Entry(entry) if isinstance(entry, str) else entry for ours, entry in self.tensors.items()}


def read_mapping(path: Path) -> MappingFile:
    """A mapping file.

    Raises:
        InputError: there is none, it is no TOML, or something in it is of another kind; the line names it.
    """
    try:
        content = tomllib.loads(content_of(path).decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path} is no TOML ({error}); allowed: a mapping file") from None
    found: MappingFile = typed(content, MappingFile, path)
    one_of(found, "layout", tuple(LAYOUTS))
    return found


def read_weights(path: Path, layout: str) -> dict[str, np.ndarray]:
    """The tensors of a .safetensors or .npz file, of one that PyTorch saved, or (layout flax) of Flax's bytes. Never unpickles.

    Raises:
        InputError: it is none of these, or damaged.
    """
    if path.suffix == ".safetensors":
        return read_tensors(path)[0]
    check(path.is_file(), "FILE", str(path), "a file of weights")
    check(path.stat().st_size <= MOST_BYTES, f"size of {path}", path.stat().st_size, f"at most {MOST_BYTES:,} bytes")
    if path.suffix == ".npz":
        return read_npz(path)
    content = path.read_bytes()
    return read_flax(content, str(path)) if layout == "flax" else read_torch(content, str(path))


def read_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except Exception as error:  # whatever a damaged file makes of NumPy's reader
        reason = str(error).split("\n")[0]
        raise InputError(
            f"{path} is damaged, or holds more than arrays ({reason}); allowed: a .npz of arrays"
        ) from None


def mapped(mapping: MappingFile, tensors: Mapping[str, np.ndarray], where: Path) -> Weights:
    """Their tensors under our names, axes in our order.

    Raises:
        InputError: there is no tensor of a name, or it cannot be turned as the mapping says.
    """
    weights = {}
    for ours, entry in mapping.entries.items():
        for name in (entry.name, entry.plus or entry.name):
            if name not in tensors:
                some = ", ".join(list(tensors)[:6]) + (", ..." if len(tensors) > 6 else "")
                raise InputError(f"{where}: tensor {name}, for {ours}, is not there; allowed: {some}")
        what = f"{where}: tensor {entry.name}"
        tensor = tensors[entry.name]
        if entry.plus is not None:
            more = tensors[entry.plus]
            check(more.shape == tensor.shape, f"{what} with {entry.plus}: shape", more.shape, f"{tensor.shape}")
            tensor = tensor + more
        weights[ours] = turned(tensor, entry, mapping.layout, what)
    return weights


def turned(tensor: np.ndarray, entry: Entry, layout: str, what: str) -> np.ndarray:
    order = entry.transpose or LAYOUTS[layout].get(tensor.ndim)
    if order is None or sorted(order) != list(range(tensor.ndim)):
        raise InputError(f"{what} has {tensor.ndim} axes, transpose is {order}; allowed: each of its axes once")
    found = tensor.transpose(order)
    if entry.flattened is None:
        return found
    sizes = entry.channels_rows_columns
    if found.ndim != 2 or sizes is None or prod(sizes) != len(found):
        raise InputError(
            f"{what} has shape {tensor.shape}, flattened is {list(entry.flattened)}; allowed: channels, rows, columns before it, each above 0"
        )
    return found.reshape(*sizes, -1).transpose(1, 2, 0, 3).reshape(len(found), -1)
