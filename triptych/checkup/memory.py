"""What a run will keep in memory, against what is free."""

from __future__ import annotations

from collections.abc import Iterator

from triptych.checkup.findings import Finding, Signal
from triptych.envs import Games
from triptych.recipes import Recipe
from triptych.recipes.feasibility import memory_needed
from triptych.utils import machine

TIGHT = Signal(
    "memory-tight", "warn", "the run will need more memory than is free now",
    ("a replay made for a larger machine", "other programs"), "the setting it names",
)  # fmt: skip
MEMORY = Signal("memory", "note", "what the run keeps in memory", (), "algorithm.replay_size, rollout_steps")


def judge_memory(recipe: Recipe, games: Games) -> Iterator[Finding]:
    if recipe.algorithm.samples_on_device:
        yield Finding(MEMORY, "the replay lies on the device, whose memory only its framework knows", "")
        return
    name, need = memory_needed(recipe, games.observation, games.num_actions)
    told, free = f"{name} asks for about {need / 1e6:,.0f} MB at the run's end", machine.memory_free()
    if need > free:
        yield Finding(TIGHT, told, f"at most the {free / 1e6:,.0f} MB that are free")
    else:
        yield Finding(MEMORY, f"{told}, of {free / 1e6:,.0f} MB that are free", "")
