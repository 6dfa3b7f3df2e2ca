"""One run with the checkup or without it, and what it took; see ../checkup.py."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import triptych
from triptych.checkup import listening
from triptych.checkup.watch import Watch
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.utils import machine

# Of the session: seconds that looking took as the checkup counts them, as they are timed here, and how long it was.
counted: dict[str, float] = {"spent": 0.0, "timed": 0.0, "session": 0.0}
ending, step, after, before = Watch.ending, Watch.step, listening.after, listening.before


def timed(told: Callable[..., Any]) -> Callable[..., Any]:
    """The same, with the seconds that it takes added up: what passes events on as well as what looks at them."""

    def telling(*given: Any) -> Any:
        since = time.perf_counter()
        try:
            return told(*given)
        finally:
            counted["timed"] += time.perf_counter() - since

    return telling


def read_at_the_end(self: Watch, run: Any) -> None:
    if self.on_alarm != "off":
        counted.update(spent=self.budget.spent, session=self.budget.clock() - self.budget.begun)
    ending(self, run)


def time_all() -> None:
    """Puts clocks around all that the checkup does while a run goes on."""
    watch: Any = Watch
    watch.ending, watch.step = read_at_the_end, timed(step)
    listening.after = lambda owner, name, told: after(owner, name, timed(told))
    listening.before = lambda owner, name, told: before(owner, name, timed(told))


def main() -> None:
    time_all()
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
