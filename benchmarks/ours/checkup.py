"""One run with the checkup or without it, and what it took; see ../checkup.py."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from typing import Any

import triptych
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.utils import machine


def main() -> None:
    name, framework, steps, on_alarm = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    recipe = override(load_recipe(name), {"steps": steps, "threads": 1, "evaluate_every": 0})
    answer: Any = on_alarm
    with tempfile.TemporaryDirectory() as folder:
        process = time.process_time()
        result = triptych.train(recipe, framework, runs_dir=folder, video=False, on_alarm=answer)
        process = time.process_time() - process
    told = {"rate": result.steps_per_second, "process": process, "alarms": [one["signal"] for one in result.alarms]}
    print(json.dumps(told | {"processor": machine.processor()}))


if __name__ == "__main__":
    main()
