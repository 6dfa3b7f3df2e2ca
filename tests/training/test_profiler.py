"""`--profile`: clocks around the parts of a run."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pytest

from triptych import train
from triptych.training.profiler import Profile

SETTINGS = {"steps": 600, "warm_up": 100, "evaluate_every": 0, "threads": 1, "batch_size": 16}


def test_a_run_says_where_its_time_went(
    framework: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triptych.training.profiler.PLAY_SECONDS", 0.1)
    monkeypatch.setattr("triptych.training.ending.gains", lambda *_: iter(["update 1 ms"]))
    profiled = train("cartpole", framework, run_name="a", runs_dir=tmp_path, profile=True, **SETTINGS)
    said = capsys.readouterr().err
    shares = {name: float(share) for name, share in re.findall(r"^(\w+) +([0-9.]+)%  ", said, re.M)}
    assert list(shares) == ["play", "store", "act", "sample", "transfer", "update", "log", "other"]
    assert 97 < sum(shares.values()) < 103
    assert shares["update"] > shares["store"]
    assert re.search(r"^bound +[\d,]+ steps/s \(.*\); this run made [\d,]+, \d+% of it$", said, re.M)
    assert "update 1 ms" in said
    plain = train("cartpole", framework, run_name="b", runs_dir=tmp_path, on_alarm="off", **SETTINGS)
    assert capsys.readouterr().err == ""
    assert profiled.updates == plain.updates
    weights = [(tmp_path / name / "checkpoints" / "latest.safetensors").read_bytes() for name in "ab"]
    assert weights[0] == weights[1], "the clocks change nothing"


def test_time_within_is_counted_once() -> None:
    profile = Profile()
    inner = profile.clocked(lambda: time.sleep(0.05), "inner")
    outer = profile.clocked(lambda: (inner(), inner(), time.sleep(0.02)), "outer")
    outer()
    assert 0.1 <= profile.seconds["inner"] < 0.2
    assert 0.02 <= profile.seconds["outer"] < 0.09
    assert profile.calls == {"inner": 2, "outer": 1}


def test_arrays_turned_into_tensors_piece_by_piece_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mistake that once cost half of all speed."""
    import torch

    from triptych.frameworks.torch.learner import Learner

    def pieces(self: Learner, array: np.ndarray) -> torch.Tensor:
        return torch.stack([torch.tensor(value) for value in array.ravel()]).reshape(array.shape)

    monkeypatch.setattr("triptych.training.profiler.PLAY_SECONDS", 0.1)
    monkeypatch.setattr("triptych.training.ending.gains", lambda *_: iter([]))
    monkeypatch.setattr(Learner, "to_device", pieces)
    train("cartpole-pixels-tuned", run_name="slow", runs_dir=tmp_path, profile=True, steps=30, warm_up=20,
          batch_size=2, threads=1, evaluate_every=0, video_fps=None)  # fmt: skip
    assert "slow      conversion: arrays become tensors at " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("moved", "calls", "seconds", "is_slow"),
    [(3_600_000_000, 5_000, 2.0, False), (5_000_000, 5_000, 0.2, False), (3_600_000_000, 5_000, 60.0, True)],
)
def test_only_slow_conversions_are_slow(moved: int, calls: int, seconds: float, is_slow: bool) -> None:
    profile = Profile()
    profile.moved, profile.calls["transfer"], profile.seconds["transfer"] = moved, calls, seconds
    assert bool(list(profile.slow_conversion())) == is_slow
