"""What Ray costs before and after the work, and from how much work on it pays: `compare` with and without it, in turns.

python benchmarks/ray_start.py --json

Each turn starts Ray on this machine, gives it one empty task, and ends it; then it makes the same runs (one thread each) without
Ray, one after the other, and as Ray tasks, as many at once as there are cores.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time

from triptych.utils import machine

BARE = """
import json, time
begun = time.perf_counter()
from triptych.utils.cluster import open_ray
with open_ray() as cluster:
    started = time.perf_counter()
    cluster.ray.get(cluster.ray.remote(lambda: None).remote())
    worked = time.perf_counter()
ended = time.perf_counter()
print(json.dumps({"start": started - begun, "first_task": worked - started, "end": ended - worked}))
"""


def bare() -> dict[str, float]:
    """Seconds that Ray alone takes to start, to do a first empty task, and to end."""
    done = subprocess.run([sys.executable, "-c", BARE], check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def compared(on: str, recipe: str, steps: int, seeds: int) -> float:
    """Seconds of a whole `compare` in PyTorch, from the command to its end."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "triptych", "compare", recipe, "--frameworks", "torch", "--seeds", str(seeds),
            "--steps", str(steps), "--games", "2", "--threads", "1", "--no-video", "--quiet", "--runs-dir", folder, "--on", on,
        ]  # fmt: skip
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--recipe", default="cartpole-a2c")
    parser.add_argument("--steps", type=int, nargs="+", default=[5_000, 50_000], help="of each run")
    parser.add_argument("--seeds", type=int, default=2 * machine.cores(), help="runs")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args()
    if asked.turns < 1:
        parser.error(f"--turns is {asked.turns}; allowed: 1 or more")
    times: dict[str, list[float]] = {}
    for _ in range(asked.turns):
        found = bare()
        for steps in asked.steps:
            for on in ("here", "ray"):
                found[f"{asked.seeds}x{steps}_{on}"] = compared(on, asked.recipe, steps, asked.seeds)
        for name, value in found.items():
            times.setdefault(name, []).append(value)
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, median in medians.items():
        print(f"{name:20} {median:7.1f} s ({min(times[name]):.1f} to {max(times[name]):.1f})")
    if asked.json:
        told = {"turns": asked.turns, "processor": machine.processor(), "cores": machine.cores(), "all": times}
        print(json.dumps(medians | told))


if __name__ == "__main__":
    main()
