"""Videos of games, H.264: a second set of games, shown as a person sees them, is given the same seeds and actions."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from triptych import envs
from triptych.envs.config import GameConfig, Screen, names
from triptych.utils.checks import InputError, check
from triptych.utils.console import warn
from triptych.utils.files import fresh_folder, is_link, write_whole
from triptych.utils.install import install_hint


def check_video(config: GameConfig) -> None:
    """Refuses a video that could not be made.

    Raises:
        InputError: the encoder is missing, or the environment shows no picture.
    """
    if importlib.util.find_spec("imageio_ffmpeg") is None:
        raise InputError(f"videos need imageio-ffmpeg, which is not installed: {install_hint('pixels')}")
    envs.make(screen_config(config), 1).close()


WHOLE: dict[str, Any] = {
    "crop": (0.0, 1.0, 0.0, 1.0), "colour": True, "stack": 1, "size": None, "fill": "zeros", "observe": "all",
    "flicker": 0.0, "render": True,
}  # fmt: skip


def screen_config(config: GameConfig) -> GameConfig:
    """The same game, observed as its whole coloured screen, one picture at a time.

    Raises:
        InputError: it draws none, or its id is not known.
    """
    envs.find(config.id)  # which may bring a kind of its own
    config = envs.changed(config, {})
    check(isinstance(config, Screen), "render", True, "False, as this game draws no screen")
    return dataclasses.replace(config, **{name: value for name, value in WHOLE.items() if name in names(config)})


class Film:
    """Films one game of a set. A context manager; the file appears, whole, when it ends.

    Args:
        path: the file, `.mp4`.
        fps: pictures a second.
    """

    def __init__(self, config: GameConfig, path: Path, fps: int):
        self.games = envs.make(screen_config(config), 1)
        self.path, self.fps = path, fps
        self.encoder: subprocess.Popen[bytes] | None = None
        self.part = path  # where the encoder writes: a fresh file, once it begins
        self.running = False
        self.made = False  # whether the file is there

    def __enter__(self) -> Film:
        if is_link(self.path.parent):
            raise InputError(f"{self.path.parent} is a link; allowed: a folder of the run's own")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.part = fresh_folder(self.path.parent) / "film"
        except OSError as error:
            raise InputError(
                f"{self.path.parent} cannot be written: {error.strerror}; allowed: a writable folder"
            ) from None
        return self

    def reset(self, seed: int) -> None:
        """Starts the game of a seed."""
        self.running = True
        self.show(self.games.reset(np.array([seed])))

    def step(self, action: int) -> None:
        """The same action as in the game that is filmed; nothing once it has ended."""
        if not self.running:
            return
        self.games.send(np.array([action]))
        step = self.games.recv()
        self.show(step.obs)
        self.running = not (step.terminated[0] or step.truncated[0])

    def stop(self) -> None:
        """The game filmed is counted as it stands."""
        self.running = False

    def show(self, obs: np.ndarray) -> None:
        screen = obs[0, -1]  # [H, W, 3]
        if self.encoder is None:
            self.encoder = start_encoder(self.part, screen.shape[1], screen.shape[0], self.fps)
        assert self.encoder.stdin is not None
        try:
            self.encoder.stdin.write(np.ascontiguousarray(screen).tobytes())
        except OSError:  # the encoder has died, of a full disk perhaps: a video is not worth a run
            self.running = False

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if self.finished() and kind is None:
                write_whole(self.path, lambda temporary: self.part.replace(temporary))
                self.made = True
            elif kind is None:
                warn(f"no video {self.path}: the encoder failed")
        finally:
            shutil.rmtree(self.part.parent, ignore_errors=True)
            self.games.close()

    def finished(self) -> bool:
        """Ends the encoder; whether it wrote the whole video."""
        if self.encoder is None or self.encoder.stdin is None:
            return False
        with contextlib.suppress(OSError):
            self.encoder.stdin.close()
        return self.encoder.wait() == 0


def start_encoder(path: Path, width: int, height: int, fps: int) -> subprocess.Popen[bytes]:
    """ffmpeg, reading RGB pictures from its standard input.

    Not imageio-ffmpeg's own `write_frames`: it forks in a way that may deadlock beside JAX's threads.
    """
    from imageio_ffmpeg import get_ffmpeg_exe

    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(fps), "-i", "-"]
    # H.264 wants even sides; yuv420p and faststart are what browsers play.
    even = ["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-threads", "1"]
    command = [get_ffmpeg_exe(), "-y", "-loglevel", "error", *source, *even, "-movflags", "+faststart", "-f", "mp4"]
    # A session of its own: a terminal's Ctrl-C must not cut the video that is being made.
    return subprocess.Popen([*command, str(path)], stdin=subprocess.PIPE, start_new_session=True)
