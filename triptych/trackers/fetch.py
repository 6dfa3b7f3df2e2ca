"""Weights back from where a tracker, or anybody, keeps them: into a folder that `evaluate` takes.

What comes from there may be a stranger's: of it only a config, weights (safetensors, no pickle) and the recipe's file are taken, when they
have been read, and what the recipe names runs where `evaluate` is told so, as for every run that comes from elsewhere.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
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
from triptych.trackers.reachable import SECONDS, check_reachable, is_of_network
from triptych.trackers.registry import check_trackers
from triptych.utils.checks import InputError
from triptych.utils.files import is_link, read_tensors, remove
from triptych.utils.install import install_hint

SOURCES = "wandb:ENTITY/PROJECT/NAME:best, hf:OWNER/REPO or hf:OWNER/REPO:FILE, mlflow:RUN:best, or a run folder"
ONLINE = "logged in (`wandb login`, or WANDB_API_KEY) and online"


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
    here = run_path(source, runs_dir)
    if source and here.exists():
        return take(here, source, here.resolve().name, runs_dir, run_name)
    if kind not in FETCHERS or not rest:
        raise InputError(f"source is {source!r}; allowed: {SOURCES}")
    with tempfile.TemporaryDirectory() as temporary:
        with told_in_a_line(f"source is {source!r}, which is not to be had", SOURCES):
            found = FETCHERS[kind](rest, Path(temporary))
        return take(found, source, rest.split("/")[-1], runs_dir, run_name)


def take(found: Path, source: str, name: str, runs_dir: str | Path, run_name: str | None) -> Fetched:
    """Makes a folder of what was found, a folder or a file, once all of it has been read.

    Args:
        name: what to call it where the user has not said so.
    """
    files = weights_in(found, source)
    for file in files:
        if read_tensors(file)[1] is None:
            raise InputError(f"source is {source!r}, whose {file.name} was not written by triptych; allowed: {SOURCES}")
    beside = [found / name for name in ("config.json", RECIPE_FILE)]
    beside = [file for file in beside if file.is_file() and not is_link(file)]
    has_config = found / "config.json" in beside
    if has_config:
        read_config(found)
    name = plain_name(name.removesuffix(".safetensors"))
    target = new_path(run_name or fresh_name(name, runs_dir), runs_dir)
    is_new = run_name is None or not target.exists()
    try:
        (target / "checkpoints").mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copyfile(file, target / "checkpoints" / file.name)
        for file in beside if has_config else ():
            shutil.copyfile(file, target / file.name)
    except OSError:
        if is_new:  # nothing half is left behind
            remove(target)
        raise
    is_run = has_config and files[0].stem in ALIASES
    path = target if is_run else target / "checkpoints" / files[0].name
    return Fetched(path, source, [file.stem for file in files])


def weights_in(found: Path, source: str) -> list[Path]:
    """The best and the latest weights of a folder like a run's; else the one weights file that lies in it, or the file itself.

    Raises:
        InputError: there is none, or several others.
    """
    if found.is_file():
        return [found]
    checkpoints = found / "checkpoints"
    own = [file for alias in ALIASES if (file := checkpoints / f"{alias}.safetensors").is_file() and not is_link(file)]
    if own:
        return own
    others = [*sorted(found.glob("*.safetensors")), *sorted(checkpoints.glob("*.safetensors"))]
    others = [file for file in others if not is_link(file)]
    if not others:
        raise InputError(f"source is {source!r}, which holds no weights; allowed: {SOURCES}")
    if len(others) > 1:
        one = others[-1].relative_to(found).as_posix()
        raise InputError(
            f"source is {source!r}, which holds {len(others)} weights files; allowed: one of them, as {one}"
        )
    return others


def from_wandb(name: str, folder: Path) -> Path:
    """An artifact, by ENTITY/PROJECT/NAME:ALIAS."""
    check_trackers(["wandb"], "source")
    if name.count("/") != 2:
        raise InputError(f"source is 'wandb:{name}'; allowed: wandb:ENTITY/PROJECT/NAME:best")
    import wandb

    from triptych.trackers.wandb import has_key, server

    mode = os.environ.get("WANDB_MODE") or wandb.setup().settings.mode
    if mode != "online":
        raise InputError(
            f"source is 'wandb:{name}', and W&B is set to {mode} (WANDB_MODE, or its settings); allowed: {ONLINE}"
        )
    host = urlparse(server()).netloc
    check_reachable(f"wandb:{name}", server(), f"W&B's server {host}", ONLINE)
    if not has_key():
        raise InputError(
            f"source is 'wandb:{name}', and W&B has no key of yours; allowed: after `wandb login`, or with WANDB_API_KEY"
        )
    path = name if ":" in name.rsplit("/", 1)[-1] else f"{name}:best"
    try:
        wandb.Api(timeout=int(SECONDS)).artifact(path).download(root=str(folder))
    except Exception as error:
        if not is_of_network(error):
            raise
        raise InputError(
            f"source is 'wandb:{name}', and W&B's server {host} cannot be reached; allowed: {ONLINE}"
        ) from error
    return folder


def from_hub(name: str, folder: Path) -> Path:
    """A repository of the Hugging Face Hub, or a file of it."""
    if importlib.util.find_spec("huggingface_hub") is None:
        raise InputError(f"source is 'hf:{name}', and huggingface-hub is not installed: {install_hint('hub')}")
    check_reachable(f"hf:{name}", os.environ.get("HF_ENDPOINT", "https://huggingface.co"))
    from huggingface_hub import hf_hub_download, snapshot_download
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    repository, _, file = name.partition(":")
    if file:
        return Path(hf_hub_download(repository, file, local_dir=folder))
    # A * stands for folders, too. Of a whole run all but its two weights is left there: its replay may have gigabytes.
    wanted = ["config.json", RECIPE_FILE, "*.safetensors"]
    unwanted = ["checkpoints/*/*", "checkpoints/weights-*"]
    snapshot_download(repository, allow_patterns=wanted, ignore_patterns=unwanted, local_dir=folder)
    return folder


def from_mlflow(name: str, folder: Path) -> Path:
    """The weights of a run, by RUN or RUN:ALIAS, from where MLFLOW_TRACKING_URI says, or MLflow's own default."""
    check_trackers(["mlflow"], "source")
    import mlflow
    from mlflow.tracking import MlflowClient

    from triptych.trackers.mlflow_database import file_of

    address = mlflow.get_tracking_uri()
    database = file_of(address)
    if address.startswith(("http://", "https://")):
        check_reachable(f"mlflow:{name}", address)
    elif database is not None and not database.exists():  # MLflow would make an empty one
        allowed = "in the folder that holds it, or with MLFLOW_TRACKING_URI"
        raise InputError(f"source is 'mlflow:{name}', and there is no database {database}; allowed: {allowed}")
    run, _, alias = name.partition(":")
    alias = alias or ALIASES[0]
    client = MlflowClient()
    check_run(client, name, run, alias)
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    return Path(client.download_artifacts(run, f"weights/{alias}", str(folder)))


