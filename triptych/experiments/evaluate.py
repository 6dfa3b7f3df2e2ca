"""Playing a trained agent: from a run folder or a weights file, in any framework."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from triptych import envs, frameworks
from triptych.envs.play import LONGEST, SIDE_BY_SIDE, Game, Player, cut_games, different_games, play_games
from triptych.envs.videos import Film, check_video
from triptych.experiments.load import Source, find_weights, make_agent
from triptych.frameworks import FRAMEWORKS
from triptych.recipes.feasibility import prepare
from triptych.recipes.values import read_setting
from triptych.runs.names import check_links, safe
from triptych.runs.records import Named, write_evaluation
from triptych.runs.trust import Allowed
from triptych.training.agent import Policy
from triptych.training.watched import Watched
from triptych.utils import machine
from triptych.utils.checks import check
from triptych.utils.console import warn
from triptych.utils.failures import machine_failures
from triptych.utils.seeds import game_seeds
from triptych.utils.statistics import bootstrap_mean

CHANGES = {"sticky": "sticky", "flicker": "flicker", "env": "id"}  # what `evaluate` may change -> the game's field


@dataclass(frozen=True, kw_only=True)
class EvaluationResult:
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
    flicker: float  # chance that an observation was hidden
    life_loss: str = "no end of the episode"
    reward: str = "raw"
    start: str
    pictures: str
    plain: bool  # whether without the idle frames, FIRE and maximum of two frames of the training
    seed: int
    longest: int = LONGEST  # steps after which a game is counted as it stands
    cut: int = 0  # games that did not end by then
    settings: dict[str, Any] = dataclasses.field(
        default_factory=dict
    )  # other ones of the environment that were changed for this test
    weights: str  # the file
    video: str | None  # of the first game, where one was asked for
    framework: str
    precision: str
    processor: str


@dataclass(frozen=True)
class Test:
    """Which games are played, and how."""

    games: int
    seed: int
    policy: Policy | None
    epsilon: float
    video: bool
    plain: bool  # as Gymnasium itself plays

    def __post_init__(self) -> None:
        check(self.games > 0, "games", self.games, "above 0")
        check(self.seed >= 0, "seed", self.seed, "0 or more")
        check(0 <= self.epsilon <= 1, "epsilon", self.epsilon, "0 to 1")


@machine_failures()
def evaluate(
    run: Named, games: int = 100, seed: int = 0, *, weights: Literal["best", "latest"] = "best",
    policy: Policy | None = None, epsilon: float = 0.0, framework: str | None = None, runs_dir: str | Path = "runs",
    report: Callable[[int], None] | None = None, video: bool = False, recipe: str | None = None, trust: bool = False,
    plain: bool = False, device: str | None = None, on: Literal["here", "ray"] = "here", address: str | None = None,
    **changes: Any,
) -> EvaluationResult:  # fmt: skip
    """Plays exactly `games` whole games, each the first of a seed of its own, and returns the score.

    Args:
        run: a run folder, a name under `runs_dir`, what `train` returned, or a weights file.
        seed: of the games; the i-th game has the same seed whatever `games` is. Drawn actions are shared out among the
            games side by side (at most 20), so fewer games than that are not the first ones of a longer test.
        policy: "greedy" plays by the largest Q value or logit, "sample" draws from an actor-critic's policy; None: as in
            training.
        epsilon: share of random actions.
        report: called with the number of games that have ended.
        video: make a video of the first game, into `videos/` of the run's folder (of the weights file's own folder).
        recipe: a Python file of the user's to run first, which registers what the run needs.
        trust: run what the run names: the file that its recipe came from, the module of its environment's id.
        plain: without idle frames, FIRE and the maximum of two frames, as Gymnasium itself plays (Atari).
        device: as in `train`; None: what this process was last told.
        on: "here", or "ray": as a Ray task, on a node of its choice. The score is the same.
        address: of a Ray cluster: "auto", or "HOST:PORT"; None: one of its own on this machine.
        changes: of the game; each left out, or None: as in the recipe. `sticky`: chance that the last action is repeated
            (Atari); `flicker`: chance that an observation is hidden; `env`: another Gymnasium id with the same observations
            and actions; `env.NAME`: any of its settings, such as `**{"env.split": "test"}`.

    A run folder keeps the score in `evaluations/`.

    Raises:
        InputError: no such run, damaged or foreign weights, code that may not run, or a value that is not allowed.
    """
    if on != "here" or address is not None:
        from triptych.experiments.evaluate_elsewhere import evaluate_elsewhere

        how = {"policy": policy, "epsilon": epsilon, "video": video, "plain": plain, "device": device} | changes
        found = find_weights(run, weights, framework, runs_dir, Allowed(recipe, trust, env=changes.get("env")))
        Test(games, seed, policy, epsilon, video, plain)
        changes_of(changes)
        return evaluate_elsewhere(found, games, seed, how, on, address)
    if device is not None:
        frameworks.set_device(device)
    test, given = Test(games, seed, policy, epsilon, video, plain), changes_of(changes)
    settings = {name.removeprefix("env."): value for name, value in changes.items() if name.startswith("env.")}
    source = find_weights(run, weights, framework, runs_dir, Allowed(recipe, trust, env=changes.get("env")))
    tested = envs.changed(source.recipe.env, given | (envs.PLAIN if plain else {}))
    settings = {name: read_setting(tested, name, value) for name, value in settings.items()}
    tested = envs.changed(tested, settings)
    source = dataclasses.replace(source, recipe=dataclasses.replace(source.recipe, env=tested))
    if (folder := run_folder(source)) is not None:
        check_links(folder)
    evaluation = dataclasses.replace(play(source, test, report), settings=settings)
    remember(source, evaluation)
    return evaluation


def changes_of(changes: dict[str, Any]) -> dict[str, Any]:
    """The fields of the game that a test changes."""
    for name in changes:
        check(name in CHANGES or name.startswith("env."), "a change", name, ", ".join([*CHANGES, "env.NAME"]))
    return {CHANGES[name]: value for name, value in changes.items() if name in CHANGES and value is not None}


def play(source: Source, test: Test, report: Callable[[int], None] | None) -> EvaluationResult:
    """Plays the games of a test."""
    recipe = source.recipe
    if test.video:
        check_video(recipe.env)
    at_once = min(test.games, SIDE_BY_SIDE)
    games = prepare(recipe, source.framework, num_envs=at_once, is_new=False, trains=False).games
    with ExitStack() as stack:
        stack.callback(games.close)
        frameworks.set_threads(machine.threads_for(recipe.threads))
        frameworks.set_device(frameworks.DEVICE, source.framework)
        agent = make_agent(source, games, test.policy, test.epsilon, test.seed)
        film: Film | None = None
        player: Player = agent
        if test.video:
            player = watched = Watched(agent)
            path, framework = video_path(source, test.seed), FRAMEWORKS[source.framework]
            title = f"{framework.title}, {source.file.stem} weights"
            film = Film(recipe.env, path, recipe.video_fps or 30, title, framework.colour, watched.decided)
            stack.enter_context(film)
        played = play_games(player, games, game_seeds(test.seed, "evaluate", 0, test.games), report, film=film)
    evaluation = conclude(source, test, agent.policy, played, games.frames_per_step)
    if film is not None and film.video.made:
        evaluation = dataclasses.replace(evaluation, video=str(film.video.path))
    if said := cut_games(played, LONGEST):
        warn(said)
    rewards, lengths = evaluation.rewards, evaluation.lengths
    different = different_games(evaluation.policy, evaluation.sticky, evaluation.flicker, rewards, lengths)
    if different < test.games:
        warn(
            f"{test.games} games, {different} of them different: greedy and not sticky, they differ by their idle frames"
        )
    return evaluation


def conclude(source: Source, test: Test, policy: str, played: list[Game], frames_per_step: int) -> EvaluationResult:
    """What the games came to; the video is told by who made it."""
    recipe, rewards = source.recipe, [game.reward for game in played]
    told = envs.told(recipe.env)
    mean, low, high = bootstrap_mean([rewards])
    return EvaluationResult(
        mean=mean,
        low=low,
        high=high,
        games=test.games,
        std=float(np.std(rewards)),
        rewards=rewards,
        lengths=[game.length for game in played],
        cut=sum(game.cut for game in played),
        policy=policy if test.epsilon == 0 else f"epsilon-{policy}",
        epsilon=test.epsilon,
        env=recipe.env.id,
        frame_skip=envs.fixed(recipe.env).get("frame_skip", frames_per_step),
        sticky=envs.stickiness(recipe.env),
        flicker=recipe.env.flicker,
        start=told["start"],
        pictures=told["pictures"],
        plain=test.plain,
        seed=test.seed,
        weights=str(source.file),
        video=None,
        framework=source.framework,
        precision=recipe.precision,
        processor=machine.processor(),
    )


def run_folder(source: Source) -> Path | None:
    """The run that the weights lie in, if they lie in one."""
    folder = source.file.parent.parent
    return folder if source.file.parent.name == "checkpoints" and (folder / "config.json").is_file() else None


def remember(source: Source, evaluation: EvaluationResult) -> None:
    """Keeps the score in the run's folder, for its report; the same test again takes the same place."""
    folder = run_folder(source)
    if folder is None:
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
    name += "".join(f"-{key}-{safe(str(value))}" for key, value in evaluation.settings.items())
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
