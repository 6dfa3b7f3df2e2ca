"""The games of a recipe as text."""

from __future__ import annotations

import textwrap
from typing import Any

from triptych.envs.atari import Atari, vector_settings
from triptych.envs.cartpole import SEEN, CartPole
from triptych.envs.registry import find
from triptych.report.show.text import literal

IMPORTS = """import gymnasium
from ale_py.vector_env import AtariVectorEnv
from gymnasium import spaces, wrappers"""

ATARI = '''def make_games(count):
    """Games side by side. One that has ended takes a step to begin anew."""
    return AtariVectorEnv(
{settings}
    )'''

GYM = '''def make_games(count):
    """Games side by side. One that has ended takes a step to begin anew (Gymnasium's order NEXT_STEP)."""
    return gymnasium.vector.SyncVectorEnv([lambda: {call}] * count)'''

SEEN_GYM = '''def make_games(count):
    """Games side by side, {seen}. One that has ended takes a step to begin anew (Gymnasium's order NEXT_STEP)."""

    def make():
        shown = spaces.Box(-np.inf, np.inf, ({count},))
        return wrappers.TransformObservation({call}, lambda obs: obs[{places}], shown)

    return gymnasium.vector.SyncVectorEnv([make] * count)'''


def games_text(config: Any) -> str:
    """The functions that make the games of a recipe."""
    if isinstance(config, Atari):
        settings = vector_settings(config, find(config.id))
        given = ["num_envs=count", *(f"{name}={literal(value)}" for name, value in settings.items())]
        lines = textwrap.wrap(", ".join(given), 110, initial_indent=" " * 8, subsequent_indent=" " * 8)
        return ATARI.replace("{settings}", "\n".join(lines))
    given = config.arguments() | ({} if config.time_limit is None else {"max_episode_steps": config.time_limit or -1})
    call = f"gymnasium.make({', '.join([literal(config.id), *(f'{name}={literal(value)}' for name, value in given.items())])})"
    seen = SEEN.get(config.observe) if isinstance(config, CartPole) else None
    if not seen:
        return GYM.format(call=call)
    return SEEN_GYM.format(seen=f"{config.observe} seen alone", count=len(seen), call=call, places=seen)
