"""Files that are whole or not there: temporary file, fsync, rename, fsync of the folder."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Callable, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from triptych.utils.checks import InputError

TEMPORARY = ".tmp"  # the ending of a file that is being written; a resume removes what is left of them

UMASK = os.umask(0o022)
os.umask(UMASK)  # reading it means setting it


def sync_folder(folder: Path) -> None:
    """Makes a rename in `folder` survive a power cut. Windows cannot open folders and needs no such call."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Calls `write(temporary path)`, then puts the result in place of `path` in one rename."""
    temporary = path.with_name(path.name + TEMPORARY)
    try:
        write(temporary)
        os.chmod(temporary, 0o666 & ~UMASK)  # safetensors makes its files unreadable for others
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_json(path: Path, content: Any) -> None:
    """Writes JSON with sorted keys, whole or not at all."""
    text = json.dumps(content, indent=2, sort_keys=True, allow_nan=True) + "\n"
    write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_tensors(path: Path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, Any] | None = None) -> None:
    """Writes a safetensors file, whole or not at all; equal content gives equal bytes.

    safetensors 0.8 silently corrupts arrays that are not contiguous, hence the copies. It writes
    several metadata keys in random order, hence the single one.
    """
    contiguous = {name: np.asarray(tensors[name], order="C") for name in sorted(tensors)}
    text = None if metadata is None else {"triptych": json.dumps(metadata, sort_keys=True)}
    write_whole(path, lambda temporary: save_file(contiguous, temporary, metadata=text))


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_tensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any] | None]:
    """Reads a safetensors file: its tensors, and what Triptych wrote beside them (None: not ours).

    Raises:
        InputError: the file is missing, truncated or no safetensors file.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = (file.metadata() or {}).get("triptych")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no dict: iterating it fails)
        return tensors, None if metadata is None else json.loads(metadata)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; allowed: a safetensors file written by triptych") from None
    except (SafetensorError, OSError, ValueError, TypeError) as error:  # TypeError: a dtype NumPy has not
        raise InputError(f"{path}: truncated or no safetensors file ({str(error).splitlines()[0]})") from None


def read_rows(path: Path | Traversable, torn: bool = False) -> list[dict[str, str]]:
    """The rows of a CSV file that Triptych wrote, by its line of column names.

    Args:
        torn: it may be written right now, or by a process that was killed; a last line without its end is left out.
    """
    text = path.read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1] if torn else text)))


def line(values: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()
