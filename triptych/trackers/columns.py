"""What the trackers call a run's columns.

CleanRL's names, which most dashboards of W&B and TensorBoard for reinforcement learning are made for: `charts/...`, `losses/...`,
`eval/...`, over environment steps. Beside them each column stands under its own name, `episodes/COLUMN` or `metrics/COLUMN`.
"""

from __future__ import annotations

from triptych.trackers.rows import Row

STEP = "global_step"  # CleanRL's name of the horizontal axis: environment steps
CHARTS = {
    "episode_reward": "charts/episodic_return",
    "episode_length": "charts/episodic_length",
    "epsilon": "charts/epsilon",
    "learning_rate": "charts/learning_rate",
    "q_mean": "losses/q_values",
    "policy_loss": "losses/policy_loss",
    "value_loss": "losses/value_loss",
    "entropy": "losses/entropy",
    "approx_kl": "losses/approx_kl",
    "clip_fraction": "losses/clipfrac",
    "evaluation_mean": "eval/episodic_return",
    "evaluation_length": "eval/episodic_length",
}
POLICY_LOSS = "policy_loss"  # where an algorithm reports it, its loss is a sum of several


def named(row: Row) -> dict[str, float]:
    """A row's numbers by the names that a tracker shows."""
    values = row.values
    found = {f"{row.table}/{column}": value for column, value in values.items()}
    found |= {name: values[column] for column, name in CHARTS.items() if column in values}
    if row.table == "metrics" and "loss" in values:
        found["losses/loss" if POLICY_LOSS in values else "losses/td_loss"] = values["loss"]
    if row.table == "episodes" and row.seconds > 0:
        found["charts/SPS"] = row.step / row.seconds
    return found
