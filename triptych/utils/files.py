"""Files that are whole or not there: written in a fresh folder, fsync, rename, fsync of the folder. No link is followed."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from triptych.utils.checks import InputError
from triptych.utils.reading import parse_json, typed

TEMPORARY = ".tmp"  # the ending of what is being written; a resume removes what is left of them
NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # Windows has none: there a link is looked for before
BINARY = getattr(os, "O_BINARY", 0)

UMASK = os.umask(0o022)
os.umask(UMASK)  # reading it means setting it


def check_new_file(path: Path, allowed: str = "a file in a folder that is there") -> None:
    """Refuses a file that `--out` names where none can be written: its folder is not made, as its name may be a misspelt one.

    Raises:
        InputError: it is a folder, or the folder that it would lie in is not there.
    """
    if path.is_dir():
        raise InputError(f"out is {str(path)!r}, a folder; allowed: {allowed}")
    if not path.parent.is_dir():
        raise InputError(f"out is {str(path)!r}, but there is no folder {str(path.parent)!r}; allowed: {allowed}")


def sync_folder(folder: Path) -> None:
    """Makes a rename in `folder` survive a power cut. Windows cannot open folders and needs no such call."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def fresh_folder(parent: Path) -> Path:
    """A new folder that only this user may enter, under a name that nobody can have put a link at."""
    return Path(tempfile.mkdtemp(suffix=TEMPORARY, prefix="writing-", dir=parent))


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Calls `write(temporary path)`, then puts the result in place of `path` in one rename."""
    folder = fresh_folder(path.parent)
    temporary = folder / "new"
    try:
        write(temporary)
        os.chmod(temporary, 0o666 & ~UMASK)  # safetensors makes its files unreadable for others
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sync_folder(path.parent)


def is_link(path: Path) -> bool:
    """Whether it stands for something elsewhere: a symbolic link, or Windows' junction."""
    is_junction = getattr(os.path, "isjunction", None)  # Python 3.12
    return path.is_symlink() or (is_junction is not None and is_junction(path))


def cache_folder() -> Path | None:
    """Where this user's programs keep what can be made again; None: this user has no home."""
    name = "LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME"
    given = os.environ.get(name, "")
    try:  # as XDG says, a relative path does not count
        home = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    except RuntimeError:
        return None
    return (Path(given) if os.path.isabs(given) else home) / "triptych"


def open_own(path: Path, flags: int) -> int:
    """A file's descriptor to write to; never another file's, which a link would name.

    Raises:
        InputError: it is a link.
    """
    if is_link(path):
        raise InputError(f"{path} is a link; allowed: a file of the run's own")
    return os.open(path, flags | NO_LINK | BINARY, 0o666)


def remove(path: Path) -> None:
    """Removes a file, a folder with all in it, or a link, whose target stays."""
    if path.is_dir() and not is_link(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def write_json(path: Path, content: Any, indent: int | None = 2) -> None:
    """Writes JSON with sorted keys, whole or not at all; with `indent` None in one line, for numbers that nobody reads."""
    text = json.dumps(as_json(content), indent=indent, sort_keys=True, allow_nan=False) + "\n"
    write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def as_json(content: Any) -> Any:
    """The same with None for every number that is not finite: JSON knows neither NaN nor infinity."""
    if isinstance(content, dict):
        return {key: as_json(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [as_json(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def write_tensors(path: Path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, Any] | None = None) -> None:
    """Writes a safetensors file, whole or not at all; equal content gives equal bytes.

    safetensors 0.8 silently corrupts arrays that are not contiguous, hence the copies. It writes
    several metadata keys in random order, hence the single one.
    """
    contiguous = {name: np.asarray(tensors[name], order="C") for name in sorted(tensors)}
    text = None if metadata is None else {"triptych": json.dumps(metadata, sort_keys=True)}
    write_whole(path, lambda temporary: save_or_tell(contiguous, temporary, text))


def save_or_tell(tensors: dict[str, np.ndarray], path: Path, metadata: dict[str, str] | None) -> None:
    """Calls safetensors; what the system refused it, such as room on the disk, becomes an OSError as everywhere else."""
    try:
        save_file(tensors, path, metadata=metadata)
    except SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from None


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
        return tensors, None if metadata is None else typed(
            parse_json(metadata, path), dict[str, Any], path, "metadata"
        )
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; allowed: a safetensors file written by triptych") from None
    except InputError:
        raise
    except (SafetensorError, OSError, ValueError, TypeError) as error:  # TypeError: a dtype NumPy has not
        raise InputError(f"{path}: truncated or no safetensors file ({str(error).splitlines()[0]})") from None


def line(values: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()
