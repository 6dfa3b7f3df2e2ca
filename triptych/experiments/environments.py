"""Environments that were tried, and what was seen of them; the table in results/environments is made here."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triptych import envs
from triptych.envs import EnvConfig, GameConfig
from triptych.envs.health import SIDE_BY_SIDE, examine
from triptych.envs.packages import ATARI, package_of
from triptych.recipes import BUILT_IN, load_recipe
from triptych.recipes.values import read_setting
from triptych.report.command import flag
from triptych.utils import machine
from triptych.utils.files import write_json, write_whole
from triptych.utils.reading import read_json
from triptych.utils.statistics import bootstrap_mean

FACTS = Path(__file__).with_name("environments.json")  # what was seen when the list was last tried
EPISODES = 20

# Ids with the settings that they are played with. Which recipes there are for them is looked up.
LISTED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("CartPole-v1", {}),
    ("Acrobot-v1", {}),
    ("MountainCar-v0", {}),
    ("FrozenLake-v1", {}),
    ("Taxi-v4", {}),
    ("Blackjack-v1", {}),
    ("SpaceInvadersNoFrameskip-v4", {}),
    ("BreakoutNoFrameskip-v4", {}),
    ("KungFuMasterNoFrameskip-v4", {}),
    ("ALE/Pong-v5", {}),
    ("triptych/MemoryChain-v0", {}),
    ("triptych/RepeatPrevious-v0", {}),
    ("triptych/Catch-v0", {}),
    ("triptych/Maze-v0", {}),
    ("triptych/MazeRaycast-v0", {}),
    ("VizdoomMyWayHome-v1", {}),
    ("VizdoomBasic-v1", {}),
    ("VizdoomHealthGathering-v1", {}),
    ("VizdoomDeadlyCorridor-v1", {}),
    ("MiniGrid-MemoryS7-v0", {"drop": ("mission",)}),
    ("MiniGrid-MemoryS17Random-v0", {"drop": ("mission",)}),
    ("MiniGrid-KeyCorridorS3R1-v0", {"drop": ("mission",)}),
    ("MiniGrid-FourRooms-v0", {"drop": ("mission",)}),
    ("MiniWorld-MazeS3-v0", {"size": (60, 80), "colour": True}),
    ("popgym-RepeatPreviousEasy-v0", {}),
    ("popgym-AutoencodeEasy-v0", {}),
    ("FlappyBird-v0", {"kwargs": '{"use_lidar": false}'}),
)


@dataclass(frozen=True)
class Tried:
    """What was seen of an environment."""

    id: str
    extra: str  # that installs it; '': it comes with the core
    version: str  # of the package that brings it
    settings: dict[str, Any]  # that it was played with, where they are not the usual ones
    observation: str  # parts and shapes
    actions: int
    saves: bool  # whether a checkpoint goes on in the middle of an episode
    episodes: int  # of random play that ended
    random: float | None  # their mean reward; None: none ended
    low: float | None  # 95 % bootstrap interval
    high: float | None
    length: float | None  # mean steps
    rate: float  # steps a second of random play, four games together
    findings: list[str] = field(default_factory=list)  # what is wrong with it


def listed() -> list[Tried]:
    """The environments that were tried, with what was seen then."""
    return [Tried(**found) for found in read_json(FACTS)["environments"]]


def recipes_of(env_id: str) -> list[str]:
    """The shipped recipes that play an id."""
    return [name for name in BUILT_IN if load_recipe(name).env.id == env_id]


def attempt(env_id: str, settings: dict[str, Any] | None = None, episodes: int = EPISODES) -> Tried:
    """Plays an environment at random, and says what is wrong with it.

    Args:
        settings: of the environment, also as words; of one that is listed beside those that it is listed with.

    Raises:
        InputError: it cannot be made.
        EnvironmentFailed: it raised.
    """
    envs.find(env_id, may_import=True)
    usual: GameConfig = EnvConfig(env_id, **dict(LISTED).get(env_id, {}))
    own = {name: read_setting(usual, name, value) for name, value in (settings or {}).items()}
    config = envs.changed(usual, own)
    seen = examine(config, episodes)
    package = package_of(env_id) or (ATARI if config.kind in ("atari", "emulator") else None)
    mean, low, high = bootstrap_mean([seen.rewards]) if seen.rewards else (None, None, None)
    return Tried(
        id=env_id,
        extra=package.extra if package else "",
        version=f"{package.name} {package.version}" if package else "",
        settings=dict(LISTED).get(env_id, {}) | own,
        observation=seen.observation,
        actions=seen.actions,
        saves=seen.saves,
        episodes=len(seen.rewards),
        random=mean,
        low=low,
        high=high,
        length=sum(seen.lengths) / len(seen.lengths) if seen.lengths else None,
        rate=seen.rate,
        findings=seen.findings,
    )


def try_all(report: Callable[[Tried], None] | None = None) -> list[Tried]:
    """Tries all that are listed."""
    found = []
    for env_id, _ in LISTED:
        found.append(attempt(env_id))
        if report is not None:
            report(found[-1])
    return found


def write_table(tried: Sequence[Tried], folder: Path) -> Path:
    """`environments.json` and a README.md with the same as a table, in a folder that is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = {"processor": machine.processor(), "environments": [dataclasses.asdict(one) for one in tried]}
    write_json(folder / "environments.json", facts)
    rows = ["| " + " | ".join(cells) + " |" for cells in (HEAD, ["---"] * len(HEAD), *map(row, tried))]
    text = INTRODUCTION.format(processor=machine.processor()) + "\n".join(rows) + "\n"
    write_whole(folder / "README.md", lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return folder / "README.md"


INTRODUCTION = """# Environments that were tried

Made by `triptych envs --again --out results/environments` on {processor}: each played at random, four games at once, until
each had ended {each} episodes or taken 3,000 steps. *Settings* are those that differ from the usual ones. *Seen* says what is wrong: a seed that is not
obeyed, episodes all alike, a picture or numbers that never change, no end, no reward. No reward under random play is no fault, but it tells what an agent
is up against. Steps/s are of a machine that was not idle.
`triptych envs` shows the same, with the recipes there are.

""".replace("{each}", str(EPISODES // SIDE_BY_SIDE))
HEAD = [
    "id",
    "settings",
    "extra",
    "package",
    "observation",
    "actions",
    "random play (95 %)",
    "steps",
    "steps/s",
    "saved",
    "seen",
]


def row(one: Tried) -> list[str]:
    """A line of the table."""
    return [
        f"`{one.id}`", f"`{flags_of(one)}`" if one.settings else "", f"`{one.extra}`" if one.extra else "", one.version, one.observation, str(one.actions), score(one),
        "" if one.length is None else f"{one.length:,.0f}", f"{one.rate:,.0f}", "yes" if one.saves else "",
        "; ".join(one.findings),
    ]  # fmt: skip


def flags_of(one: Tried) -> str:
    """The flags of `triptych train` with which the same is played; '' where it is the usual settings."""
    return shlex.join(word for name, value in one.settings.items() for word in flag(f"env.{name}", value))


def score(one: Tried) -> str:
    """What random play scores, with as many digits as it takes."""
    if one.random is None or one.low is None or one.high is None:
        return "no episode ended"
    digits = 1 if max(abs(one.low), abs(one.high)) >= 10 else 2
    return f"{one.random:,.{digits}f} ({one.low:,.{digits}f} to {one.high:,.{digits}f})"
