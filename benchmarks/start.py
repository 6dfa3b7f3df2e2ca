"""How long `import triptych` and `triptych --help` take, in turn with a bare interpreter.

python benchmarks/start.py --json
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

from triptych.utils import machine

COMMANDS = {
    "python": ["-c", "pass"],
    "import": ["-c", "import triptych"],
    "help": ["-m", "triptych", "--help"],
    "train_help": ["-m", "triptych", "train", "cartpole", "--help"],
}


def seconds(arguments: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args()
    if asked.turns < 3:
        parser.error(f"--turns is {asked.turns}; allowed: 3 or more")
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(asked.turns):
        for name, arguments in COMMANDS.items():
            times[name].append(seconds(arguments))
    medians = {name: statistics.median(found) for name, found in times.items()}
    for name, median in medians.items():
        print(f"{name:11} {median * 1e3:6.0f} ms")
    if asked.json:
        print(json.dumps(medians | {"turns": asked.turns, "processor": machine.processor()}))


if __name__ == "__main__":
    main()
