"""Work as Ray tasks, with real raylets that come and go: the same bytes as without Ray, whatever is lost on the way."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.raylets import Raylets
from triptych.experiments import ray_jobs, ray_task
from triptych.experiments.compare import Comparison, compare
from triptych.experiments.evaluate import evaluate
from triptych.utils.checks import InputError
from triptych.utils.files import sha256
from triptych.utils.leftovers import PROCESSES, Scratch, is_alive, noted, own_place

RECIPE, STEPS = "cartpole-a2c", 20_000
SAME: dict[str, Any] = {"games": 2, "threads": 1, "video": False}


@pytest.fixture(scope="module")
def raylets() -> Iterator[Raylets]:
    """A cluster with two cores on one raylet."""
    with Raylets() as cluster, pytest.MonkeyPatch.context() as patch:
        for name, value in cluster.variables.items():
            patch.setenv(name, value)
        cluster.add(2)
        yield cluster


@pytest.fixture(scope="module")
def without_ray(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs of two seeds, made without Ray."""
    folder = tmp_path_factory.mktemp("without")
    compare(RECIPE, ("torch",), 2, steps=STEPS, runs_dir=folder, **SAME)
    return folder


@pytest.fixture(params=["one disk", "no common disk"])
def disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whether nodes see the folder of the runs; else its files travel."""
    if request.param == "no common disk":
        no_common_disk(monkeypatch)
    return str(request.param)


def no_common_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_task.RayJob, "mark", lambda self: ("nothing", "0"))
    monkeypatch.setattr(ray_task, "BRING", 0.2)


def check_same(folder: Path, reference: Path) -> None:
    """The same runs, the same rows but for the times, the same weights; and no other folders or files."""
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in reference.iterdir())
    for run in reference.iterdir():
        assert rows(folder / run.name) == rows(run)
        for name in ("best", "latest"):
            file = f"{run.name}/checkpoints/{name}.safetensors"
            assert sha256(folder / file) == sha256(reference / file)


def rows(run: Path) -> list[dict[str, str]]:
    with open(run / "episodes.csv", encoding="utf-8") as file:
        return [{name: cell for name, cell in row.items() if name != "seconds"} for row in csv.DictReader(file)]


def on_ray(raylets: Raylets, folder: Path, **more: Any) -> Comparison:
    settings = {"steps": STEPS, **SAME, **more}
    return compare(RECIPE, ("torch",), 2, runs_dir=folder, on="ray", address=raylets.address, **settings)


def test_the_same_bytes_as_without_ray(raylets: Raylets, without_ray: Path, disk: str, tmp_path: Path) -> None:
    result = on_ray(raylets, tmp_path / "runs")
    assert result.failures == []
    assert [Path(run).parent for run in result.rows[0].runs] == [tmp_path / "runs"] * 2
    check_same(tmp_path / "runs", without_ray)
    assert {path.name for path in (tmp_path / "runs" / Path(result.rows[0].runs[0]).name).iterdir()} >= {
        "config.json", "summary.json", "metrics.csv", "evaluations",
    }  # fmt: skip


def test_a_raylet_that_comes_and_one_that_is_killed(
    without_ray: Path, disk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """No row is there twice and none is missing, though the node that began was killed in the middle."""
    runs = tmp_path / "runs"
    with Raylets() as cluster:
        for name, value in cluster.variables.items():
            monkeypatch.setenv(name, value)
        first = cluster.add(2)

        def lose() -> None:
            while not [*runs.glob("*/episodes.csv")]:
                time.sleep(0.02)
            cluster.kill(first)
            cluster.add(2)

        thread = threading.Thread(target=lose)
        thread.start()
        result = on_ray(cluster, runs)
        thread.join()
    assert result.failures == []
    check_same(runs, without_ray)
    told = capfd.readouterr()
    assert "it begins again where it was" in told.err
    assert told.out == "", "Ray prints nothing"


def test_a_test_on_a_node_gives_the_same_score(
    raylets: Raylets, without_ray: Path, disk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = next(without_ray.iterdir())
    here = evaluate(run, 3, 7, epsilon=0.1)
    kept = next(run.glob("evaluations/*seed-7*"))
    kept.unlink()
    there = evaluate(run, 3, 7, epsilon=0.1, on="ray", address=raylets.address)
    assert there == here
    assert kept.is_file(), "its score came home to the run's page"


def test_a_framework_that_a_node_lacks_is_one_line(raylets: Raylets, tmp_path: Path) -> None:
    """The fourth core is asked for, and only that node has so many."""
    hiding = "import importlib.util as u\nold = u.find_spec\nu.find_spec = lambda name, *a: None if name == 'jax' else old(name, *a)\n"
    (tmp_path / "sitecustomize.py").write_text(hiding)
    number = raylets.add(4, tmp_path)
    try:
        settings = SAME | {"threads": 4}
        with pytest.raises(
            InputError, match=r"^node \S+: framework jax needs jax, which is not installed: pip install "
        ):
            compare(
                RECIPE, ("jax",), steps=500, runs_dir=tmp_path / "runs", on="ray", address=raylets.address, **settings
            )
    finally:
        raylets.kill(number)
    assert list((tmp_path / "runs").iterdir()) == []


def test_more_threads_than_cores_are_warned_of(
    raylets: Raylets, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare(
        RECIPE, ("torch",), steps=500, runs_dir=tmp_path, on="ray", address=raylets.address, **SAME | {"threads": 5}
    )
    told = capsys.readouterr().err
    assert re.search(r"a run has 5 threads, but no node has more than \d cores: they share them", told)


def test_no_run_waits_for_cores_that_are_gone(
    raylets: Raylets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The node that it was to have goes away before it came."""
    monkeypatch.setattr(ray_jobs, "NODES", 1.0)
    number, start = raylets.add(4), ray_jobs.OnRay.start

    def too_late(place: ray_jobs.OnRay, *job: Any) -> Any:
        raylets.kill(number)
        return start(place, *job)

    monkeypatch.setattr(ray_jobs.OnRay, "start", too_late)
    settings = SAME | {"threads": 4}
    result = compare(RECIPE, ("torch",), steps=500, runs_dir=tmp_path, on="ray", address=raylets.address, **settings)
    assert result.failures == []
    assert "no node has 4 cores now; its threads share 2" in capsys.readouterr().err


