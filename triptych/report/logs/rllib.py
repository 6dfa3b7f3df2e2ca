"""RLlib: progress.csv, and result.json, whose lines hold the same numbers nested."""

from __future__ import annotations

from triptych.report.logs.columns import Dialect
from triptych.report.logs.log import HIGH, LOW

RLLIB = Dialect(
    "RLlib",
    {
        "num_env_steps_sampled_lifetime": "steps", "env_runners/num_env_steps_sampled_lifetime": "steps",
        "timesteps_total": "steps", "num_env_steps_sampled": "steps", "time_total_s": "seconds", "training_iteration": "iteration",
        "env_runners/num_episodes_lifetime": "episode", "num_episodes_lifetime": "episode", "episodes_total": "episode",
        "env_runners/episode_return_mean": "mean_reward", "env_runners/episode_reward_mean": "mean_reward",
        "episode_reward_mean": "mean_reward", "sampler_results/episode_reward_mean": "mean_reward",
        "env_runners/episode_return_min": "mean_reward" + LOW, "env_runners/episode_return_max": "mean_reward" + HIGH,
        "env_runners/episode_reward_min": "mean_reward" + LOW, "env_runners/episode_reward_max": "mean_reward" + HIGH,
        "episode_reward_min": "mean_reward" + LOW, "episode_reward_max": "mean_reward" + HIGH,
        "env_runners/episode_len_mean": "mean_length", "episode_len_mean": "mean_length",
        "evaluation/env_runners/episode_return_mean": "evaluation_mean", "evaluation/episode_reward_mean": "evaluation_mean",
        "evaluation/env_runners/episode_reward_mean": "evaluation_mean",
    },
    left_out=(
        "config", "hist_stats", "timers", "perf", "sampler_perf", "sampler_results", "counters", "fault_tolerance", "iterations_since_restore",
        "time_since_restore", "time_this_iter", "timesteps_since_restore", "timesteps_this_iter", "timestamp", "pid",
        "num_healthy", "num_in_flight", "num_remote", "num_agent_steps", "num_module_steps", "num_env_steps", "num_steps",
        "num_training", "agent_timesteps", "episodes_this_iter", "env_runners/", "evaluation/", "info/num", "date", "node_ip",
        "learners/__all_modules__", "policy_reward", "connector_metrics", "warmup_time", "time/",
    ),
    note="RLlib's mean reward is of the episodes of the last iteration, or of at least the last 100; its band goes from the lowest to "
    "the highest. Steps are those of the environments, over all workers.",
    marks=("training_iteration", "env_runners/episode_return_mean", "episode_reward_mean"),
)  # fmt: skip
