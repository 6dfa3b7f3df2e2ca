"""What a resume takes up, against its checkpoint: the rows of the replay, in each form in which a store keeps them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triptych
from triptych.buffers.store import Store
from triptych.checkup.faults import SHORT
from triptych.frameworks import FRAMEWORKS
from triptych.recipes.override import override
from triptych.runs.checkpoints import Checkpoints
from triptych.utils.checks import InputError

BRIEF = {"evaluate_every": 0, "warm_up": 100, "best_window": 2}
RECIPES = {
    "numbers": ("cartpole", BRIEF | {"steps": 800, "checkpoint_every": 300}),
    "compressed pictures": ("space-invaders", BRIEF | {"steps": 400, "checkpoint_every": 150}),
    "pictures": ("space-invaders", BRIEF | {"steps": 400, "checkpoint_every": 150, "algorithm.compress": False}),
}
Change = Callable[[Store], None]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """A run of each kind, which is trained once."""
    made: dict[tuple[str, str], Path] = {}

    def give(kind: str, framework: str) -> Path:
        if (kind, framework) not in made:
            short, changes = RECIPES[kind]
            folder = tmp_path_factory.mktemp("runs")
            run = triptych.train(override(SHORT[short](), changes), framework, runs_dir=folder, video=False)
            assert "resume-differs" not in [alarm["signal"] for alarm in run.alarms]
            made[kind, framework] = Path(run.path)
        return made[kind, framework]

    return give


def resumed(run: Path, tmp_path: Path, steps: int) -> str:
    """What the alarm of a resume says; empty: there is none."""
    own = tmp_path / run.name
    shutil.copytree(run, own)
    alarms = triptych.resume(own, steps=steps).alarms
    return "".join(one["measured"] for one in alarms if one["signal"] == "resume-differs")


def spoil(monkeypatch: pytest.MonkeyPatch, change: Change) -> None:
    keep = Checkpoints.fill

    def fill(self: Checkpoints, store: Store) -> None:
        keep(self, store)
        change(store)

    monkeypatch.setattr(Checkpoints, "fill", fill)


def one_reward(store: Store) -> None:
    store.reward[(store.count - 5) % store.rows, 0] += 1


def one_reward_of_the_first_rows(store: Store) -> None:
    store.reward[store.oldest % store.rows + 3, 0] += 1


def swapped(store: Store) -> None:
    """Two rows change places, but for what says where they stand in their episodes: that alone is refused, see below."""
    a, b = places(store)
    rings: list[Any] = [ring for _, ring in store.rings()]
    for array in [store.action, store.reward, *(ring.array for ring in rings)]:
        array[[a, b]] = array[[b, a]]


def places(store: Store) -> tuple[int, int]:
    """Two rows that differ in action or reward."""
    late = (store.count - 5) % store.rows
    other = next(row for row in range(late - 1, 0, -1) if (store.action[row] != store.action[late]).any())
    return late, other


def observation(store: Store) -> None:
    ring: Any = store.pictures
    ring.array[(store.count - 5) % store.rows, 0] += 1


CHANGES: dict[str, tuple[Change, str]] = {
    "a reward": (one_reward, "reward in the replay"),
    "a reward of the first rows": (one_reward_of_the_first_rows, "reward in the replay"),
    "two rows in another order": (swapped, "action in the replay"),
    "an observation": (observation, "observation in the replay"),
}


@pytest.mark.parametrize(
    ("kind", "framework"),
    [*(("numbers", name) for name in FRAMEWORKS), ("pictures", "torch"), ("compressed pictures", "torch")],
)
def test_a_resume_that_takes_up_its_replay_alarms_nothing(
    kind: str, framework: str, trained: Callable[[str, str], Path], tmp_path: Path
) -> None:
    assert resumed(trained(kind, framework), tmp_path, 1_000) == ""


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_row_that_differs_is_told(
    change: str, framework: str, trained: Callable[[str, str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, CHANGES[change][0])
    assert CHANGES[change][1] in resumed(trained("numbers", framework), tmp_path, 1_000)


def inverted(frames: np.ndarray, before: np.ndarray) -> np.ndarray:
    """In one pixel of each, as where they are decoded otherwise."""
    frames = np.array(frames)
    frames[:, 0, 0] ^= 1
    return frames


def a_row_late(frames: np.ndarray, before: np.ndarray) -> np.ndarray:
    return before


@pytest.mark.parametrize("kind", ["pictures", "compressed pictures"])
@pytest.mark.parametrize("change", [inverted, a_row_late])
def test_pictures_that_differ_are_told(
    kind: str, change: Any, trained: Callable[[str, str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, keep = trained(kind, "torch"), Store.put

    def put(self: Store, start: int, segment: dict[str, np.ndarray]) -> None:
        own, before = self.pictures.put, np.zeros(1)

        def changed(slot: int, frames: np.ndarray) -> None:
            nonlocal before
            own(slot, change(frames, before if before.shape == frames.shape else frames))
            before = frames

        self.pictures.put = changed  # type: ignore[method-assign]
        keep(self, start, segment)
        self.pictures.put = own  # type: ignore[method-assign]

    monkeypatch.setattr(Store, "put", put)
    assert "observation in the replay" in resumed(run, tmp_path, 600)


def test_rows_that_are_put_back_one_place_on_are_refused(
    trained: Callable[[str, str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is compared: their places in their episodes do not follow each other."""
    run, keep = trained("compressed pictures", "torch"), Store.put
    monkeypatch.setattr(Store, "put", lambda self, start, segment: keep(self, start + 1, segment))
    with pytest.raises(InputError, match="checkpoint's store"):
        resumed(run, tmp_path, 600)
