"""How long a user's observations take to become their framework's: in a sample and in an update, against a copy of the same bytes."""

from __future__ import annotations

import cProfile
import pstats
import re
from collections.abc import Callable, Iterator
from typing import Any

from triptych.checkup.findings import Finding
from triptych.checkup.looks import NotSeen
from triptych.checkup.monitors.transfer import SLOW, TIMES, seconds
from triptych.checkup.own.filling import STEPS, Filling
from triptych.checkup.own.made import made_batch
from triptych.checkup.own.protocol import Own

LARGE = 100_000  # numbers in the observations of a batch: of fewer nothing takes long
NAMES = ("tensor", "as_tensor", "array", "asarray", "tolist", "stack", "constant", "convert_to_tensor", "device_put")
LEAST = 10e-9  # seconds a number, which no conversion of whole arrays comes near
TRIES = 3
SHARE = 0.25  # of an update or a sample, that a conversion takes where it matters


def conversion(own: Own) -> Iterator[Finding]:
    """Looks at whatever makes arrays of observations: those of a sample, of `learn`, of `values`."""
    size = int(own.settings["batch_size"])
    batch = made_batch(own, size, 31)
    if batch.obs.size < LARGE:
        raise NotSeen(f"a batch has {batch.obs.size:,} numbers, fewer than {LARGE:,}: of so few nothing takes long")
    copied = seconds(lambda: (batch.obs.copy(), batch.next_obs.copy()), 3)
    looks: list[tuple[str, Callable[[], Any]]] = []
    if {"observe", "sample"} <= own.has:
        Filling(own, STEPS).put(STEPS)
        looks.append(("sample", lambda: own.call("sample")))
    if "learn" in own.has:
        looks.append(("learn", lambda: own.learn(batch)))
    looks.append(("values", lambda: own.call("values", batch.obs)))
    for method, ask in looks:
        ask()  # what is compiled or opened at the first call
        taken, whole, name = min(slowest(ask) for _ in range(TRIES))  # a busy machine is slow now and then
        if taken > max(LEAST * batch.obs.size, TIMES * copied) and taken > SHARE * whole:
            told = f"{method} takes {1e3 * taken:.0f} ms of its {1e3 * whole:.0f} to make arrays ({name}), {taken / copied:,.0f} times what a copy takes"
            yield Finding(SLOW, told, f"at most {TIMES:.0f} times")
            return


def slowest(ask: Callable[[], Any]) -> tuple[float, float, str]:
    """Of the conversions that a call makes the seconds of the one that takes longest altogether, those of the call, and its name."""
    profile = cProfile.Profile()
    profile.runcall(ask)
    stats = pstats.Stats(profile)
    found = {"": 0.0}
    for (_, _, name), (_, _, _, taken, _) in stats.stats.items():  # type: ignore[attr-defined]
        plain = next((word for word in re.findall(r"\w+", name) if word in NAMES), "")
        found[plain] = max(found.get(plain, 0.0), taken) if plain else 0.0
    name = max(found, key=lambda one: found[one])
    return found[name], float(stats.total_tt), name  # type: ignore[attr-defined]
