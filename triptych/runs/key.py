"""This user's key on this machine: 32 random bytes in a file that only he can read. It is never printed."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from triptych.utils.console import warn
from triptych.utils.files import BINARY, NO_LINK

SIZE = 32


def key_file() -> Path | None:
    """Where the key lies; None: this user has no home."""
    name = "APPDATA" if os.name == "nt" else "XDG_CONFIG_HOME"
    given = os.environ.get(name, "")
    try:  # as XDG says, a relative path does not count
        parent = Path(given) if os.path.isabs(given) else Path.home() / ".config"
    except RuntimeError:
        return None
    return parent / "triptych" / "key"


def read_key(make: bool) -> bytes | None:
    """The key; None: there is none, and none could be made.

    Args:
        make: whether to make one where there is none, as a training does.
    """
    file = key_file()
    if file is None:
        return None
    if make and not os.path.lexists(file):
        with contextlib.suppress(OSError):  # a home that cannot be written: the run has no mark
            make_key(file)
    try:
        handle = os.open(file, os.O_RDONLY | NO_LINK | BINARY)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as opened:
        told = os.fstat(opened.fileno())
        if os.name != "nt" and (told.st_uid != os.getuid() or stat.S_IMODE(told.st_mode) & 0o077):
            warn(f"{file} is not only yours to read and is not used; allowed: a file of your own with mode 0600")
            return None
        key = opened.read(SIZE + 1) if stat.S_ISREG(told.st_mode) else b""
    return key if len(key) == SIZE else None


def make_key(file: Path) -> None:
    """Makes the key whole or not at all; of two processes that begin together one makes it."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = file.with_name(f"key-{secrets.token_hex(8)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK | BINARY, 0o600)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(secrets.token_bytes(SIZE))
            opened.flush()
            os.fsync(opened.fileno())
        try:
            os.link(temporary, file)  # unlike a rename it takes nobody's place
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            os.replace(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)
