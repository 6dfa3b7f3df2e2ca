"""Where the time of a run goes: play, store, act, sample, transfer, update, log."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from triptych import envs, frameworks
from triptych.frameworks import Learner, xla
from triptych.recipes import Recipe
from triptych.recipes.serialise import from_dict, to_dict
from triptych.runs.trust import allow_job
from triptych.training.base import Training
from triptych.training.build import make_training
from triptych.utils import machine
from triptych.utils.console import counted

SLOW = 1e9  # bytes a second; moving whole arrays is faster on every machine of the last ten years
UPDATES = 40  # timed in each setting, the first quarter left out
A_CALL = 1e-4  # seconds that handing over one array may take, whatever its size
PLAY_SECONDS = 2.0  # of random play, to know what the games alone can do
WHAT = {
    "play": "the games, as far as learning does not hide them",
    "store": "writing what they showed",
    "act": "choosing actions",
    "sample": "drawing batches",
    "transfer": "arrays to the device",
    "update": "loss, gradient, optimiser",
    "log": "episodes.csv and metrics.csv",
}


class Profile:
    """Wraps the parts of a training in clocks. Each update is waited for, so a run is a little slower under it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.calls: dict[str, int] = defaultdict(int)
        self.moved = 0  # bytes
        self.inner = [0.0]  # seconds that calls within the present one took

    def watch(self, training: Training, logs: Any) -> None:
        """Puts clocks around the methods of a training's parts."""
        players = training.players()
        learners = {id(each.learner): each.learner for each in [training, *players]}.values()
        for owner, method, name in (
            *((player.games, method, "play") for player in players for method in ("send", "recv")),
            *(found for player in players for found in player.profiled()),
            *((learner, "act", "act") for learner in learners),
            *((learner, "to_device", "transfer") for learner in learners),
            (logs, "see", "log"),
        ):
            setattr(owner, method, self.clocked(getattr(owner, method), name))
        for learner in learners:
            self.watch_updates(learner)

    def watch_updates(self, learner: Learner) -> None:
        """Puts clocks around what changes weights, or takes gradients; each is waited for."""
        update, halves, move = learner.update, (learner.gradients, learner.apply), learner.to_device
        learner.update = self.clocked(lambda *given: waited(update(*given)), "update")  # type: ignore[method-assign]
        learner.gradients, learner.apply = (self.clocked(half, "update") for half in halves)  # type: ignore[method-assign]
        learner.to_device = lambda array: self.count(move, array)  # type: ignore[method-assign]

    def count(self, move: Callable[[np.ndarray], Any], array: np.ndarray) -> Any:
        self.moved += array.nbytes if isinstance(array, np.ndarray) else 0  # else it is there already
        return move(array)

    def clocked(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """The same function; its own seconds, without those of clocked ones within it, go to `name`."""

        def clocked(*given: Any, **named: Any) -> Any:
            start = time.perf_counter()
            self.inner.append(0.0)
            result = function(*given, **named)
            whole = time.perf_counter() - start
            self.seconds[name] += whole - self.inner.pop()
            self.inner[-1] += whole
            self.calls[name] += 1
            return result

        return clocked

    def lines(self, training: Training, steps: int, seconds: float, threads: int) -> Iterator[str]:
        """The table, the bound, and what is slow. `steps` and `seconds` are those of the loop."""
        known = sum(self.seconds.values())
        for name, what in WHAT.items():
            yield row(name, self.seconds[name], seconds, steps, what)
        yield row("other", max(0.0, seconds - known), seconds, steps, "the loop itself")
        learner = self.seconds["act"] + self.seconds["transfer"] + self.seconds["update"]
        alone = steps / games_alone(training)
        if not training.overlaps:
            bound, kind = learner + alone, "learning plus playing: one waits for the other"
        elif threads + min(training.recipe.num_envs, threads) <= machine.cores():
            bound, kind = max(learner, alone), "the larger of learning and playing"
        else:
            bound, kind = learner + alone, "learning plus playing: their threads share the cores"
        yield f"bound     {steps / bound:,.0f} steps/s ({kind}); this run made {steps / seconds:,.0f}, {bound / seconds:.0%} of it"
        if not self.calls["act"]:
            yield "note      every action was random: the network did not act, so make a longer run to see all"
        yield from self.slow_conversion()

    def slow_conversion(self) -> Iterator[str]:
        """A line where arrays reach the device much slower than memory is copied."""
        seconds, calls = self.seconds["transfer"], self.calls["transfer"]
        if seconds > self.moved / SLOW + calls * A_CALL:
            yield (
                f"slow      conversion: arrays become tensors at {self.moved / seconds / 1e6:,.1f} MB/s in {counted(calls, 'call')}; "
                f"whole arrays move at more than {SLOW / 1e6:,.0f}. Are they handed over in pieces?"
            )


def row(name: str, part: float, whole: float, steps: int, what: str) -> str:
    return f"{name:9} {part / whole:6.1%}  {part / max(1, steps) * 1e3:8.3f} ms a step  {what}"


def waited(scalars: dict[str, Any]) -> dict[str, Any]:
    float(scalars["loss"])  # a framework may only have queued the update
    return scalars


def games_alone(training: Training) -> float:
    """Steps a second of random play in the training's games, which are not needed any more."""
    games, rng = training.games, np.random.default_rng(0)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < PLAY_SECONDS:
        games.send(rng.integers(games.num_actions, size=games.num_envs))
        games.recv()
        count += games.num_envs
    return count / (time.perf_counter() - start)


def print_update(text: str) -> None:
    """The other process: the median milliseconds of an update on a batch of zeros."""
    job = json.loads(text)
    allow_job(job)
    recipe = dataclasses.replace(from_dict(job["recipe"]), precision=job["precision"])
    # The run beside it has its own experience.
    recipe = dataclasses.replace(recipe, algorithm=recipe.algorithm.smallest(recipe.num_envs))
    frameworks.set_threads(job["threads"])
    xla.set_convolutions(job["convolutions"])
    games = envs.make(recipe.env, recipe.num_envs)
    training = make_training(recipe, games, frameworks.load(job["framework"]).Learner)
    training.close()
    player = training.players()[0]
    batch, times = player.taught(player.example()), []
    for _ in range(UPDATES):
        start = time.perf_counter()
        waited(training.learner.update(batch, 0.0))
        times.append(time.perf_counter() - start)
    print(float(np.median(times[UPDATES // 4 :])) * 1e3)


UPDATE = "import sys; from triptych.training.profiler import print_update; print_update(sys.stdin.read())"


def gains(recipe: Recipe, framework: str, threads: int) -> Iterator[str]:
    """An update's time with other thread counts and precisions, each in a process of its own."""
    precisions = dict.fromkeys((recipe.precision, "float32", "bfloat16"))
    counts = sorted({threads, 1, machine.cores()})
    for precision in precisions:
        for count in counts:
            job = {
                "recipe": to_dict(recipe),
                "framework": framework,
                "threads": count,
                "precision": precision,
                "convolutions": xla.CONVOLUTIONS,
            }
            job["trust"] = True  # it is this training's
            done = subprocess.run([sys.executable, "-c", UPDATE], input=json.dumps(job), capture_output=True, text=True)
            here = "  <- this run" if (precision, count) == (recipe.precision, threads) else ""
            if done.returncode == 0:
                milliseconds = float(done.stdout.splitlines()[-1])
                yield f"an update by itself {milliseconds:8.2f} ms  {precision}, {counted(count, 'thread')}{here}"
            else:
                yield f"an update by itself not measured  {precision}, {counted(count, 'thread')}: {done.stderr.strip().splitlines()[-1]}"
