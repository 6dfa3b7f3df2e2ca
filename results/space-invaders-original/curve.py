"""Draws curve.svg: the training curve of the original experiment beside its author's figure and the tuned recipe.

python results/space-invaders-original/curve.py
"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt

import triptych

RESULTS = Path(__file__).parents[1]
CURVES = {"the original's settings": "space-invaders-original/torch", "space-invaders-tuned": "space-invaders/torch"}
LEVELS = {"its author: never far above this": 400.0, "random play": 158.2}


def main() -> None:
    plt.style.use("triptych.report.notebook")
    fig, ax = plt.subplots(figsize=(7, 3.4))
    for name, folder in CURVES.items():
        episodes = triptych.read_run(RESULTS / folder).episodes
        ax.plot(episodes["steps"] / 1e6, episodes["running_reward"], label=f"{name}, PyTorch")
    for (name, level), line in zip(LEVELS.items(), ("--", ":"), strict=True):
        ax.axhline(level, ls=line, color="0.5", lw=1)
        ax.annotate(name, (0.7 if level > 200 else 1.56, level), ha="right", va="bottom", color="0.5", fontsize=8)
    ax.set(xlabel="million steps (of 4 emulator frames)", ylabel="running reward (100 games)", ylim=(0, 550))
    ax.legend(loc="upper left")
    fig.savefig(Path(__file__).with_name("curve.svg"), metadata={"Date": None})


if __name__ == "__main__":
    main()
