"""Gymnasium's own checker, of an environment that somebody wrote."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import gymnasium
from gymnasium.utils.env_checker import check_env

from triptych.checkup.findings import Finding, Signal
from triptych.envs import GameConfig
from triptych.envs.gym import Gym, make_one

FAILS = Signal(
    "gymnasium-checker", "warn", "the environment does not keep to Gymnasium's contract",
    ("observations outside of the space that it names", "a reset that knows no seed or options", "results of another kind or order"),
    "the environment's reset and step; gymnasium.utils.env_checker",
)  # fmt: skip
SAYS = Signal("gymnasium-says", "note", "what Gymnasium's checker says besides", (), "the environment")
KNOWN = ("gymnasium.", "ale_py.")  # whose environments are checked where they are made
WRAPPED = "is different from the unwrapped version"  # of any environment that `gymnasium.make` gave


def judge_by_gymnasium(env: Any) -> Iterator[Finding]:
    """What `check_env` raises is a finding; what it warns of, a note. The environment is reset and stepped, and not closed."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            check_env(env, skip_render_check=True, skip_close_check=True)
        except Exception as error:  # an AssertionError most often, or whatever its own code raises
            told = (f"{type(error).__name__}: {error}".splitlines() or [""])[0]
            yield Finding(FAILS, told, "an environment that gymnasium.utils.env_checker.check_env takes")
    lines = {str(one.message).replace("\x1b[33m", "").replace("\x1b[0m", "").removeprefix("WARN: ") for one in said}
    for line in sorted(lines):
        if WRAPPED not in line:
            yield Finding(SAYS, f"Gymnasium's checker says: {line.splitlines()[0]}")


def is_somebodys(config: GameConfig) -> bool:
    """Whether a game is a Gymnasium environment that neither Gymnasium nor the Arcade Learning Environment brings."""
    if not isinstance(config, Gym) or config.id not in gymnasium.registry:
        return False
    entry = gymnasium.spec(config.id).entry_point
    return not str(entry if isinstance(entry, str) else getattr(entry, "__module__", "") + ".").startswith(KNOWN)


def judge_own_game(config: Gym) -> Iterator[Finding]:
    env = make_one(config, gymnasium.spec(config.id))
    try:
        yield from judge_by_gymnasium(env)
    finally:
        env.close()
