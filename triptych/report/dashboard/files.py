"""What the system says of files: when they were written, and which a process holds."""

from __future__ import annotations

import os
from pathlib import Path

LOCKS = Path("/proc/locks")  # Linux says there which files are locked; to ask with a lock of one's own would stop a run


def told_of(file: Path) -> os.stat_result | None:
    try:
        return file.lstat()
    except OSError:
        return None


def changed(file: Path) -> float:
    """When a file was last written; 0: there is none."""
    told = told_of(file)
    return told.st_mtime if told else 0.0


def locked() -> set[tuple[str, int]] | None:
    """The files that are locked on this machine, as device and inode; None: the system does not say."""
    try:
        lines = LOCKS.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    found = set()
    for line in lines:
        words = line.split()
        if "FLOCK" in words and "WRITE" in words:
            device, _, inode = next((word for word in words if word.count(":") == 2), "::0").rpartition(":")
            found.add((device, int(inode) if inode.isdigit() else 0))
    return found


def is_held(lock: Path, held: set[tuple[str, int]] | None) -> bool:
    """Whether a process holds a run's lock."""
    if held is None:
        return False
    told = told_of(lock)
    if told is None:
        return False
    if os.major(told.st_dev) == 0:  # of btrfs, overlays and NFS, whose files are locked under another device's number
        return any(inode == told.st_ino for _, inode in held)
    return (f"{os.major(told.st_dev):02x}:{os.minor(told.st_dev):02x}", told.st_ino) in held
