"""`triptych video`: agents of any framework on one seed, side by side in one film.

Each plays in a process of its own, where its framework is loaded and no other; the film is made here of what they did.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal

from triptych import envs
from triptych.envs.config import DrawsNothing, no_pictures
from triptych.envs.videos import check_tools, screen_config
from triptych.experiments.evaluate import run_folder
from triptych.experiments.film import FPS, SECONDS, film
from triptych.experiments.jobs import work_all
from triptych.experiments.load import Source, find_weights
from triptych.experiments.tape import Tape, read
from triptych.frameworks import FRAMEWORKS, check_framework
from triptych.recipes.serialise import to_dict
from triptych.runs.names import safe
from triptych.runs.records import Named
from triptych.runs.trust import Allowed
from triptych.training.agent import Policy
from triptych.utils import machine
from triptych.utils.checks import InputError, check
from triptych.utils.console import say, warn
from triptych.utils.failures import machine_failures
from triptych.utils.files import check_new_file
from triptych.utils.seeds import game_seeds

LONGEST = 100  # bytes of the names in a file's
MOST, ACROSS = 12, 4  # agents in one film, in one of its rows


@dataclass(frozen=True)
class Filmed:
    """One agent of a video, and its game."""

    name: str
    framework: str
    weights: str  # the file
    env: str
    score: float  # raw reward
    steps: int
    cut: bool  # the film ends before its game


@dataclass(frozen=True)
class VideoResult:
    """A video, and what it shows."""

    file: str
    seed: int
    agents: list[Filmed]


@machine_failures()
def video(
    *runs: Named,
    seed: int = 0,
    out: str | Path | None = None,
    steps: int | None = None,
    weights: Literal["best", "latest"] = "best",
    frameworks: Sequence[str] = (),
    policy: Policy | None = None,
    epsilon: float = 0.0,
    device: str = "auto",
    runs_dir: str | Path = "runs",
    recipe: str | None = None,
    trust: bool = False,
    quiet: bool = True,
) -> VideoResult:
    """Films one game of each agent on the same seed, side by side: title, score, step, and what it thinks of its actions.

    Args:
        runs: run folders, names under `runs_dir`, what `train` returned, or weights files.
        seed: of the game and of what the agents draw: the game is that of `evaluate(run, 1, seed)`.
        out: the `.mp4` to write; None: video-NAMES-seed-SEED.mp4 in the current folder.
        steps: that are filmed at most; None: a minute.
        weights: which of a run.
        frameworks: that play each agent; none: each run's own, and PyTorch for a weights file.
        policy, epsilon, device, recipe, trust: as in `evaluate`.

    Raises:
        InputError: no such run, a game that shows no pictures, or a value that is not allowed; nothing was played.
        WorkerError: an agent's process failed.
    """
    check(len(runs) > 0, "runs", "none", "run folders, runs' names, or weights files")
    check(seed >= 0, "seed", seed, "0 or more")
    check(steps is None or steps > 0, "steps", steps, "above 0")
    check(0 <= epsilon <= 1, "epsilon", epsilon, "0 to 1")
    for name in frameworks:
        check_framework(name)
    check_tools()
    if out is not None:
        check_out(Path(out))
    found = find_agents(runs, weights, frameworks, runs_dir, Allowed(recipe, trust))
    names = names_of(found)
    path = default_out(names, seed) if out is None else Path(out)
    fps = found[0].recipe.video_fps or FPS
    if not quiet:
        say(f"playing: {'; '.join(title(source, name) for source, name in zip(found, names, strict=True))}")
    how: dict[str, Any] = {"seed": seed, "game_seed": game_seed(seed), "longest": steps or SECONDS * fps}
    how |= {"policy": policy, "epsilon": epsilon, "device": device}
    played = play_all(found, [recipe] if recipe else [], how)
    tapes = [tape_of(source, name, one, seed, fps) for source, name, one in zip(found, names, played, strict=True)]
    if film(in_rows(tapes), path) is None:
        raise InputError(f"{path} was not written: the encoder failed; allowed: an imageio-ffmpeg that works")
    return VideoResult(str(path), seed, [filmed(*one) for one in zip(found, names, played, strict=True)])


def find_agents(
    runs: Sequence[Named], weights: str, frameworks: Sequence[str], runs_dir: str | Path, allowed: Allowed
) -> list[Source]:
    """The weights of every agent, each of which plays a game that shows pictures."""
    pairs = list(product(runs, frameworks or (None,)))
    check(len(pairs) <= MOST, "agents", len(pairs), f"at most {MOST} in one video")
    found = [find_weights(run, weights, name, runs_dir, allowed) for run, name in pairs]
    for source in found:
        check_pictures(source)
    if len(games := dict.fromkeys(source.recipe.env.id for source in found)) > 1:
        warn(f"these agents play different games: {', '.join(games)}")
    return found


def default_out(names: list[str], seed: int) -> Path:
    """In the current folder. A name's letters may have several bytes each, of which a disk takes so many."""
    words = safe("-".join(dict.fromkeys(name.replace("/", "-").replace(".", "-") for name in names)))
    short = re.sub("-+", "-", words).strip("-").encode()[:LONGEST].decode(errors="ignore")
    return Path(f"video-{short}-seed-{seed}.mp4")


