"""Counting and logging as `triptych show --loop` writes them into a file. No run imports this: it is copied as text.

See `choose.py` for the marks.
"""

from __future__ import annotations

import atexit
import time
from collections import deque
from pathlib import Path

import numpy as np


class Log:
    """Counts, and writes what happens to episodes.csv, metrics.csv and tests.csv; with --track to that tool, too."""

    def __init__(self, args):
        self.args, self.start, self.passed = args, time.perf_counter(), {}
        self.steps = self.updates = self.episodes = 0
        self.score, self.length = np.zeros(args.num_envs), np.zeros(args.num_envs, np.int64)
        self.scores = deque(maxlen=100)
        self.folder = Path(args.runs_dir, time.strftime(f"{Path(__file__).stem}-{args.seed}-%Y%m%d-%H%M%S"))
        if args.track == "tensorboard":
            from tensorboard.summary import Writer

            self.writer = Writer(str(self.folder))
            atexit.register(self.writer.close)
        if args.track == "wandb":
            import wandb

            self.wandb = wandb.init(project="triptych", name=self.folder.name, config=vars(args))

    def is_due(self, name, every, count):  # whether a period has passed since this was last asked
        before, self.passed[name] = self.passed.get(name, 0), count // every if every else 0
        return self.passed[name] > before

    def step(self, reward, acted, ended):
        """Counts a step of every game, and writes a row for each episode that ended with it."""
        self.score += reward * acted
        self.length += acted
        self.steps += int(acted.sum())
        for game in np.flatnonzero(ended):
            self.episodes += 1
            self.scores.append(float(self.score[game]))
            self.row("episodes", episode_reward=self.scores[-1], episode_length=int(self.length[game]))
            self.score[game] = self.length[game] = 0

    def row(self, table, **numbers):
        """Adds a row to a file, and to what is tracked; all but single episodes are printed."""
        row = {"steps": self.steps, "updates": self.updates, "seconds": time.perf_counter() - self.start}
        path, row = self.folder / f"{table}.csv", row | {name: float(number) for name, number in numbers.items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        head = "" if path.exists() else ",".join(row) + "\n"
        with path.open("a") as file:
            file.write(head + ",".join(f"{number:.15g}" for number in row.values()) + "\n")
        if table != "episodes":
            print(table, " ".join(f"{name} {number:.6g}" for name, number in row.items()))
        for name in numbers if self.args.track == "tensorboard" else ():
            self.writer.add_scalar(f"{table}/{name}", row[name], self.steps)
        if self.args.track == "wandb":
            self.wandb.log({f"{table}/{name}": number for name, number in row.items()})
