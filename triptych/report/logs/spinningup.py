"""Spinning Up's progress.txt: a row an epoch, tabs between."""

from __future__ import annotations

import numpy as np

from triptych.report.logs.columns import Dialect
from triptych.report.logs.log import HIGH, LOW, Arrays

SPINNING_UP = Dialect(
    "Spinning Up",
    {
        "TotalEnvInteracts": "steps", "Epoch": "iteration", "Time": "seconds", "AverageEpRet": "mean_reward",
        "StdEpRet": "reward_deviation", "MinEpRet": "mean_reward" + LOW, "MaxEpRet": "mean_reward" + HIGH, "EpRet": "episode_reward",
        "EpLen": "mean_length", "AverageTestEpRet": "evaluation_mean", "MinTestEpRet": "evaluation_low",
        "MaxTestEpRet": "evaluation_high", "TestEpLen": "evaluation_length", "LossPi": "policy_loss", "LossV": "value_loss",
        "LossQ": "loss", "KL": "approx_kl", "ClipFrac": "clip_fraction", "Entropy": "entropy",
    },
    note="Spinning Up's AverageEpRet is the mean over the episodes of one epoch; its band goes from the lowest to the highest of them, or "
    "is one standard deviation where those are not logged. Steps are TotalEnvInteracts, those of all workers.",
    marks=("AverageEpRet", "TotalEnvInteracts"),
)  # fmt: skip


def with_deviation(part: Arrays) -> dict[str, np.ndarray]:
    """The band of one standard deviation around the mean, where lowest and highest are not known."""
    found = dict(part)
    spread = found.get("reward_deviation")
    if spread is not None and "mean_reward" in found and "mean_reward" + LOW not in found:
        found["mean_reward" + LOW], found["mean_reward" + HIGH] = (
            found["mean_reward"] - spread,
            found["mean_reward"] + spread,
        )
    return found
