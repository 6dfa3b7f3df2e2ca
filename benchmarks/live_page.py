"""How long the live page takes to open over many long runs, in a browser: until its first curves, and until all are drawn.

python benchmarks/live_page.py --runs 50 --rows 20000 --json

Writes run folders of made-up rows, serves them with `triptych dashboard`, and opens the page in a fresh headless Chromium, turn by turn: once as
it opens by itself, once with every run ticked. Each turn has a new server, which has read nothing yet.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from triptych.utils import machine

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.report.chromium import Browser

HEADER = "episode,steps,frames,episode_reward,episode_length,running_reward,max_reward,epsilon,loss,updates,seconds\n"
DRAWN = "document.querySelectorAll('#figure .scatterlayer .js-line').length"


def write(folder: Path, rows: int, seed: int) -> None:
    """A run folder whose rewards wander."""
    draw, reward, lines = random.Random(seed), 20.0, []
    for row in range(1, rows + 1):
        reward = max(0.0, reward + draw.gauss(0.01, 1))
        lines.append(
            f"{row},{row * 40},{row * 160},{reward + draw.gauss(0, 9):.1f},40,{reward:.2f},{reward + 30:.1f},{1 / row:.6f},{draw.random():.6f},{row * 10},{row * 0.2:.1f}\n"
        )
    folder.mkdir()
    recipe = {
        "steps": rows * 40,
        "seed": seed,
        "env": {"id": "CartPole-v1"},
        "algorithm": {"kind": "dqn", "gamma": 0.9 + seed / 1000},
    }
    (folder / "config.json").write_text(json.dumps({"framework": "torch", "recipe": recipe}), encoding="utf-8")
    (folder / "episodes.csv").write_text(HEADER + "".join(lines), encoding="utf-8")


def turn(runs: Path, profile: Path, picked: list[str], curves: int) -> dict[str, float]:
    """Seconds from the address to the first curve, and to all of them, by the clock."""
    command = [sys.executable, "-m", "triptych", "dashboard", str(runs), "--no-open", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        found = None
        while found is None:
            found = re.search(r"http://[\d.]+:\d+", server.stdout.readline())
        with Browser(profile) as browser:
            browser.size(1280)
            begun = time.monotonic()
            browser.open(f"{found[0]}/#" + "&".join(f"run={quote(name)}" for name in picked))
            seconds = {}
            for name, count in (("first", 1), ("all", curves)):
                browser.wait(f"{DRAWN} >= {count}")
                seconds[name] = time.monotonic() - begun
            assert browser.trouble == [], browser.trouble
            return seconds
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--rows", type=int, default=20_000, help="of each run's episodes.csv")
    parser.add_argument("--turns", type=int, default=5, help="at least 3")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args()
    if asked.turns < 3 or not 6 <= asked.runs <= 60 or asked.rows < 100:
        parser.error("--turns are at least 3, --runs 6 to 60, --rows at least 100")
    turns: dict[str, list[dict[str, float]]] = {"as it opens": [], "every run ticked": []}
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        runs.mkdir()
        names = [f"run-{number:02}" for number in range(asked.runs)]
        for seed, name in enumerate(names):
            write(runs / name, asked.rows, seed)
        for number in range(asked.turns):
            for how, picked, curves in (("as it opens", [], 6), ("every run ticked", names, asked.runs)):
                turns[how].append(turn(runs, Path(folder) / f"profile-{number}-{len(picked)}", picked, curves))
                print(
                    f"turn {number + 1}, {how}: {turns[how][-1]['first']:.2f} s to the first curve, {turns[how][-1]['all']:.2f} s to all",
                    flush=True,
                )
    medians = {
        how: {name: statistics.median(one[name] for one in found) for name in ("first", "all")}
        for how, found in turns.items()
    }
    for how, found in medians.items():
        print(f"{how}: {found['first']:.2f} s to the first curve, {found['all']:.2f} s to all")
    print(f"{asked.runs} runs of {asked.rows:,} rows; {machine.processor()}")
    if asked.json:
        print(
            json.dumps(
                {
                    "medians": medians,
                    "runs": asked.runs,
                    "rows": asked.rows,
                    "turns": turns,
                    "processor": machine.processor(),
                }
            )
        )


if __name__ == "__main__":
    main()