def check_out(path: Path) -> None:
    check(path.suffix.lower() == ".mp4", "out", str(path), "a file that ends on .mp4")
    check_new_file(path)


def check_pictures(source: Source) -> None:
    """Refuses an agent whose game shows no pictures."""
    env = source.recipe.env
    try:
        envs.make(screen_config(env), 1).close()
    except DrawsNothing:
        raise no_pictures(env.id, whose=f" of {source.file}") from None


def names_of(found: list[Source]) -> list[str]:
    """A name for each agent: its run's or its file's, with the folder above where two would be called the same."""
    places = [(run_folder(source) or source.file.with_suffix("")).absolute() for source in found]
    names = [place.name for place in places]
    for place, name in zip(places, list(names), strict=True):
        if len({other for other in places if other.name == name}) > 1:
            names = [
                f"{at.parent.name}/{at.name}" if at == place else old for at, old in zip(places, names, strict=True)
            ]
    return [f"{name} (latest)" if is_latest(source) else name for source, name in zip(found, names, strict=True)]


def is_latest(source: Source) -> bool:
    return run_folder(source) is not None and source.file.stem == "latest"


def title(source: Source, name: str) -> str:
    """What stands above an agent's game."""
    framework = FRAMEWORKS[source.framework]
    if name in FRAMEWORKS:  # a run that is called after its framework
        return (
            framework.title if name == source.framework else f"{framework.title}, weights of {FRAMEWORKS[name].title}"
        )
    return f"{framework.title}, {name}"


def play_all(found: list[Source], files: Sequence[str], how: dict[str, Any]) -> list[dict[str, Any]]:
    """Each agent's game, played in a process of its own."""
    jobs = [
        # Trusted: `find_weights` has let it through here.
        how | {"recipe": to_dict(source.recipe), "framework": source.framework, "trust": True}
        | {"file": str(source.file.absolute()), "updates": source.updates}
        for source in found
    ]  # fmt: skip
    results: dict[int, dict[str, Any]] = {}
    work_all("tape", jobs, results.__setitem__, at_once=min(len(jobs), machine.cores()), files=files)
    return [results[place] for place in range(len(jobs))]


def tape_of(source: Source, name: str, played: dict[str, Any], seed: int, fps: int) -> Tape:
    actions = played["actions"]
    decisions = read(played["decisions"], actions)
    env = source.recipe.env
    return Tape(title(source, name), source.framework, env, actions, fps, decisions=decisions, seed=game_seed(seed))


def game_seed(seed: int) -> int:
    """Of the game that `evaluate --seed` plays first."""
    return int(game_seeds(seed, "evaluate", 0, 1)[0])


def filmed(source: Source, name: str, played: dict[str, Any]) -> Filmed:
    env = source.recipe.env.id
    return Filmed(name, source.framework, str(source.file), env, played["score"], len(played["actions"]), played["cut"])


def in_rows(tapes: list[Tape]) -> list[list[Tape]]:
    """As few rows as hold them, as equal as can be."""
    rows = -(-len(tapes) // ACROSS)
    across = -(-len(tapes) // rows)
    return [tapes[start : start + across] for start in range(0, len(tapes), across)]
