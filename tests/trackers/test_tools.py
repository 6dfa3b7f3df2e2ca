"""Each tracker's own reader finds the run as its folder tells it: nothing twice, nothing missing, though a mirror was killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.trackers.runs import HandMade
from triptych.envs.videos import Video
from triptych.trackers.base import ROW
from triptych.trackers.following import own_environment
from triptych.trackers.track import track
from triptych.trackers.wandb_file import parsed
from triptych.utils.checks import InputError

ROOT = Path(__file__).parents[2]
COLUMN = "metrics/loss"


@pytest.fixture(scope="module", autouse=True)
def places(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Where the tools write: nowhere that a user's own things are. W&B is asked for no account."""
    folder = tmp_path_factory.mktemp("tools")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("WANDB_API_KEY", "WANDB_DIR", "MLFLOW_EXPERIMENT_NAME", "TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL"):
            patch.delenv(name, raising=False)
        patch.setenv("NETRC", str(folder / "netrc"))
        patch.setenv("WANDB_DATA_DIR", str(folder))
        patch.setenv("WANDB_CACHE_DIR", str(folder))
        patch.setenv("TRACKIO_DIR", str(folder / "trackio"))
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.chdir(folder)
        yield folder


@pytest.fixture
def run(tmp_path: Path) -> HandMade:
    """A run that was mirrored in three sessions: in one the mirror was killed, after one the run was cut back."""
    made = HandMade(tmp_path / "r").play(300).save().play(70)
    (made.path / "videos").mkdir()
    with Video(made.path / "videos" / "update-000000100.mp4", 10) as film:
        import numpy as np

        for shade in range(0, 250, 25):
            film.show(np.full((32, 48, 3), shade, np.uint8))
    return made


def kill(run: HandMade, name: str, rows: int) -> None:
    command = [sys.executable, "-m", "tests.trackers.killed", str(run.path), name, str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=own_environment())
    assert done.returncode == -signal.SIGKILL, done.stderr


def go_through(run: HandMade, name: str) -> None:
    kill(run, name, 20)
    run.go_back().play(200).save()
    (first,) = track(run.path, [name])
    run.play(40).go_back().play(100).save()
    (last,) = track(run.path, [name])
    assert (last.run, last.rows) == (first.run, len(steps_of(run)))
    assert track(run.path, [name])[0].new == 0


def steps_of(run: HandMade) -> list[int]:
    return sorted(int(row["steps"]) for table in ("episodes", "metrics") for row in run.rows(table))


