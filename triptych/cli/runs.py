"""The commands that make runs and play with them."""

from __future__ import annotations

import dataclasses
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import UseAppendAction, arg

from triptych.cli import exits
from triptych.cli.options import (
    Command,
    Device,
    Framework,
    On,
    OnAlarm,
    Policy,
    RecipeName,
    RunName,
    Settings,
    Somewhere,
    Tracker,
    Where,
    needed,
    print_json,
    settings_of,
)
from triptych.recipes import Recipe, load_recipe
from triptych.recipes.values import steps_more
from triptych.runs.alarms import summed_up
from triptych.runs.endings import unlearned, why
from triptych.runs.names import ALARMS
from triptych.runs.trust import Allowed
from triptych.utils.console import put
from triptych.utils.reading import read_json


@dataclass(frozen=True)
class Recipes(Command):
    """Lists the recipes."""

    def run(self) -> int:
        from triptych.cli.tables import recipes_table
        from triptych.recipes import BUILT_IN
        from triptych.recipes.serialise import to_dict

        found = {name: load_recipe(name) for name in BUILT_IN}
        recipes_table(found)
        print_json(self, {"recipes": {name: to_dict(recipe) for name, recipe in found.items()}})
        return exits.DONE


@dataclass(frozen=True)
class Train(Where):
    """Trains one agent in one framework."""

    recipe: Annotated[Recipe, arg(name="")] = dataclasses.field(kw_only=True)
    name: RecipeName = ""  # a recipe's name, or a path to your own Python file
    framework: Framework = "torch"  # the framework that trains
    device: Device = "auto"  # where the network runs: auto (a GPU, where the framework sees one), cpu, cuda or cuda:1
    run_name: str | None = None  # name of the new run's folder; None: RECIPE-FRAMEWORK and a number
    profile: bool = False  # print at the end where the time went, and what other threads and precisions would give
    video: bool = True  # at the end, film a test game of the best weights, where the game can be drawn
    # a run (its best weights) or a weights file to begin with, where its layers fit; without RECIPE its settings are taken too
    start: Annotated[str | None, arg(name="from")] = None
    # of these weights the layers (dense_1) or kinds of layers (conv) to take; none: all that fit
    take: tuple[str, ...] = ()
    exact: bool = False  # when it is stopped, keep only checkpoints from which a resume gives the numbers of a run that never stopped
    # your own code that watches the run, as module:name; the flag may be given several times
    callback: Annotated[tuple[str, ...], UseAppendAction] = ()
    on: On = "here"  # where A3C's workers play: by turns in this process (here), or at once as Ray actors (docs/algorithms/a3c.md)
    # of which Ray cluster: auto (the one of this machine) or HOST:PORT; None: Ray is started for this run, and ended
    address: Annotated[str | None, arg(metavar="{auto,HOST:PORT}")] = None
    # trackers that follow the run: tensorboard, wandb, trackio, mlflow (docs/trackers.md)
    track: tuple[Tracker, ...] = ()
    # what an alarm of the checkup does: tell it, stop the run where nothing can come of it, or nothing is watched (docs/checkup.md)
    on_alarm: OnAlarm = "warn"

    def run(self) -> int:
        from triptych.experiments.train import train

        result = train(
            self.recipe,
            self.framework,
            run_name=self.run_name,
            label=self.name or None,
            runs_dir=self.runs_dir,
            quiet=self.quiet,
            profile=self.profile,
            video=self.video,
            callbacks=self.callback,
            device=self.device,
            from_run=self.start,
            take=self.take,
            exact=self.exact,
            on=self.on,
            address=self.address,
            track=self.track,
            on_alarm=self.on_alarm,
        )
        code = tell(result, self.quiet)
        print_json(self, dataclasses.asdict(result) | {"video": video_of(result)})
        return code


