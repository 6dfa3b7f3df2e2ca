"""Films for tools that show pictures alone: an MP4 as an animated GIF."""

from __future__ import annotations

import importlib.util
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

FRAMES_A_SECOND, SECONDS, WIDTH = 10, 30, 480  # of a GIF at most: each of them is kept whole in the tool's log
PATIENCE = 300.0  # seconds that ffmpeg has


@dataclass(frozen=True)
class Gif:
    content: bytes
    width: int
    height: int


def gif_of(film: Path) -> Gif | None:
    """The film's first half minute as an animated GIF; None where no encoder is installed."""
    if importlib.util.find_spec("imageio_ffmpeg") is None:
        return None
    import imageio_ffmpeg

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "film.gif"
        small = f"fps={FRAMES_A_SECOND},scale='min({WIDTH},iw)':-2:flags=area"
        colours = f"{small},split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=none"
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-t", str(SECONDS), "-i", str(film), "-vf", colours]
        subprocess.run([*command, "-threads", "1", str(out)], check=True, stdin=subprocess.DEVNULL, timeout=PATIENCE)
        content = out.read_bytes()
    return Gif(content, int.from_bytes(content[6:8], "little"), int.from_bytes(content[8:10], "little"))
