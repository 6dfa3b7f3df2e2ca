"""One run with the checkup or without it, and what it took; see ../checkup.py."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from typing import Any

import triptych
from triptych.checkup.watch import Watch
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.utils import machine

counted: dict[str, float] = {"spent": 0.0, "share": 0.0}  # seconds that looking took in the session, and its share
ending = Watch.ending


def read_at_the_end(self: Watch, run: Any) -> None:
    ending(self, run)
    if self.on_alarm != "off":
        counted.update(spent=self.budget.spent, share=self.budget.share)


def main() -> None:
    Watch.ending = read_at_the_end  # type: ignore[method-assign]
    name, framework, steps, on_alarm = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    recipe = override(load_recipe(name), {"steps": steps, "threads": 1, "evaluate_every": 0})
    answer: Any = on_alarm
    with tempfile.TemporaryDirectory() as folder:
        process = time.process_time()
        result = triptych.train(recipe, framework, runs_dir=folder, video=False, on_alarm=answer)
        process = time.process_time() - process
    told = counted | {
        "rate": result.steps_per_second,
        "process": process,
        "alarms": [one["signal"] for one in result.alarms],
    }
    print(json.dumps(told | {"processor": machine.processor()}))


if __name__ == "__main__":
    main()
