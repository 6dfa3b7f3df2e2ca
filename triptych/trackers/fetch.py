"""Weights back from where a tracker, or anybody, keeps them: into a folder that `evaluate` takes.

What comes from there may be a stranger's: of it only a config, weights (safetensors, no pickle) and the recipe's file are taken, each is
read once, and what the recipe names runs where `evaluate` is told so, as for every run that comes from elsewhere.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from triptych.runs.names import RECIPE_FILE, fresh_name, new_path, run_path
from triptych.runs.records import read_config
from triptych.trackers.base import plain_name
from triptych.trackers.failures import told_in_a_line
from triptych.trackers.mirror import ALIASES
from triptych.trackers.registry import check_trackers
from triptych.utils.checks import InputError
from triptych.utils.files import is_link, read_tensors
from triptych.utils.install import install_hint

SOURCES = "wandb:ENTITY/PROJECT/NAME:best, hf:OWNER/REPO or hf:OWNER/REPO:FILE, mlflow:RUN:best, or a run folder"
SECONDS = 20.0  # that a server has to answer


@dataclass(frozen=True)
class Fetched:
    """Weights that were brought here."""

    path: Path  # what `evaluate` takes: a folder, or a weights file where no config came with it
    source: str
    weights: list[str]  # "best", "latest", or a file's name


def fetch(source: str, *, runs_dir: str | Path = "runs", run_name: str | None = None) -> Fetched:
    """Brings weights here, with the settings that they were trained with.

    Args:
        source: "wandb:ENTITY/PROJECT/NAME:best" (or :latest, or a version), "hf:OWNER/REPO" or "hf:OWNER/REPO:FILE",
            "mlflow:RUN:best", or a run folder.
        runs_dir: where the new folder is made.
        run_name: its name; None: a fresh one, after what is fetched.

    Raises:
        InputError: there is nothing of that name, it cannot be reached, or it is not what Triptych wrote.
    """
    kind, _, rest = source.partition(":")
    with tempfile.TemporaryDirectory() as temporary:
        here = run_path(source, runs_dir)
        if here.exists():
            return take(here, source, here.resolve().name, runs_dir, run_name)
        if kind not in FETCHERS or not rest:
            raise InputError(f"source is {source!r}; allowed: {SOURCES}")
        with told_in_a_line(f"source is {source!r}, which is not to be had", SOURCES):
            FETCHERS[kind](rest, Path(temporary))
        return take(Path(temporary), source, plain_name(rest.split("/")[-1]), runs_dir, run_name)


def take(found: Path, source: str, name: str, runs_dir: str | Path, run_name: str | None) -> Fetched:
    """Makes a folder of what was found, once all of it has been read."""
    files = weights_in(found)
    for file in files:
        if read_tensors(file)[1] is None:
            raise InputError(f"source is {source!r}, whose {file.name} was not written by triptych; allowed: {SOURCES}")
    if not files:
        raise InputError(f"source is {source!r}, which holds no weights; allowed: {SOURCES}")
    folder = found if found.is_dir() else found.parent
    has_config = found.is_dir() and (folder / "config.json").is_file()
    if has_config:
        read_config(folder)
    target = new_path(run_name or fresh_name(plain_name(name), runs_dir), runs_dir)
    (target / "checkpoints").mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, target / "checkpoints" / file.name)
    for other in ("config.json", RECIPE_FILE) if has_config else ():
        if (folder / other).is_file() and not is_link(folder / other):
            shutil.copyfile(folder / other, target / other)
    path = target if has_config else target / "checkpoints" / files[0].name
    return Fetched(path, source, [file.stem for file in files])


def weights_in(found: Path) -> list[Path]:
    """The best and the latest weights of a folder like a run's; else the weights that lie in it, or the file itself."""
    if found.is_file():
        return [found]
    own = [found / "checkpoints" / f"{alias}.safetensors" for alias in ALIASES]
    some = [file for file in own if file.is_file()] or sorted(found.rglob("*.safetensors"))[:1]
    return [file for file in some if not is_link(file)]


def from_wandb(name: str, folder: Path) -> None:
    """An artifact, by ENTITY/PROJECT/NAME:ALIAS."""
    check_trackers(["wandb"])
    if name.count("/") != 2:
        raise InputError(f"source is 'wandb:{name}'; allowed: wandb:ENTITY/PROJECT/NAME:best")
    check_reachable(f"wandb:{name}", os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai"))
    from triptych.trackers.wandb import has_key

    if not has_key():
        raise InputError(
            f"source is 'wandb:{name}', and W&B has no key of yours; allowed: after `wandb login`, or with WANDB_API_KEY"
        )
    import wandb

    path = name if ":" in name.rsplit("/", 1)[-1] else f"{name}:best"
    wandb.Api(timeout=int(SECONDS)).artifact(path).download(root=str(folder))


def from_hub(name: str, folder: Path) -> None:
    """A repository of the Hugging Face Hub, or a file of it."""
    if importlib.util.find_spec("huggingface_hub") is None:
        raise InputError(f"source is 'hf:{name}', and huggingface-hub is not installed: {install_hint('hub')}")
    check_reachable(f"hf:{name}", os.environ.get("HF_ENDPOINT", "https://huggingface.co"))
    from huggingface_hub import hf_hub_download, snapshot_download

    repository, _, file = name.partition(":")
    if file:
        hf_hub_download(repository, file, local_dir=folder)
    else:
        wanted = [
            "config.json",
            RECIPE_FILE,
            "*.safetensors",
            "checkpoints/best.safetensors",
            "checkpoints/latest.safetensors",
        ]
        snapshot_download(repository, allow_patterns=wanted, local_dir=folder)


def from_mlflow(name: str, folder: Path) -> None:
    """The weights of a run, by RUN or RUN:ALIAS."""
    check_trackers(["mlflow"])
    from mlflow.tracking import MlflowClient

    run, _, alias = name.partition(":")
    found = Path(MlflowClient().download_artifacts(run, f"weights/{alias or ALIASES[0]}", str(folder)))
    shutil.copytree(found, folder, dirs_exist_ok=True)


FETCHERS: dict[str, Callable[[str, Path], Any]] = {"wandb": from_wandb, "hf": from_hub, "mlflow": from_mlflow}


def check_reachable(source: str, address: str) -> None:
    """Refuses at once what has no network: the tools' own libraries try for minutes.

    Raises:
        InputError: nobody answers there. Behind a proxy that is not asked.
    """
    there = urlparse(address)
    if os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy") or there.hostname is None:
        return
    try:
        socket.create_connection(
            (there.hostname, there.port or (80 if there.scheme == "http" else 443)), SECONDS
        ).close()
    except OSError as error:
        said = error.strerror or str(error)
        raise InputError(
            f"source is {source!r}, and {there.hostname} cannot be reached ({said}); allowed: with a network"
        ) from None
