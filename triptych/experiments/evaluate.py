"""Playing a trained agent: from a run folder or a weights file, in any framework."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from triptych import envs
from triptych.envs.play import LONGEST, SIDE_BY_SIDE, different_games, play_games
from triptych.envs.videos import Film, check_video
from triptych.experiments.load import Source, find_weights, make_agent
from triptych.runs.names import safe
from triptych.runs.records import write_evaluation
from triptych.training.agent import Policy
from triptych.utils import machine
from triptych.utils.checks import check
from triptych.utils.console import warn
from triptych.utils.seeds import game_seeds
from triptych.utils.statistics import bootstrap_mean


@dataclass(frozen=True)
class Evaluation:
    """The score of some whole games, and everything it depends on."""

    mean: float  # raw reward a game
    low: float  # 95 % bootstrap interval of the mean, over games
    high: float
    games: int
    std: float
    rewards: list[float]  # in the order of the seeds
    lengths: list[int]  # steps
    policy: str
    epsilon: float  # share of random actions
    env: str
    frame_skip: int | tuple[int, int]  # two numbers: drawn between them at each step
    sticky: float | None  # chance that the last action is repeated; None: these games never do
    flicker: float  # chance that an observation was blank
    life_loss: str
    reward: str
    start: str
    pictures: str
    plain: bool  # whether without the idle frames, FIRE and maximum of two frames of the training
    seed: int
    longest: int  # steps after which a game is counted as it stands
    weights: str  # the file
    video: str | None  # of the first game, where one was asked for
    framework: str
    precision: str
    processor: str


def evaluate(
    run: str | Path,
    games: int = 100,
    seed: int = 0,
    *,
    weights: Literal["best", "latest"] = "best",
    policy: Policy | None = None,
    epsilon: float = 0.0,
    sticky: float | None = None,
    env: str | None = None,
    framework: str | None = None,
    runs_dir: str | Path = "runs",
    report: Callable[[int], None] | None = None,
    video: bool = False,
    flicker: float | None = None,
    plain: bool = False,
) -> Evaluation:
    """Plays exactly `games` whole games, each the first of a seed of its own, and returns the score.

    Args:
        run: a run folder, a name under `runs_dir`, or a weights file.
        seed: of the games; the i-th game has the same seed whatever `games` is. Drawn actions are shared out among the
            games side by side (at most 20), so fewer games than that are not the first ones of a longer test.
        policy: "greedy" plays by the largest Q value or logit, "sample" draws from an actor-critic's policy; None: as in
            training.
        epsilon: share of random actions.
        sticky: chance that the last action is repeated (Atari); None: as in the recipe.
        env: another Gymnasium id with the same observations and actions; None: the recipe's.
        report: called with the number of games that have ended.
        video: film the first game, into `videos/` of the run's folder (of the weights file's own folder).
        flicker: chance that an observation is blank; None: as in the recipe.
        plain: without idle frames, FIRE and the maximum of two frames, as Gymnasium itself plays (Atari).

    A run folder keeps the score in `evaluations/`.

    Raises:
        InputError: no such run, damaged or foreign weights, or a value that is not allowed.
    """
    check(games > 0, "games", games, "above 0")
    check(seed >= 0, "seed", seed, "0 or more")
    check(0 <= epsilon <= 1, "epsilon", epsilon, "0 to 1")
    source = find_weights(run, weights, framework, runs_dir)
    changed = {"flicker": flicker, "sticky": sticky, "id": env}
    others = {name: value for name, value in changed.items() if value is not None}
    tested = envs.changed(source.recipe.env, others | (envs.PLAIN if plain else {}))
    source = dataclasses.replace(source, recipe=dataclasses.replace(source.recipe, env=tested))
    recipe = source.recipe
    if video:
        check_video(recipe.env)
    set_of_games = envs.make(recipe.env, min(games, SIDE_BY_SIDE), machine.threads_for(recipe.threads))
    agent = make_agent(source, set_of_games, policy, epsilon, seed)
    seeds = game_seeds(seed, "evaluate", 0, games)
    with ExitStack() as stack:
        stack.callback(set_of_games.close)
        film = (
            stack.enter_context(Film(recipe.env, video_path(source, seed), recipe.video_fps or 30)) if video else None
        )
        played = play_games(agent, set_of_games, seeds, report, film=film)
    rewards = [game.reward for game in played]
    mean, low, high = bootstrap_mean([rewards])
    evaluation = Evaluation(
        mean=mean,
        low=low,
        high=high,
        games=games,
        std=float(np.std(rewards)),
        rewards=rewards,
        lengths=[game.length for game in played],
        policy=agent.policy if epsilon == 0 else f"epsilon-{agent.policy}",
        epsilon=epsilon,
        env=recipe.env.id,
        frame_skip=envs.fixed(recipe.env).get("frame_skip", set_of_games.frames_per_step),
        sticky=envs.stickiness(recipe.env),
        flicker=recipe.env.flicker,
        life_loss="no end of the episode",
        reward="raw",
        **envs.told(recipe.env),
        plain=plain,
        seed=seed,
        longest=LONGEST,
        weights=str(source.file),
        video=str(film.path) if film and film.made else None,
        framework=source.framework,
        precision=recipe.precision,
        processor=machine.processor(),
    )
    different = different_games(evaluation.policy, evaluation.sticky, evaluation.flicker, rewards, evaluation.lengths)
    if different < games:
        warn(f"{games} games, {different} of them different: greedy and not sticky, they differ by their idle frames")
    remember(source, evaluation)
    return evaluation


def remember(source: Source, evaluation: Evaluation) -> None:
    """Keeps the score in the run's folder, for its report; the same test again takes the same place."""
    folder = source.file.parent.parent
    if source.file.parent.name != "checkpoints" or not (folder / "config.json").is_file():
        return
    name = f"{source.file.stem}-epsilon-{evaluation.epsilon:g}-games-{evaluation.games}-seed-{evaluation.seed}"
    trained = source.trained
    others = {"flicker": evaluation.flicker, "sticky": evaluation.sticky, "env": evaluation.env}
    before = {"flicker": 0.0, "sticky": envs.stickiness(trained.env), "env": trained.env.id}
    name += "".join(
        f"-{key}-{value:g}" if isinstance(value, int | float) else f"-{key}-{safe(value or '')}"
        for key, value in others.items()
        if value != before[key]
    )
    name += "-plain" if evaluation.plain else ""
    name += f"-{evaluation.policy}" if not evaluation.policy.endswith(trained.algorithm.policy) else ""
    kept = dataclasses.asdict(evaluation) | {"weights": source.file.stem, "updates": source.updates or 0}
    del kept["video"]
    with contextlib.suppress(OSError):  # a folder that may only be read
        write_evaluation(folder, f"{name}-{evaluation.framework}", kept)


def video_path(source: Source, seed: int) -> Path:
    """`videos/update-000012345-best-seed-0.mp4` in the run's folder, or beside the weights file."""
    parent = source.file.parent
    folder = (parent.parent if parent.name == "checkpoints" else parent) / "videos"
    updates = "" if source.updates is None else f"update-{source.updates:09d}-"
    return folder / f"{updates}{source.file.stem}-seed-{seed}.mp4"