def test_a_recipe_of_ones_own_travels(raylets: Raylets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that has not got the user's file gets its text; at home the run is the user's own."""
    no_common_disk(monkeypatch)
    file = tmp_path / "mine.py"
    file.write_text(
        "import os, triptych\n"
        "print('run in', os.getcwd())\n"
        "recipe = triptych.override(triptych.load_recipe('cartpole-a2c'), {'steps': 500})\n"
        if hasattr(__import__("triptych"), "load_recipe")
        else "from triptych.recipes import load_recipe\nfrom triptych.recipes.override import override\n"
        "recipe = override(load_recipe('cartpole-a2c'), {'steps': 500})\n"
    )
    result = compare(str(file), ("torch",), runs_dir=tmp_path / "runs", on="ray", address=raylets.address, **SAME)
    run = Path(result.rows[0].runs[0])
    assert (run / "recipe.py").read_text() == file.read_text()
    assert evaluate(run, 1).games == 1


@pytest.mark.parametrize(("on", "address", "line"), [
    ("here", "auto", "address is 'auto'; allowed: only with --on ray"),
    ("slurm", None, "on is 'slurm'; allowed: here, ray"),
])  # fmt: skip
def test_what_is_no_place_is_refused(on: Any, address: str | None, line: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=line):
        compare(RECIPE, ("torch",), runs_dir=tmp_path, on=on, address=address)
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_leaves_no_process_and_the_compare_goes_on(without_ray: Path, tmp_path: Path) -> None:
    """From a terminal, Ray's processes and all: the signal goes to the whole group, as there."""
    command = [
        sys.executable, "-m", "triptych", "compare", RECIPE, "--frameworks", "torch", "--seeds", "2", "--games", "2",
        "--threads", "1", "--steps", str(STEPS), "--no-video", "--runs-dir", str(tmp_path / "runs"), "--on", "ray",
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    while not [*(tmp_path / "runs").glob("*/episodes.csv")]:
        assert process.poll() is None
        time.sleep(0.02)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) > 6
    ours = {process.pid for process in family}  # beside folders of others that run meanwhile
    before = {one for one in own_place().iterdir() if {number for number, _ in noted(one / PROCESSES)} & ours}
    assert before
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130, told
    assert "go on with: triptych" in told
    assert [one for one in family if is_alive(one)] == []
    with Scratch():  # which sweeps what a killed worker left
        assert not [folder for folder in before if folder.exists()]
    done = subprocess.run([*command, "--go-on"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    check_same(tmp_path / "runs", without_ray)
