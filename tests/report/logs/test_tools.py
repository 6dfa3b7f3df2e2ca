"""Logs of other tools: of each the right steps and rewards, and as many runs as there are."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from triptych.report.logs import Log, read, read_all
from triptych.report.logs.events import masked
from triptych.utils.checks import InputError

EVENTS = Path(__file__).parent / "events.out.tfevents.1700000000.host.1.0"  # written by TensorBoard 2.21 from PyTorch
MONITOR = '#{{"t_start": {start}, "env_id": "CartPole-v1"}}\nr,l,t\n{rows}'
PROGRESS = "rollout/ep_rew_mean,time/total_timesteps,train/loss,eval/mean_reward\n20.5,100,,\n30.5,200,0.5,\n40.5,300,0.25,77\n"
WANDB = """"global_step","a - charts/episodic_return","a - charts/episodic_return__MIN","a - charts/episodic_return__MAX","b - charts/episodic_return"
"99","","","","13.5"
"214","1.5","0.5","2.5",""
"410","20","18","22","15.5"
"""


def write(file: Path, content: str | bytes) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def one(file: Path) -> Log:
    (log,) = read(str(file), file.parent)
    return log


def test_a_monitor_s_lengths_are_summed_up_to_steps(tmp_path: Path) -> None:
    log = one(
        write(
            tmp_path / "dqn_1" / "monitor.csv",
            MONITOR.format(start=5.5, rows="15.0,15,1.5\n49.0,49,2.5\n10.0,10,3.5\n"),
        )
    )
    assert (log.name, log.game) == ("dqn_1", "CartPole-v1")
    assert log.columns["steps"] == [15, 64, 74]
    assert log.columns["episode_reward"] == [15, 49, 10]
    assert log.columns["running_reward"] == [15, 32, pytest.approx(74 / 3)]
    assert log.columns["seconds"] == [1.5, 2.5, 3.5]
    assert "a row an episode" in log.notes[0]


def test_the_monitors_of_several_environments_are_one_run_by_time(tmp_path: Path) -> None:
    write(tmp_path / "ppo" / "0.monitor.csv", MONITOR.format(start=100, rows="1,10,1\n3,10,5\n"))
    write(tmp_path / "ppo" / "1.monitor.csv", MONITOR.format(start=101, rows="2,7,2\n4,7,9\n"))
    log = one(tmp_path / "ppo")
    assert log.columns["episode_reward"] == [1, 2, 3, 4]
    assert log.columns["steps"] == [10, 17, 27, 34]
    assert log.columns["seconds"] == [1, 3, 5, 10]


def test_a_monitor_that_was_opened_again_goes_on(tmp_path: Path) -> None:
    log = one(write(tmp_path / "x" / "monitor.csv", MONITOR.format(start=1, rows="1,10,50\n1,10,60\n1,10,3\n1,10,4\n")))
    assert log.columns["seconds"] == [50, 60, 63, 64]
    assert log.columns["steps"] == [10, 20, 30, 40]


def test_a_mean_of_a_hundred_is_the_running_reward_and_not_an_episode_s(tmp_path: Path) -> None:
    log = one(write(tmp_path / "a2c" / "progress.csv", PROGRESS))
    assert log.name == "a2c"
    assert log.columns["running_reward"] == [20.5, 30.5, 40.5]
    assert log.columns["steps"] == [100, 200, 300]
    assert log.columns["loss"] == [None, 0.5, 0.25]
    assert "episode_reward" not in log.columns
    (tests,) = log.more
    assert (tests["evaluation_mean"], tests["steps"]) == ([77], [300])
    assert "mean, by default of the last 100 episodes" in log.notes[0]


def test_monitor_and_progress_of_a_folder_are_two_parts_of_one_run(tmp_path: Path) -> None:
    write(tmp_path / "dqn" / "monitor.csv", MONITOR.format(start=1, rows="15,15,1\n"))
    write(tmp_path / "dqn" / "progress.csv", PROGRESS)
    write(tmp_path / "dqn" / EVENTS.name, EVENTS.read_bytes())
    log = one(tmp_path / "dqn")
    assert log.columns["episode_reward"] == [15]
    assert log.metrics["loss"] == [None, 0.5, 0.25]


def test_a_chart_s_export_of_wandb_holds_a_run_a_column_group_with_its_band(tmp_path: Path) -> None:
    a, b = read(str(write(tmp_path / "wandb_export.csv", WANDB)), tmp_path)
    assert (a.name, a.columns["steps"], a.columns["episode_reward"]) == ("a", [214, 410], [1.5, 20])
    assert (a.columns["episode_reward__low"], a.columns["episode_reward__high"]) == ([0.5, 18], [2.5, 22])
    assert (b.name, b.columns["steps"], b.columns["episode_reward"]) == ("b", [99, 410], [13.5, 15.5])
    assert "running_reward" not in a.columns, "points of a chart are not all episodes"
    assert "points of a chart" in a.notes[0]


def test_wandb_s_own_step_is_said(tmp_path: Path) -> None:
    file = write(
        tmp_path / "export.csv",
        '"Step","lr 1 - x - reward","lr 1 - x - reward__MIN","lr 1 - x - reward__MAX"\n0,5,5,5\n1,6,6,6\n',
    )
    log = one(file)
    assert log.name == "lr 1 - x"
    assert log.columns["steps"] == [0, 1]
    assert set(log.columns) == {"steps", "episode_reward"}, "a band without width is none"
    assert any("counts calls of wandb.log" in note for note in log.notes)


def test_a_run_s_own_steps_are_taken_before_wandb_s(tmp_path: Path) -> None:
    log = one(
        write(tmp_path / "export.csv", '"Step","a - global_step","a - charts/episodic_return"\n0,100,5\n1,250,6\n')
    )
    assert (log.columns["steps"], log.columns["episode_reward"]) == ([100, 250], [5, 6])
    assert not any("wandb.log" in note for note in log.notes)


def test_columns_names_a_key_of_wandb_s(tmp_path: Path) -> None:
    file = write(tmp_path / "export.csv", '"Step","a - fitness"\n0,5\n1,6\n')
    (log,) = read(str(file), tmp_path, columns=["fitness=mean_reward"])
    assert log.columns["mean_reward"] == [5, 6]


def test_tensorboard_s_exports_of_a_run_are_one_run(tmp_path: Path) -> None:
    head = "Wall time,Step,Value\n"
    files = [
        write(tmp_path / "run-DQN_1-tag-rollout_ep_rew_mean.csv", head + "1000,100,20\n1005,200,30\n"),
        write(tmp_path / "run-DQN_1-tag-train_loss.csv", head + "1000,100,0.5\n1005,200,0.25\n"),
        write(tmp_path / "run-DQN_2-tag-my_tag.csv", head + "1000,100,7\n"),
    ]
    first, second = read_all([str(file) for file in files], tmp_path)
    assert (first.name, second.name) == ("DQN_1", "DQN_2")
    assert first.columns["running_reward"] == [20, 30]
    assert first.columns["loss"] == [0.5, 0.25]
    assert first.columns["seconds"] == [0, 5]
    assert second.columns["my_tag"] == [7]


def test_event_files_hold_scalars_of_either_form(tmp_path: Path) -> None:
    file = write(tmp_path / "CartPole-v1__dqn__1__1700000000" / EVENTS.name, EVENTS.read_bytes())
    log = one(file.parent)
    assert (log.name, log.game) == ("CartPole-v1__dqn__1__1700000000", "CartPole-v1")
    assert (log.columns["steps"], log.columns["episode_reward"]) == ([12, 40, 55], [10, 11, 12])
    assert log.columns["running_reward"] == [10, 10.5, 11]
    assert log.columns["seconds"] == [0, 5, 10]
    (losses,) = log.more
    assert (losses["steps"], losses["loss"]) == ([50, 60], [0.5, 0.25])


def test_a_torn_event_file_is_read_up_to_there(tmp_path: Path) -> None:
    log = one(write(tmp_path / "x" / EVENTS.name, EVENTS.read_bytes()[:-20]))
    assert log.columns["episode_reward"] == [10, 11, 12]
    assert "is torn, and left out" in log.notes[-1]
    with pytest.raises(InputError, match="is no event file of TensorBoard"):
        one(write(tmp_path / "y" / EVENTS.name, b"something else altogether"))


def test_the_checksum_of_records_is_castagnoli_s() -> None:
    crc = 0xE3069283  # of "123456789", as the standard's own example has it
    assert masked(b"123456789") == (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def test_event_files_of_a_run_that_began_again_are_one_curve(tmp_path: Path) -> None:
    write(tmp_path / "x" / EVENTS.name, EVENTS.read_bytes())
    shutil.copy(tmp_path / "x" / EVENTS.name, tmp_path / "x" / "events.out.tfevents.1700000099.host.1.0")
    assert one(tmp_path / "x").columns["steps"] == [12, 40, 55]


@pytest.mark.parametrize(
    "row",
    [
        {
            "training_iteration": 1, "time_total_s": 4.5, "timesteps_total": None, "num_env_steps_sampled_lifetime": 4000,
            "env_runners": {
                "episode_return_mean": 20.5, "episode_return_min": 9.0, "episode_return_max": 55.0, "episode_len_mean": 20.5,
                "num_env_steps_sampled_lifetime": 4000,
            },
            "config": {"lr": 0.1}, "pid": 7,
        },
        {
            "training_iteration": 1, "time_total_s": 4.5, "timesteps_total": 4000, "episode_reward_mean": 20.5, "episode_reward_min": 9.0,
            "episode_reward_max": 55.0, "episode_len_mean": 20.5, "hist_stats": {"episode_reward": [1, 2]}, "pid": 7,
        },
    ],
)  # fmt: skip
def test_rllib_s_results_of_the_new_and_the_old_kind(row: dict, tmp_path: Path) -> None:
    log = one(write(tmp_path / "PPO_x_00000_2024-01-01_12-00-00" / "result.json", json.dumps(row) + "\n"))
    assert log.name == "PPO_x_00000"
    assert {name: list(values) for name, values in log.columns.items()} == {
        "steps": [4000], "seconds": [4.5], "iteration": [1], "mean_reward": [20.5], "mean_reward__low": [9],
        "mean_reward__high": [55], "mean_length": [20.5],
    }  # fmt: skip


def test_rllib_s_progress_is_enough_beside_its_result(tmp_path: Path) -> None:
    write(
        tmp_path / "PPO" / "progress.csv",
        "training_iteration,timesteps_total,episode_reward_mean,config/lr\n1,10,1.5,9\n2,20,2.5,9\n",
    )
    write(tmp_path / "PPO" / "result.json", '{"training_iteration": 1}\n')
    write(tmp_path / "PPO" / "params.json", "{}")
    log = one(tmp_path / "PPO")
    assert (log.columns["steps"], log.columns["mean_reward"]) == ([10, 20], [1.5, 2.5])
    assert "config_lr" not in log.columns


def test_spinning_up_s_folders_are_no_run_folders_of_ours(tmp_path: Path) -> None:
    names = "Epoch\tAverageEpRet\tStdEpRet\tMaxEpRet\tMinEpRet\tEpLen\tTotalEnvInteracts\tTime\n"
    for seed in (0, 10):
        write(tmp_path / "ppo" / f"ppo_s{seed}" / "config.json", '{"exp_name": "ppo"}')
        write(
            tmp_path / "ppo" / f"ppo_s{seed}" / "progress.txt",
            names + f"0\t{seed}\t2\t9\t-9\t30\t4000\t3.5\n1\t50\t2\t90\t10\t30\t8000\t7\n",
        )
    logs = read(str(tmp_path / "ppo"), tmp_path)
    assert [log.name for log in logs] == ["ppo_s0", "ppo_s10"]
    assert [list(log.columns["mean_reward"]) for log in logs] == [[0, 50], [10, 50]]
    assert logs[0].columns["steps"] == [4000, 8000]
    assert logs[0].columns["mean_reward__high"] == [9, 90]


def test_spinning_up_s_deviation_is_the_band_where_there_is_nothing_better(tmp_path: Path) -> None:
    log = one(
        write(tmp_path / "x" / "progress.txt", "Epoch\tAverageEpRet\tStdEpRet\tTotalEnvInteracts\n0\t5\t2\t4000\n")
    )
    assert (log.columns["mean_reward__low"], log.columns["mean_reward__high"]) == ([3], [7])


def test_dopamine_s_iterations(tmp_path: Path) -> None:
    iterations = {
        f"iteration_{n}": {"train_episode_returns": [n, n + 2.0], "eval_average_return": [n * 10.0]} for n in (1, 0)
    }
    log = one(write(tmp_path / "breakout.json", json.dumps(iterations)))
    assert (log.columns["iteration"], log.columns["mean_reward"]) == ([0, 1], [1, 2])
    assert log.columns["evaluation_mean"] == [0, 10]


@pytest.mark.parametrize(
    "content",
    ['{"step": 1, "reward": 5}\n{"step": 2, "reward": 6}\n', '[{"step": 1, "reward": 5}, {"step": 2, "reward": 6}]', '{"step": [1, 2], "reward": [5, 6]}',
     '{"step": {"0": 1, "1": 2}, "reward": {"0": 5, "1": 6}}'],
)  # fmt: skip
def test_json_of_any_shape_is_a_table(content: str, tmp_path: Path) -> None:
    log = one(write(tmp_path / "mine.json", content))
    assert (log.columns["steps"], log.columns["episode_reward"]) == ([1, 2], [5, 6])


def test_a_folder_leaves_out_what_is_no_log_and_says_so(tmp_path: Path) -> None:
    write(tmp_path / "all" / "sb3" / "dqn_1" / "progress.csv", PROGRESS)
    write(tmp_path / "all" / "sb3" / "dqn_2" / "progress.csv", PROGRESS)
    write(tmp_path / "all" / "prices.csv", "day,price\n1,2\n")
    logs = read(str(tmp_path / "all"), tmp_path)
    assert [log.name for log in logs] == ["sb3/dqn_1", "sb3/dqn_2"]
    assert "1 file of all is left out: " in logs[-1].notes[-1]
    with pytest.raises(InputError, match="holds no run and no log that is known"):
        read(str(write(tmp_path / "empty" / "x.txt", "").parent), tmp_path)
