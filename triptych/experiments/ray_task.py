"""A job as a Ray task: given to a node, watched, brought home, and begun again where the node is lost."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from pathlib import Path
from typing import Any

from triptych import __version__
from triptych.experiments.ray_host import Host, at_home
from triptych.runs.folder import RunFolder
from triptych.runs.names import REWOUND, is_bare
from triptych.runs.travel import CHUNK, Listing, bring, listing, send, texts_of
from triptych.runs.trust import marks
from triptych.utils import machine
from triptych.utils.checks import InputError
from triptych.utils.child import PATIENCE
from triptych.utils.cluster import task_options
from triptych.utils.console import warn
from triptych.utils.failures import first_line
from triptych.utils.files import open_own, remove, sha256
from triptych.utils.locks import wait_for_lock

LOOK = 0.5  # seconds between two looks at a job
BRING = 20.0  # seconds between two times that a run's files come home
SILENT = 120.0  # seconds without an answer after which a node's job is given up
TRIES = 5  # times that a job is begun without getting further


class RayJob:
    """A job on a cluster: a `Host` on one of its nodes, and another one where that is lost.

    Attributes:
        state: "waiting" for cores, "begins", "runs", "saves" or "ended".
    """

    def __init__(self, ray: Any, entry: str, kind: str, job: dict[str, Any], cores: int):
        self.ray, self.entry, self.kind, self.cores = ray, entry, kind, cores
        self.home = Path(job["runs_dir"]).absolute() / job["run_name"]
        self.names: list[str] | None = job.get(
            "carries"
        )  # files that a job reads; None: all of a run that it goes on with
        self.job, self.texts = with_texts(job)
        self.name = job["run_name"]
        self.code: int | None = None
        self.found: dict[str, Any] = {}
        self.told = False
        self.losses, self.furthest = 0, -1
        self.lock: RunFolder | None = None
        self.steps, self.reward = 0, None
        self.begin()

    def begin(self) -> None:
        """Asks for a host; it may take long until there are cores for it."""
        options = task_options(self.cores)
        if str(self.job.get("device", "")).startswith("cuda"):
            options["num_gpus"] = 1
        self.host = self.ray.remote(Host).options(**options).remote()
        self.state, self.node, self.shared = "waiting", "", True
        self.known: Listing = {}
        self.asked = self.brought = time.monotonic()
        self.pending: Any = self.host.begin.remote(str(self.home), *self.mark())

    def mark(self) -> tuple[str, str]:
        """A file of the run's folder and its SHA-256, by which a node knows that it sees this very folder."""
        if self.names is not None:
            return self.names[0], sha256(self.home / self.names[0])
        self.home.mkdir(parents=True, exist_ok=True)
        with os.fdopen(open_own(self.home / ".lock", os.O_RDWR | os.O_CREAT), "r+b") as file:
            file.write(secrets.token_bytes(16))
        return ".lock", sha256(self.home / ".lock")

    def poll(self) -> int | None:
        if self.code is None:
            errors = self.ray.exceptions
            try:
                self.go_on()
            except (errors.RayActorError, errors.ObjectLostError, errors.GetTimeoutError) as error:
                self.lost(error)
            except errors.RayError as error:
                self.conclude(1, {"failed": f"the job's node failed: {first_line(error)}"})
            except InputError as error:
                self.conclude(1, {"error": str(error)})
        return self.code

    def answer(self) -> dict[str, Any]:
        return self.found

    def go_on(self) -> None:
        """Takes what the host has answered, if it has, and asks the next."""
        now = time.monotonic()
        if self.pending is None:
            if now - self.asked >= LOOK:
                self.pending, self.asked = self.host.look.remote(), now
            return
        if not self.ray.wait([self.pending], timeout=0)[0]:
            if self.state != "waiting" and now - self.asked > SILENT:
                raise self.ray.exceptions.GetTimeoutError(f"no answer for {SILENT:.0f} seconds")
            return
        answer, self.pending = self.ray.get(self.pending), None
        if self.state == "waiting":
            self.start(answer)
        else:
            self.take(answer)

    def ask(self, method: str, *arguments: Any) -> Any:
        """A host's answer, waited for."""
        return self.ray.get(getattr(self.host, method).remote(*arguments), timeout=SILENT)

    def start(self, found: dict[str, Any]) -> None:
        """The host is there: gives it the job, and what lies here of its run."""
        self.node, self.shared, self.runs = found["host"], found["shared"], found["runs"]
        if found["version"] != __version__:
            raise InputError(
                f"node {self.node} has triptych {found['version']}, and this machine {__version__}; allowed: one version"
            )
        if not self.shared:
            self.send_run()
        job = self.job | {"runs_dir": self.runs}
        variables = {name: value for name, value in os.environ.items() if name.startswith("TRIPTYCH_")}
        self.ask("start", self.entry, self.kind, job, self.texts, variables)
        self.state = "runs"

    def send_run(self) -> None:
        """Gives the node what a job needs: of a run that goes on all files, which nobody else may write meanwhile."""
        if self.names is None and self.lock is None:
            self.lock = RunFolder(self.home)
        names = listing(self.home) if self.names is None else self.names
        send(self.home, names, lambda *piece: self.ask("write", *piece))
        self.known = self.ask("list")

    def take(self, look: dict[str, Any]) -> None:
        """What the job has printed, how far it is, and its end."""
        for line in look["said"]:
            warn(f"{self.name}: {line.removeprefix('warning: ')}")
        self.steps, self.reward = look.get("steps", self.steps), look.get("reward", self.reward)
        now = time.monotonic()
        if not self.shared and (look["code"] is not None or now - self.brought > BRING):
            came = self.bring(look["code"] is not None)
            self.brought = time.monotonic()
            if not came and look["code"] is not None:
                self.conclude(
                    1, {"failed": f"its files changed on {self.node} while they were copied, after it had ended"}
                )
                return
        if look["code"] is None:
            return
        found = at_home(look["answer"], self.runs, str(Path(self.job["runs_dir"])))
        if not self.told and ("interrupted" in found or (not found and look["code"] < 0)):  # its node is going down
            self.lost(RuntimeError(f"its process was ended by signal {-look['code']}"))
            return
        if "error" in found:
            found["error"] = f"node {self.node}: {found['error']}"
        self.conclude(look["code"], found)

    def bring(self, ended: bool) -> bool:
        """Brings home what is new of the run; False: it changed meanwhile, and comes the next time."""
        for _ in range(3 if ended else 1):
            there = self.ask("list")
            if bring(self.home, self.known, there, self.read, self.marks_of, drop=self.names is None):
                self.known = there
                return True
        return False

    def marks_of(self, recorded: Any) -> dict[str, Any]:
        """What config.json says here of what the run runs: of the recipe, and of the text of its file, that the node was given."""
        if json.dumps(recorded, sort_keys=True) != json.dumps(self.job["recipe"], sort_keys=True):
            raise InputError(
                f"node {self.node} has trained another recipe than {self.name}'s; allowed: the one that it is given"
            )
        text = self.texts.get(str(Path(recorded["source"]).absolute()))
        return marks(recorded, self.home, None if text is None else text.encode())

    def read(self, name: str, target: Path) -> bool:
        """Copies a file of the run from the node; False: it has gone, or another one has come into its place."""
        written = None
        with open(target, "wb") as file:
            while True:
                found = self.ask("read", name, file.tell(), CHUNK)
                if found is None or (found[1] != written is not None and name not in REWOUND):  # which only grow
                    return False
                piece, written = found
                file.write(piece)
                if len(piece) < CHUNK:
                    return True

    def lost(self, error: Exception) -> None:
        """The node, or the worker on it, is gone: the job begins again, with what there is of its run."""
        if self.told:
            self.conclude(1, self.left())
            return
        self.losses = 1 if self.steps > self.furthest else self.losses + 1
        self.furthest = max(self.steps, self.furthest)
        self.drop_host()
        if self.losses >= TRIES:
            self.conclude(1, {"failed": f"lost {TRIES} times, and got no further ({first_line(error)})"})
            return
        warn(f"{self.name}: lost on {self.node or 'its node'} ({first_line(error)}); it begins again where it was")
        self.begin()

    def left(self) -> dict[str, Any]:
        """The answer for a job whose host went away while it was to stop: its process ends by itself, once it has saved."""
        if self.names is not None or not (self.home / "config.json").is_file():
            return {}
        if self.shared:
            with os.fdopen(open_own(self.home / ".lock", os.O_RDWR | os.O_CREAT), "r+b") as file:
                wait_for_lock(file, PATIENCE)
        return {"interrupted": str(Path(self.job["runs_dir"]) / self.job["run_name"])}

    def take_fewer(self, cores: int) -> None:
        """Waits for fewer cores from now on."""
        self.ray.kill(self.host)
        self.cores = cores
        self.begin()

    def conclude(self, code: int, found: dict[str, Any]) -> None:
        """The job has ended."""
        self.code, self.found, self.state = code, found, "ended"
        self.drop_host()
        if self.lock is not None:
            self.lock.__exit__(None, None, None)
        with contextlib.suppress(OSError):  # that it has gone is as good
            if self.names is None and is_bare(self.home):  # nothing came of it
                remove(self.home / "checkpoints")
                (self.home / ".lock").unlink(missing_ok=True)
                self.home.rmdir()

    def drop_host(self) -> None:
        """Ends the host, which removes its folder first if it can."""
        with contextlib.suppress(Exception):
            self.ray.get(self.host.end.remote(), timeout=5.0)
        with contextlib.suppress(Exception):
            self.ray.kill(self.host)

    def stop(self, by_console: bool) -> None:
        self.told = True
        if self.state == "waiting":
            self.conclude(1, {})
            return
        self.state = "saves"
        with contextlib.suppress(Exception):
            self.ray.get(self.host.stop.remote(), timeout=PATIENCE)

    def kill(self) -> None:
        if self.code is None:
            self.told = True
            self.conclude(1, {})


def with_texts(job: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The job as a node gets it, and the user's files that it runs."""
    texts = texts_of(job["files"])
    # As here, where the recipe leaves it open: another number would give other bits.
    return job | {"quiet": True, "threads": machine.threads_for(None)}, texts
