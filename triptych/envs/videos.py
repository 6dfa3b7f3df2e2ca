"""Videos of games, H.264: a second set of games, shown as a person sees them, is given the same seeds and actions."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from triptych import envs
from triptych.envs.actions import action_names
from triptych.envs.bars import Decision, spread
from triptych.envs.config import DrawsNothing, GameConfig, Screen, names, no_pictures
from triptych.envs.games import Games
from triptych.envs.panels import Panel, check_pillow, sheet
from triptych.utils.checks import InputError
from triptych.utils.console import warn
from triptych.utils.files import fresh_folder, is_link, write_whole
from triptych.utils.install import install_hint


def check_video(config: GameConfig) -> None:
    """Refuses a video that could not be made.

    Raises:
        InputError: a package is missing, or the environment shows no picture.
    """
    check_tools()
    envs.make(screen_config(config), 1).close()


def check_tools() -> None:
    """Refuses videos where Pillow or the encoder is missing."""
    check_pillow()
    if importlib.util.find_spec("imageio_ffmpeg") is None:
        raise InputError(f"videos need imageio-ffmpeg, which is not installed: {install_hint('pixels')}")


WHOLE: dict[str, Any] = {
    "crop": (0.0, 1.0, 0.0, 1.0), "colour": True, "stack": 1, "size": None, "fill": "zeros", "observe": "all",
    "flicker": 0.0, "render": True, "layout": "auto", "drop": (), "position": "", "position_bounds": (),
}  # fmt: skip


def screen_config(config: GameConfig) -> GameConfig:
    """The same game, observed as its whole coloured screen, one picture at a time.

    Raises:
        DrawsNothing: its kind has no screen.
        InputError: its id is not known.
    """
    envs.find(config.id)  # which may bring a kind of its own
    config = envs.changed(config, {})
    if not (isinstance(config, Screen) or "render" in names(config)):
        raise no_pictures(config.id)
    return dataclasses.replace(config, **{name: value for name, value in WHOLE.items() if name in names(config)})


def own_screen(config: GameConfig) -> Games | None:
    """One game seen as a person sees it, which belongs to the caller; None: it draws no pictures.

    Raises:
        InputError: it cannot be made.
    """
    try:
        return envs.make(screen_config(config), 1)
    except DrawsNothing:
        return None


class Video:
    """A video that is being written, H.264. A context manager; the file appears, whole, when it ends.

    Args:
        path: the file, `.mp4`.
        fps: pictures a second.
    """

    def __init__(self, path: Path, fps: int):
        self.path, self.fps = path, fps
        self.encoder: subprocess.Popen[bytes] | None = None
        self.part = path  # where the encoder writes: a fresh file, once it begins
        self.failed = False
        self.made = False  # whether the file is there

    def __enter__(self) -> Video:
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

    def show(self, picture: np.ndarray) -> None:
        """Adds a picture [H, W, 3] of bytes, each as large as the first."""
        if self.failed:
            return
        if self.encoder is None:
            self.encoder = start_encoder(self.part, picture.shape[1], picture.shape[0], self.fps)
        assert self.encoder.stdin is not None
        try:
            self.encoder.stdin.write(np.ascontiguousarray(picture).tobytes())
        except OSError:  # the encoder has died, of a full disk perhaps: a video is not worth a run
            self.failed = True

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if self.finished() and kind is None:
                write_whole(self.path, lambda temporary: self.part.replace(temporary))
                self.made = True
            elif kind is None:
                warn(f"no video {self.path}: the encoder failed")
        finally:
            shutil.rmtree(self.part.parent, ignore_errors=True)

    def finished(self) -> bool:
        """Ends the encoder; whether it wrote the whole video."""
        if self.encoder is None or self.encoder.stdin is None:
            return False
        with contextlib.suppress(OSError):
            self.encoder.stdin.close()
        return self.encoder.wait() == 0


class Screening:
    """A game played again for the eye: its pictures, and the reward so far.

    Args:
        config: the game, as it is learned from.

    Raises:
        InputError: it draws no picture.
    """

    def __init__(self, config: GameConfig):
        self.games = envs.make(screen_config(config), 1)
        self.reward = 0.0
        self.running = False

    def reset(self, seed: int) -> np.ndarray:
        """Starts the game of a seed and returns its picture [H, W, 3]."""
        self.reward, self.running = 0.0, True
        return self.games.reset(np.array([seed]))[0, -1]

    def step(self, action: int) -> np.ndarray:
        self.games.send(np.array([action]))
        step = self.games.recv()
        self.reward += float(step.reward[0])
        self.running = not (step.terminated[0] or step.truncated[0])
        return step.obs[0, -1]

    def close(self) -> None:
        self.games.close()


class Film:
    """Films one game of a set, while it is played. A context manager; the file appears, whole, when it ends.

    Args:
        path: the file, `.mp4`.
        fps: pictures a second.
        title: above the game.
        colour: of the agent, "#d9560b".
        decided: gives what the agent has just decided in that game, whose bars are drawn beside it; None: no bars.
    """

    def __init__(
        self,
        config: GameConfig,
        path: Path,
        fps: int,
        title: str = "",
        colour: str = "#5b5b63",
        decided: Callable[[], Decision | None] | None = None,
    ):
        self.screening = Screening(config)
        self.video = Video(path, fps)
        self.title, self.colour, self.decided = title or config.id, colour, decided
        self.names = action_names(self.screening.games) if decided else ()
        self.running = False

    def __enter__(self) -> Film:
        self.video.__enter__()
        return self

    def reset(self, seed: int) -> None:
        """Starts the game of a seed."""
        self.picture, self.played, self.full = self.screening.reset(seed), 0, 0.0
        self.decision: Decision | None = None
        self.running = True

    def step(self, action: int) -> None:
        """The same action as in the game that is filmed; nothing once it has ended."""
        if not self.running:
            return
        self.decision = self.decided() if self.decided else None
        self.full = max(self.full, spread(self.decision))  # the largest so far: later ones are not known yet
        self.show()
        self.picture, self.played = self.screening.step(action), self.played + 1
        if not self.screening.running:
            self.stop()

    def stop(self) -> None:
        """The game filmed is counted as it stands."""
        if self.running:
            self.running = False
            self.show()

    def show(self) -> None:
        panel = Panel(
            self.title, self.colour, self.picture, self.screening.reward, self.played, not self.running,
            self.decision, self.names, self.full,
        )  # fmt: skip
        self.video.show(sheet([[panel]]))
        self.running = self.running and not self.video.failed

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self.video.__exit__(kind, error, trace)
        finally:
            self.screening.close()


def start_encoder(path: Path, width: int, height: int, fps: int) -> subprocess.Popen[bytes]:
    """ffmpeg, reading RGB pictures from its standard input.

    Not imageio-ffmpeg's own `write_frames`: it forks in a way that may deadlock beside JAX's threads.
    """
    from imageio_ffmpeg import get_ffmpeg_exe

    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(fps), "-i", "-"]
    # H.264 wants even sides; yuv420p and faststart are what browsers play.
    even = [
        "-vf",
        "pad=ceil(iw/2)*2:ceil(ih/2)*2",
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-pix_fmt",
        "yuv420p",
        "-threads",
        "1",
    ]
    command = [get_ffmpeg_exe(), "-y", "-loglevel", "error", *source, *even, "-movflags", "+faststart", "-f", "mp4"]
    # A session of its own: a terminal's Ctrl-C must not cut the video that is being made.
    return subprocess.Popen([*command, str(path)], stdin=subprocess.PIPE, start_new_session=True)