def losses(run: HandMade) -> list[tuple[int, float]]:
    return [(int(row["steps"]), float(row["loss"])) for row in run.rows("metrics") if row["loss"]]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_tensorboard_shows_each_row_once_the_settings_and_the_film(run: HandMade) -> None:
    go_through(run, "tensorboard")
    reader = [sys.executable, "tests/trackers/read_events.py", str(run.path)]
    found = json.loads(subprocess.run(reader, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    assert not found["tensorflow"]
    assert found["scalars"][COLUMN] == [[step, pytest.approx(loss)] for step, loss in losses(run)]
    assert [step for step, _ in found["scalars"]["charts/episodic_return"]] == [
        int(row["steps"]) for row in run.rows("episodes")
    ]
    assert found["images"]["eval/video"] == [[200, 48, 32, "GIF89a"]]
    assert found["plugins"]["hyperparameters/text_summary"] == "text"
    assert "|algorithm.gamma|0.99|" in found["texts"]["hyperparameters/text_summary"][0]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_wandb_s_files_hold_each_row_once_the_film_and_the_weights(run: HandMade) -> None:
    go_through(run, "wandb")
    files = sorted((run.path / "wandb").glob("offline-run-*/*.wandb"))
    assert len(files) == 3
    found: dict[str, list[Any]] = {}
    for record in (record for file in files for record in parsed(file)):
        found.setdefault(record.WhichOneof("record_type"), []).append(record)
    rows = [{".".join(item.nested_key): item.value_json for item in one.history.item} for one in found["history"]]
    ours = [row for row in rows if ROW in row]
    assert [float(row[ROW]) for row in ours] == list(range(len(ours)))
    assert [int(float(row["global_step"])) for row in ours] == steps_of(run)
    assert [(int(float(row["global_step"])), float(row[COLUMN])) for row in ours if COLUMN in row] == losses(run)
    numbers = [int(row["_step"]) for row in rows]
    assert numbers == sorted(set(numbers))  # W&B's own count, which drops what comes twice
    assert sum(any(name.startswith("eval/video") for name in row) for row in rows) == 1
    assert {one.run.run_id for one in found["run"]} == {files[0].stem.removeprefix("run-")}
    last = [
        (set(one.artifact.aliases), [kept.path for kept in one.artifact.manifest.contents])
        for one in found["artifact"][-2:]
    ]
    assert last == [  # W&B calls the newest version `latest` by itself, so that of the latest weights is the last one
        ({"best", "latest"}, ["checkpoints/best.safetensors", "config.json"]),
        ({"latest"}, ["checkpoints/latest.safetensors", "config.json"]),
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_trackio_holds_each_row_once_the_film_and_the_weights(run: HandMade) -> None:
    go_through(run, "trackio")
    from trackio.sqlite_storage import SQLiteStorage

    logs = SQLiteStorage.get_logs("triptych", "r")
    ours = [row for row in logs if ROW in row]
    assert [row["global_step"] for row in ours] == steps_of(run)
    assert [(row["step"], row[COLUMN]) for row in ours if COLUMN in row] == losses(run)
    assert [row["step"] for row in logs if "eval/video" in row] == [200]
    config = SQLiteStorage.get_run_config("triptych", "r")
    assert config is not None
    assert config["algorithm.gamma"] == 0.99
    for alias in ("best", "latest"):
        kept = SQLiteStorage.get_artifact_manifest("triptych", "r-weights", alias)
        assert kept is not None
        assert f"checkpoints/{alias}.safetensors" in {one["path"] for one in kept["manifest"]}


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # MLflow's, of its database library
def test_mlflow_holds_each_row_once_and_gives_the_weights_back(
    run: HandMade, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    go_through(run, "mlflow")
    from mlflow.tracking import MlflowClient

    from triptych.trackers.fetch import fetch

    client = MlflowClient()
    (found,) = client.search_runs([client.get_experiment_by_name("triptych").experiment_id])
    history = client.get_metric_history(found.info.run_id, ROW)
    assert sorted((one.value, one.step) for one in history) == list(enumerate(steps_of(run)))
    assert [(one.step, one.value) for one in client.get_metric_history(found.info.run_id, COLUMN)] == losses(run)
    returns = client.get_metric_history(found.info.run_id, "charts/episodic_return")
    assert len(returns) == len(run.rows("episodes"))  # also the two episodes that end alike at one step
    assert (found.data.params["algorithm.gamma"], found.info.status, found.info.run_name) == ("0.99", "FINISHED", "r")
    assert [one.path for one in client.list_artifacts(found.info.run_id, "videos")] == ["videos/update-000000100.mp4"]
    fetched = fetch(f"mlflow:{found.info.run_id}:best", runs_dir=tmp_path, run_name="back")
    assert fetched.weights == ["best"]
    assert (fetched.path / "checkpoints/best.safetensors").read_bytes() == (
        run.path / "checkpoints/best.safetensors"
    ).read_bytes()
    number = found.info.run_id
    for source, told in (
        (f"mlflow:{number}:nope", f"no weights 'nope'; allowed: mlflow:{number}:best, mlflow:{number}:latest"),
        ("mlflow:nosuchrun:best", f"has no run 'nosuchrun'; allowed: the id of a run there, as {number}"),
    ):
        with pytest.raises(InputError, match=f"source is '{source}'.*{told}"):
            fetch(source, runs_dir=tmp_path)
    assert "%|" not in capfd.readouterr().err  # no bar of MLflow's


def test_a_run_s_report_reads_the_event_file_back(run: HandMade, tmp_path: Path) -> None:
    """The names are CleanRL's: what reads those reads ours."""
    from triptych.report.logs import read

    track(run.path, ["tensorboard"])
    (tmp_path / "cleanrl").mkdir()
    shutil.copy(next(run.path.glob("events.out.tfevents.*")), tmp_path / "cleanrl")
    (log,) = read(str(tmp_path / "cleanrl"), tmp_path)
    assert log.columns["episode_reward"] == [20.0] * len(
        [row for row in run.rows("episodes") if int(row["steps"]) <= 300]
    )
    assert os.path.basename(log.name) == "cleanrl"


def test_a_database_of_mlflow_s_is_made_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from triptych.trackers import mlflow_database

    def fail(address: str, root: str) -> None:
        Path(address.removeprefix("sqlite:///")).write_bytes(b"half")
        raise RuntimeError("killed")

    monkeypatch.setattr(mlflow_database, "SqlAlchemyStore", fail)
    with pytest.raises(RuntimeError):
        mlflow_database.make_database(f"sqlite:///{tmp_path}/mlflow.db")
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_another_process_has_made_meanwhile_stays(tmp_path: Path) -> None:
    from triptych.trackers.mlflow_database import put_in_place

    (tmp_path / "new").write_text("mine")
    put_in_place(tmp_path / "new", tmp_path / "mlflow.db")
    (tmp_path / "other").write_text("other")
    put_in_place(tmp_path / "other", tmp_path / "mlflow.db")
    assert (tmp_path / "mlflow.db").read_text() == "mine"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # MLflow's, of its database library
def test_what_a_killed_process_left_of_a_database_is_removed_and_nothing_else(tmp_path: Path) -> None:
    from triptych.trackers import mlflow_database

    dead = subprocess.run(
        [sys.executable, "-c", "from triptych.trackers.mlflow_database import owner; print(owner())"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    others = (
        "writing-abc.tmp",
        f"mlflow-in-the-making-{mlflow_database.owner()}-abc.tmp",
        "mlflow-in-the-making-elsewhere-1-2.00-a.tmp",
    )
    for name in (*others, f"mlflow-in-the-making-{dead}-abc.tmp"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "new").write_text("half")
    (tmp_path / "mlflow.db").write_text("whole")
    mlflow_database.make_database(f"sqlite:///{tmp_path}/mlflow.db")
    assert {path.name for path in tmp_path.iterdir()} == {*others, "mlflow.db"}
