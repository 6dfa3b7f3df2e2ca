"""Studies whose runs begin with others: these come first, and what is taken of them is what the study says."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triptych
from tests.experiments.test_studies import answering
from triptych import Arm, Begins, InputError, Recipe, Study, load_recipe, override
from triptych.experiments.studies import load_study
from triptych.experiments.studies import run as studies
from triptych.experiments.studies.arms import plan_of
from triptych.experiments.studies.run import run_study
from triptych.spec import Dense
from triptych.utils.files import read_tensors

TASK = "CartPole"


def ppo(units: int) -> Recipe:
    settings = {"steps": 512, "network": (Dense(units), Dense(units)), "evaluate_every": 0, "best_window": 1}
    return override(load_recipe("cartpole-ppo"), settings)


ARMS = (
    Arm(TASK, "frozen", ppo(8), {"freeze": ("dense",)}, begins=Begins(TASK, "source", take=("dense",))),
    Arm(TASK, "source", ppo(8)),
    Arm(
        TASK,
        "grown",
        ppo(12),
        begins=Begins(TASK, "source", by="grown", wider={"dense_1": 12, "dense_2": 12}, noise=0.1),
    ),
    Arm(TASK, "taught", ppo(4), begins=Begins(TASK, "source", by="taught", settings={"teacher_until": 300})),
    Arm(TASK, "distilled", ppo(4), begins=Begins(TASK, "source", by="distilled", share=0.0)),
)
STUDY = Study("What is it worth?", ARMS, seeds=1, games=2)


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, study: Study = STUDY, **how: Any) -> Any:
    monkeypatch.setattr(studies, "load_study", lambda name: study)
    return run_study("mine", runs_dir=folder / "runs", out=folder, **how)


def weights(run: Path, which: str) -> dict[str, np.ndarray]:
    return read_tensors(run / "checkpoints" / f"{which}.safetensors")[0]


@pytest.mark.usefixtures("forked")
def test_each_way_begins_with_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = run(monkeypatch, tmp_path)
    assert {row.label for row in found.rows} == {arm.label for arm in ARMS}
    with open(tmp_path / "runs.csv", newline="") as file:
        rows = {row["label"]: Path(row["run"]) for row in csv.DictReader(file)}
    assert next(iter(rows)) == "source", "which comes first"
    configs = {label: json.loads((path / "config.json").read_text()) for label, path in rows.items()}
    source = weights(rows["source"], "best")
    frozen = weights(rows["frozen"], "latest")
    assert np.array_equal(frozen["dense_1/kernel"], source["dense_1/kernel"])
    assert configs["frozen"]["from"]["tensors"]["head/policy_kernel"] == "fresh: not asked for"
    assert configs["frozen"]["from"]["file"].startswith(str(rows["source"]))
    larger = read_tensors(Path(configs["grown"]["from"]["file"]))[0]
    assert np.array_equal(larger["dense_1/kernel"][:, :8], source["dense_1/kernel"])
    assert set(configs["grown"]["from"]["tensors"].values()) == {"taken"}
    recipes = {label: config["recipe"] for label, config in configs.items()}
    assert (recipes["taught"]["teacher_alone"], recipes["taught"]["teacher_until"]) == (False, 300)
    assert recipes["distilled"]["teacher_alone"]
    assert configs["distilled"]["teacher"]["file"].startswith(str(rows["source"].resolve()))
    assert "from" not in configs["source"]


def test_a_source_whose_folder_is_gone_is_made_again_and_its_row_stays_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[dict[str, Any]] = []
    monkeypatch.setattr(studies, "work_all", answering(jobs))
    run(monkeypatch, tmp_path)
    jobs.clear()
    run(monkeypatch, tmp_path)
    assert not jobs, "what is done is not done again, and needs no source"
    more = dataclasses.replace(STUDY, arms=(*ARMS, Arm(TASK, "whole", ppo(8), begins=Begins(TASK, "source"))))
    run(monkeypatch, tmp_path, more, quiet=False)
    assert [(job["label"], job["flicker"]) for job in jobs] == [("source", []), ("whole", [None])]
    assert (tmp_path / "runs.csv").read_text().count(",source,") == 1


def test_sources_come_first_though_they_were_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[dict[str, Any]] = []
    monkeypatch.setattr(studies, "work_all", answering(jobs))
    run(monkeypatch, tmp_path, only=("taught",), seeds=2)
    assert [(job["label"], job["seed"]) for job in jobs] == [("source", 0), ("source", 1), ("taught", 0), ("taught", 1)]
    assert [job["begins"]["run"] for job in jobs[2:]] == [job["run_name"] for job in jobs[:2]]
    assert "begins" not in jobs[0]


def test_what_a_run_begins_with_is_part_of_what_it_is() -> None:
    def settings(source: Recipe, **begins: Any) -> str:
        arms = (Arm(TASK, "source", source), Arm(TASK, "other", ppo(8), begins=Begins(TASK, "source", **begins)))
        return plan_of(Study("?", arms), 1, False, {})[1, 0].settings

    plain = settings(ppo(4))
    assert plain == settings(ppo(4))
    assert len({plain, settings(ppo(5)), settings(ppo(4), take=("dense",)), settings(ppo(4), by="taught")}) == 4
    renamed = (Arm("game", "first", ppo(4)), Arm("game", "other", ppo(8), begins=Begins("game", "first")))
    assert plan_of(Study("?", renamed), 1, False, {})[1, 0].settings == plain, "names are not"


@pytest.mark.parametrize("label", ["nobody", "grown"])
def test_a_source_that_is_none_is_refused(label: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = dataclasses.replace(STUDY, arms=(*ARMS, Arm(TASK, "last", ppo(8), begins=Begins(TASK, label))))
    with pytest.raises(InputError, match=f"begins of CartPole: last is CartPole: {label}; allowed: CartPole: source"):
        run(monkeypatch, tmp_path, study)
    assert not (tmp_path / "runs").exists()


def test_such_a_study_is_not_for_ray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="on is 'ray'; allowed: here"):
        run(monkeypatch, tmp_path, on="ray")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("forked")
def test_a_run_that_is_there_already_can_be_begun_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = triptych.train(ppo(8), runs_dir=tmp_path, run_name="stored", video=False).path
    arms = (
        Arm(TASK, "fresh", ppo(8)),
        Arm(TASK, "body taken", ppo(8), begins=Begins(stored=str(stored), take=("dense",))),
    )
    found = run(monkeypatch, tmp_path, Study("?", arms, seeds=1, games=2))
    assert {row.label for row in found.rows} == {"fresh", "body taken"}
    with open(tmp_path / "runs.csv", newline="") as file:
        path = next(Path(row["run"]) for row in csv.DictReader(file) if row["label"] == "body taken")
    told = json.loads((path / "config.json").read_text())["from"]
    assert told["file"] == str(stored / "checkpoints" / "best.safetensors")
    assert [origin for name, origin in told["tensors"].items() if name.startswith("dense")] == ["taken"] * 4


def test_the_numbers_of_a_stored_run_are_part_of_what_a_run_is_and_its_place_is_not(tmp_path: Path) -> None:
    def settings(file: str) -> str:
        arms = (Arm(TASK, "other", ppo(8), begins=Begins(stored=str(tmp_path / file))),)
        return plan_of(Study("?", arms), 1, False, {})[0, 0].settings

    for name, content in (("one", b"1"), ("copy", b"1"), ("two", b"2")):
        (tmp_path / name).write_bytes(content)
    assert settings("one") == settings("copy") != settings("two")
    with pytest.raises(InputError, match=r"begins of CartPole: other is '.*gone': no such run; allowed: a run folder"):
        settings("gone")
    with pytest.raises(InputError, match="allowed: either another variant or a stored run"):
        Begins()
    with pytest.raises(InputError, match="allowed: either another variant or a stored run"):
        Begins(TASK, "source", stored="one")


KEPT = ("attention", "drqn-vs-a3c", "losses", "memory-kinds", "q-learning", "sequences", "transfer")
PARTLY = ("transfer-atari",)  # not all of its seeds have been run


@pytest.mark.parametrize("name", [*KEPT, *PARTLY])
def test_runs_whose_table_is_kept_are_known_again(name: str) -> None:
    """Else the study would train them all once more."""
    (file,) = Path("results/studies").glob(f"{name}/*/runs.csv")
    with open(file, newline="") as table:
        known = {row["settings"] for row in csv.DictReader(table)}
    planned = {run.settings for run in plan_of(load_study(name), None, False, {}).values()}
    assert known
    assert known <= planned
    if name not in PARTLY:
        assert planned == known