@dataclass(frozen=True)
class Resume(Where):
    """Goes on with a run from its last checkpoint."""

    name: RunName = ""  # a run folder, or a run's name
    framework: Framework | None = None  # go on in this framework; None: in that of its last session
    device: Device = "auto"  # where the network runs: auto (a GPU, where the framework sees one), cpu, cuda or cuda:1
    # your own code that watches the run, as module:name, as when it was trained; the flag may be given several times
    callback: Annotated[tuple[str, ...], UseAppendAction] = ()
    # your own Python file to run first, where the run needs it and came from elsewhere
    file: Annotated[str | None, arg(name="recipe")] = None
    trust: bool = False  # run code that the run names: the file of its recipe, the module of its environment's id
    # step at which the run ends now, also where it was finished; +1000: a thousand more than it has
    steps: str | None = None
    # go back to the last checkpoint that gives the numbers of a run that never stopped; repeats some steps
    exact: bool = False
    accept_changes: bool = False  # take settings that you have changed in config.json since the checkpoint
    video: bool = True  # at the end, film a test game of the best weights, where the game can be drawn
    # of a Ray cluster, as for train, where the run was trained with --on ray
    address: str | None = None
    track: tuple[Tracker, ...] = ()  # trackers that follow the run, as for train
    # a recipe, a run, or weights that `grow` wrote: go on with its network, and with what fits of the weights
    network: Annotated[str | None, arg(metavar="RECIPE|None")] = None
    on_alarm: OnAlarm = "warn"  # what an alarm of the checkup does, as for train

    def run(self) -> int:
        from triptych.experiments.resume import Wish, go_on
        from triptych.runs.names import run_path
        from triptych.trackers.registry import tell_of_others

        needed(self.name, "RUN", "a run folder, or a run's name under --runs-dir")
        tell_of_others(run_path(self.name, self.runs_dir), self.track)
        wish = Wish(
            self.framework, self.quiet, Allowed(self.file, self.trust), self.callback, self.device,
            steps_more(self.steps), self.exact, self.accept_changes, self.video, self.address,
            self.track, self.network, self.on_alarm,
        )  # fmt: skip
        result, had_ended = go_on(self.name, self.runs_dir, wish)
        code = exits.DONE if had_ended else tell(result, self.quiet)
        print_json(self, result)
        return code


@dataclass(frozen=True)
class Grow(Where):
    """Makes the weights of a larger network that plays as a run's does."""

    name: RunName = ""  # a run folder, a run's name (its best weights), or a weights file
    wider: tuple[str, ...] = ()  # layers that get more units or filters, and how many: dense_1=1024
    deeper: tuple[str, ...] = ()  # layers behind which another one is put, which at first gives what it gets
    # by how much the copies of a unit differ, as a share of a tensor's standard deviation; without it they learn alike
    noise: float = 0.0
    seed: int = 0  # decides which units are copied, and the noise
    out: Path | None = None  # the weights file; None: grown.safetensors beside the run's weights
    # your own Python file to run first, where the run needs it and came from elsewhere
    file: Annotated[str | None, arg(name="recipe")] = None
    trust: bool = False  # run code that the run names: the file of its recipe, the module of its environment's id

    def run(self) -> int:
        from triptych.experiments.growing import grow, sizes_of
        from triptych.spec.reuse import table

        needed(self.name, "RUN", "a run folder, a run's name under --runs-dir, or a weights file")
        found = grow(
            self.name, sizes_of(self.wider), self.deeper, noise=self.noise, seed=self.seed, out=self.out,
            runs_dir=self.runs_dir, recipe=self.file, trust=self.trust,
        )  # fmt: skip
        put(
            f"{found.source}: {found.before:,} weights become {found.after:,}, and compute the same",
            *(f"  {line}" for line in table(found.network.tensors(), found.origins)),
        )
        if self.wider and not self.noise:
            put("copies of a unit learn alike, as long as nothing parts them: --noise 0.1 does, and keeps the function")
        path = shlex.quote(str(found.path))
        lone = found.source.parent.parent / "config.json"
        goes_on = f"triptych resume {shlex.quote(self.name)} --network {path} --steps +N"
        begins = f"triptych train RECIPE --from {path}"  # a file that lies in no run has nothing to go on with
        put(f"go on with it: {goes_on if lone.is_file() else begins}", str(found.path))
        print_json(
            self, {"weights": found.path, "before": found.before, "after": found.after, "tensors": found.origins}
        )
        return exits.DONE


