"""An agent with a neural map, from training to a resume and its source."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triptych
from tests.experiments.test_parts import Killed
from tests.experiments.test_resume import assert_same
from tests.placed import make_recipe
from triptych.experiments import looking
from triptych.experiments.resume import resume
from triptych.experiments.train import train
from triptych.training.callbacks.logs import Logs


@pytest.mark.parametrize(("algorithm", "egocentric"), [("ppo", True), ("drqn", False)])
def test_a_killed_run_goes_on_to_the_same_bytes(
    algorithm: str, egocentric: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The maps of episodes under way, and of DRQN those that the replay keeps."""
    recipe = dataclasses.replace(
        make_recipe(algorithm, 240, egocentric=egocentric), checkpoint_every=80, log_every=40, best_window=2
    )
    settings: dict[str, Any] = {"framework": "torch", "runs_dir": tmp_path, "quiet": True}
    whole = train(recipe, run_name="whole", **settings)
    assert whole.updates > 0
    see = Logs.see

    def dies(self: Any, training: Any, tick: Any) -> None:
        see(self, training, tick)
        if training.counters.steps >= 190:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Logs, "see", dies)
        with pytest.raises(Killed):
            train(recipe, run_name="killed", **settings)
    resume(tmp_path / "killed", "torch", quiet=True)
    assert_same(tmp_path / "killed", whole.path)
    assert np.isfinite(triptych.evaluate(whole.path, games=2, trust=True).mean)
    drawn: list[Any] = []
    monkeypatch.setattr(looking, "write_sheet", lambda *given: drawn.append(given) or given[0])
    looking.look_trained(whole.path, tmp_path / "look.png", looking.Wish(frames=3, every=2))
    ((_, rows, captions, _),) = drawn
    assert captions[-3:-1] == ["its map", "where it looks on it"]
    bright = [int((picture == 255).all(axis=2).sum()) for picture in rows[1].pictures[-3:-1]]
    assert all(bright), "a place that was written to, and the one that is looked at most"