def check_run(client: Any, name: str, run: str, alias: str) -> None:
    """Refuses a run that MLflow does not have, or weights that the run does not have, and says which there are.

    Raises:
        InputError
    """
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST, ErrorCode

    try:
        client.get_run(run)
    except MlflowException as error:
        if error.error_code not in map(ErrorCode.Name, (INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST)):
            raise
        experiments = [one.experiment_id for one in client.search_experiments()]
        newest = [one.info.run_id for one in client.search_runs(experiments, max_results=3)]
        allowed = f"the id of a run there{', as ' * bool(newest)}{', '.join(newest)}"
        raise InputError(
            f"source is 'mlflow:{name}', and {client.tracking_uri} has no run {run!r}; allowed: {allowed}"
        ) from None
    held = sorted(Path(one.path).name for one in client.list_artifacts(run, "weights") if one.is_dir)
    if alias not in held:
        allowed = (
            ", ".join(f"mlflow:{run}:{one}" for one in held) or "a run with weights (they come when its session ends)"
        )
        raise InputError(f"source is 'mlflow:{name}', and that run has no weights {alias!r}; allowed: {allowed}")


FETCHERS: dict[str, Callable[[str, Path], Path]] = {"wandb": from_wandb, "hf": from_hub, "mlflow": from_mlflow}
