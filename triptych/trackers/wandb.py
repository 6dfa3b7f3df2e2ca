"""Weights & Biases: online where a key is found, else offline, which needs no account; `WANDB_MODE` and its like are W&B's own.

Offline each session writes a file of its own, which `wandb sync` puts together to one run.
"""

from __future__ import annotations

import contextlib
import netrc
import os
import secrets
import shlex
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import psutil
import wandb

from triptych.trackers.base import FILM, PROJECT, About, Point, plain_name
from triptych.trackers.columns import STEP
from triptych.trackers.wandb_file import read_logged
from triptych.utils.checks import check
from triptych.utils.machine import is_there

CLOUD, CLOUD_NOW = (
    "api.wandb.ai",
    "forge.coreweave.com",
)  # W&B's own server, and its name of late: a key for either will do
PATIENCE = 60.0  # seconds that W&B's own process of an earlier session has to end


def open_run(about: About) -> WandbRun:
    return WandbRun(about)


class WandbRun:
    """A run of W&B."""

    late = True

    def __init__(self, about: About):
        wait_for(about.kept.get("processes", []))
        self.run = about.run or secrets.token_hex(4)
        self.mode = mode_now()
        self.project = about.kept.get("project") or os.environ.get("WANDB_PROJECT") or PROJECT
        self.folder = Path(os.environ.get("WANDB_DIR") or about.folder.absolute())
        self.about = about
        self.opened: Any = None
        self.name = f"{plain_name(about.name)}-{self.run}"
        place = shlex.quote(str(self.folder / "wandb"))
        self.where = f"offline; upload it with: wandb sync {place}/offline-run-*-{self.run}*"
        self.next = int(about.kept.get("next", 0))  # W&B's own number of what is logged next
        self.sessions = int(about.kept.get("sessions", 0))  # offline ones so far, a file each
        self.shown: dict[str, int] = dict(about.kept.get("shown", {}))  # W&B's numbers of films, by their files

    @property
    def open(self) -> Any:
        """The session in W&B, begun when it is needed: offline each leaves a file, which should hold something."""
        if self.opened is None:
            self.opened = self.begin(self.about)
        return self.opened

    def begin(self, about: About) -> Any:
        own = wandb.Settings(
            console="off", silent=True, x_disable_stats=True, x_disable_meta=True, x_save_requirements=False,
            disable_git=True, save_code=False,
        )  # fmt: skip
        opened = wandb.init(
            project=self.project, id=self.run, name=about.name, dir=str(self.folder), mode=self.mode,
            config=dict(about.settings), group=os.environ.get("WANDB_RUN_GROUP") or about.group,
            resume="allow" if self.mode == "online" else None, settings=own,
        )  # fmt: skip
        opened.define_metric(STEP)
        opened.define_metric("*", step_metric=STEP)
        return opened

    def files(self) -> list[Path]:
        """The files of the offline sessions, as far as they are there still."""
        # Of two sessions in the same second the second one's folder ends on "-1".
        return sorted((self.folder / "wandb").glob(f"offline-run-*-{self.run}*/run-{self.run}.wandb"))

    def held(self) -> int | None:
        """As the server says, or the files of the offline sessions; None: some of those were uploaded, and then removed."""
        if self.mode == "online":
            return self.held_online()
        logged = read_logged(self.files())
        none_removed = len(self.files()) >= self.sessions
        if none_removed or logged.next is not None:
            self.next = logged.next or 0
        if logged.row is None:
            return 0 if none_removed else None
        return logged.row + 1

    def held_online(self) -> int:
        """Counted by W&B's own numbers, which rows and films have in turn: the summary may know more than the history has."""
        known, self.next, self.where = self.next, self.open.starting_step, str(self.open.url)
        self.shown = {name: number for name, number in self.shown.items() if number < self.next}
        newest = self.open.summary.get(FILM)
        if self.next > known and newest not in (None, *self.shown):  # killed before the folder knew of it
            self.shown[newest] = known
        return int(self.next) - len(self.shown)

    def films(self) -> Collection[str] | None:
        return read_logged(self.files()).films if self.mode == "offline" else self.shown

    def rows(self, points: Sequence[Point]) -> None:
        for point in points:
            self.log(point.marked())

    def log(self, content: Mapping[str, Any]) -> None:
        self.open.log(dict(content), step=self.next, commit=True)  # else it waits for the next one
        self.next += 1

    def test(self, name: str, values: Mapping[str, float], step: int) -> None:
        self.open.summary.update({f"test/{name}/{key}": value for key, value in values.items()})

    def video(self, name: str, file: Path, step: int) -> None:
        self.shown[file.name] = self.next
        self.log({name: wandb.Video(str(file), format="mp4"), FILM: file.name, STEP: step})

    def weights(self, alias: str, files: Mapping[str, Path], step: int) -> None:
        artifact = wandb.Artifact(self.name, type="model", metadata={"weights": alias, STEP: step})
        for name, file in files.items():
            artifact.add_file(str(file), name=name)
        self.open.log_artifact(artifact, aliases=[alias])

    def kept(self) -> Mapping[str, Any]:
        """Rows are not durable yet, and need not be: `held` asks W&B's own files."""
        processes = [] if self.opened is None else own_processes()
        self.sessions = max(self.sessions, len(self.files()))
        places = {"next": self.next, "sessions": self.sessions, "shown": self.shown}
        return {"project": self.project, "processes": processes, **places}

    def close(self) -> None:
        if self.opened is not None:
            self.opened.finish()
            self.opened = None


def mode_now() -> Any:
    """Online or offline: as `WANDB_MODE` or W&B's own settings say, but offline where it would ask for a key.

    Raises:
        InputError: W&B is switched off.
    """
    mode = wandb.setup().settings.mode
    check(mode in ("online", "offline"), "W&B's mode", mode, "online, offline (WANDB_MODE, or its settings)")
    return "offline" if mode == "online" and not (os.environ.get("WANDB_MODE") or has_key()) else mode


def server() -> str:
    """The address of W&B's server, as its own settings say: WANDB_BASE_URL, or where `wandb login --host` has left it."""
    return str(wandb.setup().settings.base_url)


def has_key() -> bool:
    """Whether W&B would find a key to log in with, without asking for one."""
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE") or wandb.setup().settings.api_key:
        return True
    host = urlparse(server()).netloc  # with its port, as W&B keeps it
    hosts = (host, *([CLOUD] if host.endswith(CLOUD_NOW) else []))
    files = [os.environ.get("NETRC"), *(Path.home() / name for name in (".netrc", "_netrc"))]
    for file in filter(None, files):
        with contextlib.suppress(OSError, netrc.NetrcParseError):
            if any(map(netrc.netrc(str(file)).authenticators, hosts)):
                return True
    return False


def own_processes() -> list[list[float]]:
    """W&B's process beneath this one, which writes its files: pid, and when it began."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):  # gone meanwhile
            if "wandb" in child.name():
                found.append([child.pid, child.create_time()])
    return found


def wait_for(processes: Sequence[Sequence[float]]) -> None:
    """Waits for W&B's process of a session that was killed: it writes on for a moment."""
    end = time.monotonic() + PATIENCE
    for pid, begun in processes:
        while time.monotonic() < end and is_there(int(pid), begun):
            time.sleep(0.1)
