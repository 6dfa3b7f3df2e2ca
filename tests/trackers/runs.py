"""Run folders made by hand: what a training writes, without one."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from pathlib import Path

from triptych.recipes import load_recipe
from triptych.recipes.serialise import to_dict
from triptych.runs.folder import EPISODES, metrics_columns
from triptych.spec.weights import initial_weights
from triptych.utils.files import line, write_json, write_tensors
from triptych.utils.seeds import generator

METRICS = metrics_columns(("q_mean", "td_error_mean"))
EPISODE, PERIOD, TEST = 20, 50, 200  # steps between rows of episodes.csv, of metrics.csv, and of tests in it


class HandMade:
    """A run of CartPole that takes steps without a game. Two episodes end at each step that ends one."""

    def __init__(self, folder: Path):
        self.path, self.step, self.episode, self.sitting = folder, 0, 0, 0
        (folder / "checkpoints").mkdir(parents=True)
        (folder / ".lock").touch()
        recipe = load_recipe("cartpole")
        self.metadata = {"recipe": to_dict(recipe)}
        config = {
            "recipe": to_dict(recipe),
            "env_id": "CartPole-v1",
            "framework": "torch",
            "seed": 0,
            "resume_exact": True,
        }
        config |= {
            "threads": 1,
            "processor": "of a test",
            "versions": {"torch": "2"},
            "device": "cpu",
            "mark": "secret",
        }
        write_json(folder / "config.json", config)
        self.save()

    def play(self, steps: int) -> HandMade:
        """Goes on for so many steps, a multiple of ten."""
        for _ in range(steps // 10):
            self.step += 10
            if self.step % EPISODE == 0:
                self.end_episode()
                self.end_episode()
            if self.step % PERIOD == 0:
                self.append(
                    "metrics", {"epsilon": 0.5, "loss": 1 / self.step, "q_mean": self.step / 7, "learning_rate": 1e-3}
                )
            if self.step % TEST == 0:
                tests = {"mean": self.step / 2, "low": 1.0, "high": 9.0, "games": 3, "length": 17.5}
                self.append(
                    "metrics", {"learning_rate": 1e-3} | {f"evaluation_{name}": value for name, value in tests.items()}
                )
        return self

    def end_episode(self) -> None:
        self.episode += 1
        row = {"episode": self.episode, "frames": self.step, "episode_reward": 20.0, "episode_length": EPISODE}
        self.append("episodes", row | {"running_reward": 20.0, "max_reward": 20.0, "epsilon": 0.5})

    def append(self, table: str, row: dict) -> None:
        columns = EPISODES if table == "episodes" else METRICS
        path = self.path / f"{table}.csv"
        row |= {
            "steps": self.step,
            "updates": self.step // 2,
            "seconds": round(self.step / 100 + self.sitting / 1000, 3),
        }
        with open(path, "a") as file:
            file.write(line(columns) if file.tell() == 0 else "")
            file.write(line([row.get(column, "") for column in columns]))

    def save(self) -> HandMade:
        """A checkpoint, and the weights there."""
        for name in ("best", "latest"):
            write_tensors(
                self.path / "checkpoints" / f"{name}.safetensors",
                weights(self.step),
                self.metadata | {"steps": self.step},
            )
        folder = self.path / "checkpoints" / f"boundary-{self.step:09d}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        counters = {"steps": self.step, "updates": self.step // 2, "episodes": self.episode}
        state = {
            "counters": counters,
            "rngs": {},
            "scores": [],
            "best": {"score": None, "step": None},
            "stopped_by": "",
            "seconds": 0.0,
        }
        content = {"step": self.step, "state": state, "segments": [], "logs": self.sizes(), "files": {}}
        (folder / "boundary.json").write_text(json.dumps(content))
        (folder / "boundary.sha256").write_text(hashlib.sha256((folder / "boundary.json").read_bytes()).hexdigest())
        self.saved = (self.step, self.episode)
        return self

    def go_back(self, further: bool = False) -> HandMade:
        """What a resume does: the rows after the checkpoint are taken back, and played again a little later."""
        if further:
            shutil.rmtree(self.path / "checkpoints" / f"boundary-{self.saved[0]:09d}")
        folder = max(self.path.glob("checkpoints/boundary-*"))
        content = json.loads((folder / "boundary.json").read_text())
        for name, size in content["logs"].items():
            if (self.path / name).exists():
                with open(self.path / name, "rb+") as file:
                    file.truncate(size)
        self.step, self.episode = content["step"], content["state"]["counters"]["episodes"]
        self.sitting += 1
        return self

    def sizes(self) -> dict[str, int]:
        logs = (self.path / "episodes.csv", self.path / "metrics.csv")
        return {log.name: log.stat().st_size if log.exists() else 0 for log in logs}

    def rows(self, table: str) -> list[dict[str, str]]:
        with open(self.path / f"{table}.csv", newline="") as file:
            return list(csv.DictReader(file))


def weights(seed: int) -> dict:
    recipe = load_recipe("cartpole")
    from triptych import envs

    games = envs.make(recipe.env, 1)
    network = recipe.make_network(games.observation, games.num_actions)
    games.close()
    return initial_weights(network, generator(seed, "weights"))
