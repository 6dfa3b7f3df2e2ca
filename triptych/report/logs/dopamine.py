"""Dopamine: a row an iteration, as CSV or as JSON of `iteration_N`."""

from __future__ import annotations

from triptych.report.logs.columns import Dialect

DOPAMINE = Dialect(
    "Dopamine",
    {
        "iteration": "iteration", "train_episode_returns": "mean_reward", "train_average_return": "mean_reward",
        "Train/AverageReturns": "mean_reward", "eval_episode_returns": "evaluation_mean",
        "eval_average_return": "evaluation_mean", "Eval/AverageReturns": "evaluation_mean",
        "train_episode_lengths": "mean_length", "eval_episode_lengths": "evaluation_length",
        "train_average_steps_per_second": "steps_per_second",
    },
    note="Dopamine's returns are means over the episodes of one iteration, by default 250,000 steps of the agent on Atari.",
    marks=(
        "train_episode_returns", "eval_episode_returns", "train_average_return", "eval_average_return", "Train/AverageReturns",
        "Eval/AverageReturns",
    ),
)  # fmt: skip
