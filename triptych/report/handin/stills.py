"""A picture out of each film, for paper and for Markdown, which play none."""

from __future__ import annotations

import subprocess
from pathlib import Path

SECONDS = 120  # that ffmpeg may take for one
WIDEST = 480  # pixels


def still(film: Path) -> bytes | None:
    """A typical picture of a film's beginning, as PNG; None: it cannot be read, or nothing that reads films is installed."""
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        command = [get_ffmpeg_exe(), "-v", "error", "-i", str(film), "-vf", f"thumbnail=60,scale='min({WIDEST},iw)':-2"]
        command += ["-frames:v", "1", "-threads", "1", "-f", "image2pipe", "-c:v", "png", "-"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=True)
    except (ImportError, OSError, RuntimeError, subprocess.SubprocessError):
        return None
    return done.stdout or None
