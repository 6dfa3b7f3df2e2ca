"""Whether Atari games pay, cost lives and end as the emulator itself does, asked frame by frame under the same actions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from triptych import envs
from triptych.checkup.findings import Finding, Signal
from triptych.envs import GameConfig
from triptych.envs.atari import Atari

STEPS = 400  # of one game that are compared

DIFFERS = Signal(
    "emulator-differs",
    "stop",
    "the games are not those of the emulator",
    (
        "rewards of skipped frames that are lost: all of a step's frames count",
        "actions that are repeated by chance (sticky) where none should be, or for another number of frames",
        "a wrapper that ends, pays or presses buttons by itself",
    ),
    "the environment and its wrappers; env.frame_skip, sticky",
)


def judge_emulator(config: GameConfig) -> Iterator[Finding]:
    """Compares the first game with the emulator. Idle frames and sticky actions, which are drawn, are left out."""
    if type(config) is not Atari:
        return
    games = envs.make(dataclasses.replace(config, noop_max=0, fire=False, sticky=0.0, time_limit=0), 1)
    try:
        game = Emulator(config)
        games.reset(np.zeros(1, np.int64))
        rng = np.random.default_rng(4)
        for step in range(STEPS):
            action = int(rng.integers(games.num_actions))
            games.send(np.array([action]))
            found, wanted = games.recv(), game.step(action)
            seen = (
                float(found.reward[0]),
                bool(found.lost_life is not None and found.lost_life[0]),
                bool(found.terminated[0]),
            )
            if seen != wanted:
                yield Finding(DIFFERS, f"at step {step} of a game {said(seen)}", f"{said(wanted)}, by the emulator")
                return
            if seen[2] or found.truncated[0]:
                return
    finally:
        games.close()


def said(seen: tuple[float, bool, bool]) -> str:
    reward, lost, over = seen
    return f"a reward of {reward:g}{', a life is lost' if lost else ''}{', it is over' if over else ''}"


class Emulator:
    """The Arcade Learning Environment itself, from a game's first frame."""

    def __init__(self, config: Atari):
        import ale_py

        spec: Any = envs.find(config.id)
        kwargs = spec.kwargs
        self.frames = config.frame_skip if kwargs["frameskip"] == 1 else kwargs["frameskip"]
        self.ale = ale_py.ALEInterface()
        self.ale.setFloat("repeat_action_probability", 0.0)
        rom: Any = ale_py.roms.get_rom_path(kwargs["game"])  # the games themselves are made of it
        self.ale.loadROM(rom)
        everything = config.full_action_space or kwargs["full_action_space"]
        self.actions = self.ale.getLegalActionSet() if everything else self.ale.getMinimalActionSet()
        self.ale.reset_game()

    def step(self, action: int) -> tuple[float, bool, bool]:
        """Its reward, whether a life was lost, and whether the game is over."""
        lives, total = self.ale.lives(), 0.0
        for _ in range(self.frames):
            total += float(self.ale.act(self.actions[action]))
        return total, self.ale.lives() < lives, self.ale.game_over()