@dataclass(frozen=True)
class Evaluate(Somewhere, Where):
    """Plays whole games with a run's weights."""

    name: RunName = ""  # a run folder, a run's name, or a weights file
    games: int = 100  # whole games to play, each from its first step and with a seed of its own
    seed: int = 0  # decides how each game begins and which actions are drawn; the same seed repeats the test
    # which weights of the run: those with the highest mean in training, or the latest
    weights: Literal["best", "latest"] = "best"
    # how an actor-critic acts: draw from its policy, or take the likeliest action; None: as in training
    policy: Policy | None = None
    epsilon: float = 0.0  # share of actions that are random, 0 to 1
    sticky: float | None = None  # chance that the last action is repeated (Atari); None: as in training
    env: str | None = None  # another Gymnasium id with the same observations and actions; None: as in training
    framework: Framework | None = None  # the framework that plays; None: the run's own, and torch for a weights file
    device: Device = "auto"  # where the network runs: auto (a GPU, where the framework sees one), cpu, cuda or cuda:1
    flicker: float | None = None  # chance that an observation is hidden; None: as in training
    setting: Settings = ()  # another value of one of the environment's settings, as split=test; may be given several times
    plain: bool = False  # play Atari as Gymnasium itself does: without idle frames, FIRE and the maximum of two frames
    video: bool = False  # film the first game, into the folder videos/ of the run
    # your own Python file to run first, where the run needs it and came from elsewhere
    file: Annotated[str | None, arg(name="recipe")] = None
    trust: bool = False  # run code that the run names: the file of its recipe, the module of its environment's id

    def run(self) -> int:
        from triptych.cli.tables import games_bar
        from triptych.experiments.evaluate import evaluate
        from triptych.utils.console import counted

        needed(self.name, "RUN", "a run folder, a run's name under --runs-dir, or a weights file")
        with games_bar(self.games) as report:
            score = evaluate(
                self.name, self.games, self.seed, weights=self.weights, policy=self.policy, epsilon=self.epsilon,
                sticky=self.sticky, env=self.env,
                framework=self.framework, runs_dir=self.runs_dir, report=report, video=self.video, flicker=self.flicker,
                recipe=self.file, trust=self.trust,
                plain=self.plain, device=self.device, on=self.on, address=self.address, **settings_of(self.setting, "env."),
            )  # fmt: skip
        others = f", sticky {score.sticky:g}" if score.sticky is not None else ""
        others += f", {score.flicker:.0%} hidden" if score.flicker else ""
        others += ", plain" if score.plain else ""
        others += "".join(f", {name} {value}" for name, value in score.settings.items())
        digits = 1 if max(map(abs, score.rewards)) > 1 else 3  # of games that are won or lost, too
        interval = f" (95 % interval {score.low:.{digits}f} to {score.high:.{digits}f})" if score.games > 1 else ""
        print(f"{score.mean:.{digits}f}{interval} over {counted(score.games, 'game')} of {score.env}{others}")
        if score.video:
            print(f"video {score.video}")
        print(f"{score.policy}, seed {score.seed}, weights {score.weights}, {score.framework} {score.precision}")
        print_json(self, score)
        return 0


def video_of(result: Any) -> str | None:
    """The film of a run's best weights, where there is one."""
    from triptych.experiments.film import NAMES

    paths = (result.path / "videos" / name for name in NAMES)
    return next((str(path) for path in paths if path.is_file()), None)


def exact_hint(folder: Path, path: str) -> list[str]:
    """How to go on with the same numbers; nothing for workers on Ray, which give others every time."""
    if read_json(folder / "config.json", dict[str, Any]).get("on") == "ray":
        return []
    return [f"for the same numbers: triptych resume {path} --exact (it goes back to the last regular checkpoint)"]


def tell(result: Any, quiet: bool = False) -> int:
    """The last lines of a training; the code says whether it was interrupted, diverged or stopped by an alarm. Nobody needs to read them.

    Args:
        quiet: the alarms are not summed up: each has been told as a warning.
    """
    path = shlex.quote(str(result.path))
    score = f"running reward {result.running_reward:.1f}" if result.running_reward is not None else "no episode ended"
    if result.running_reward is None and result.stopped_by in ("steps", "interrupted"):
        score += " (--env.time-limit STEPS ends them)"
    if result.best_score is not None:
        score += f", highest mean in training {result.best_score:.1f} at step {result.best_step:,}"
    put(f"{result.path}: {result.steps:,} steps, {result.updates:,} updates, {result.episodes:,} episodes, {score}")
    if lost := unlearned(result.broken_steps, result.broken_first or ""):
        put(lost)
    if not quiet:
        put(*summed_up(result.alarms, result.path))
    if result.stopped_by == "interrupted":
        saved = "all saved" if result.checkpoint == result.steps else f"saved at step {result.checkpoint:,}"
        put(f"stopped at step {result.steps:,}, {saved}; go on with: triptych resume {path}")
        if not result.resumes_exactly:
            put(
                "its games cannot be saved: going on like that begins new episodes, and gives other numbers than a run that never stopped",
                *exact_hint(result.path, path),
            )
        return exits.interrupted_by(result.signal)
    if result.stopped_by == "diverged":
        put(
            f"diverged after step {result.checkpoint:,}: its numbers are no longer finite",
            f"begin a new run with its best weights: triptych train --from {path}",
        )
        return exits.DIVERGED
    if result.stopped_by == "alarm":
        put(
            f"stopped: {why(result.stopped_by, result.steps, result.episodes)}",
            *([f"what it was: {result.path / ALARMS}"] if quiet else []),
            f"go on all the same: triptych resume {path} --steps N",
        )
        return exits.ALARM
    if video := video_of(result):
        put(f"video {video}")
    put(f"finished: {why(result.stopped_by, result.steps, result.episodes)}", f"test it with: triptych evaluate {path}")
    return exits.DONE
