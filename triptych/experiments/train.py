"""Training: what the command line and Python call."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from triptych import envs, frameworks
from triptych.checkup.watch import OnAlarm, Watch, check_on_alarm
from triptych.experiments.crew import check_on, crew_of
from triptych.experiments.film import film_run
from triptych.experiments.ray_jobs import On
from triptych.experiments.start import Begun, Start, settings_behind
from triptych.experiments.teach import keep, told_of, with_teacher
from triptych.frameworks import DISTRIBUTIONS, xla
from triptych.recipes import Recipe, resolve
from triptych.recipes.feasibility import Prepared, prepare
from triptych.recipes.serialise import to_dict
from triptych.runs.folder import RunFolder
from triptych.runs.names import fresh_name, new_path, safe
from triptych.runs.records import (
    RunResult,
)
from triptych.runs.trust import marks
from triptych.trackers.following import Following
from triptych.trackers.registry import check_trackers
from triptych.training.callbacks.base import Borrowed, Callback, callbacks_of
from triptych.training.profiler import Profile
from triptych.training.session import Session
from triptych.utils import machine
from triptych.utils.checks import EnvironmentFailed, check
from triptych.utils.console import say, warn
from triptych.utils.failures import machine_failures
from triptych.utils.files import write_json


@machine_failures()
def train(
    recipe: str | Recipe | None = None,
    framework: str = "torch",
    *,
    run_name: str | None = None,
    label: str | None = None,
    runs_dir: str | Path = "runs",
    quiet: bool = True,
    profile: bool = False,
    video: bool = True,
    callbacks: Iterable[Any] = (),
    device: str = "auto",
    from_run: str | Path | None = None,
    take: Iterable[str] = (),
    exact: bool = False,
    on: On = "here",
    address: str | None = None,
    track: Iterable[str] = (),
    on_alarm: OnAlarm = "warn",
    **changes: Any,
) -> RunResult:
    """Trains one agent in one framework and returns what the run came to.

    Args:
        recipe: a recipe's name, a path to a Python file that defines `recipe`, or a Recipe; None with `from_run`: that run's.
        framework: torch, jax or keras.
        run_name: the new folder under `runs_dir`; None: a fresh one, named after `label`.
        label: what is trained, in such a name; None: the recipe's name, or the environment's.
        profile: print at the end where the time went.
        video: film a test game of the best weights at the end, into the run's `videos/best.mp4`, where the game can draw itself.
        callbacks: what watches the run, see `triptych.Callback`: objects, classes, functions of (run, tick), or "module:name".
        device: "auto" (a GPU, where the framework sees one), "cpu", "cuda", or "cuda:1".
        from_run: a run, or a weights file, whose weights this run begins with (a run's best ones) where they fit; None: all are
            drawn.
        take: of these the layers ("dense_1"), or kinds of layers ("conv"), that are taken; none: all that fit.
        exact: where the run is stopped, write no checkpoint from which a resume would give other numbers than a run that
            never stopped: it then goes on from the last regular one.
        on: "ray": A3C's workers are Ray actors, each in a process of its own. What comes first is up to the machines then, so no two
            such runs are alike.
        address: of the Ray cluster: "auto" or "HOST:PORT"; None: one of its own, on this machine alone.
        track: trackers that follow the run: "tensorboard", "wandb", "trackio", "mlflow" (docs/trackers.md). One that fails costs a
            warning.
        on_alarm: what an alarm of the checkup does (docs/checkup.md): "warn" tells it, "stop" ends the run too where nothing can
            come of it any more, "off": nothing is watched.
        changes: recipe fields by name: steps=1000, seed=3, batch_size=64, **{"algorithm.gamma": 0.9}.

    A run that diverges (its loss or weights are no longer finite) returns, with `stopped_by` "diverged"; one that an alarm stops
    with "alarm".

    Raises:
        InputError: something given cannot be used; nothing was loaded or written.
        RunFailed: the environment or a callback failed; its `result` tells what the run came to, and the run can be resumed.
        EnvironmentFailed: the environment failed before anything was written.
        MachineFailed: the disk is full, or there is no memory left; the last checkpoint stands, if there is one already.
    """
    if recipe is None and from_run is not None:
        recipe = settings_behind(from_run, runs_dir)
    resolved = with_teacher(resolve(recipe, changes), runs_dir)
    check_on(on, address, resolved)
    check_on_alarm(on_alarm)
    check(on == "here" or not exact, "exact", exact, "False with --on ray, where no two runs are alike")
    check(
        on == "here" or not profile,
        "profile",
        profile,
        "False with --on ray, whose workers have processes of their own",
    )
    label = label or (recipe if isinstance(recipe, str) else resolved.env.id)
    watching, trackers = callbacks_of(callbacks), check_trackers(track)
    take = (take,) if isinstance(take, str) else tuple(take)
    check(from_run is not None or not take, "take", list(take), "layers, beside --from RUN")
    start = None if from_run is None else Start.read(from_run, runs_dir, take)
    prepared = prepare(resolved, framework)
    with open_games(prepared):
        reused = None if start is None else start.fit(prepared.network, resolved.seed)
        frameworks.set_threads(prepared.threads)  # before a framework is loaded to ask for its GPUs
        frameworks.set_device(device, framework)
        xla.set_convolutions(xla.usual())
        name = fresh_name(f"{safe(label)}-{framework}", runs_dir) if run_name is None else run_name
        path = new_path(name, runs_dir)
        warn(*(note for note in prepared.notes if on_alarm == "off" or note != never(resolved)))
        if reused is not None:
            warn(*(f"{tensor} is {why}" for tensor, why in reused.misfits.items()))
        following = Following(path, trackers, quiet)
        with RunFolder(path) as folder, crew_of(on, address, prepared.recipe, framework) as crew, following:
            new_path(name, runs_dir)  # looked at again behind its lock: another process may have made it meanwhile
            how = {
                "quiet": quiet,
                "callbacks": followed(watching, following),
                "exact": exact,
                "profile": Profile() if profile else None,
            }
            how |= {"crew": crew, "on_alarm": on_alarm}
            result = begin(folder, prepared, framework, Begun(start, reused), how)
            if video:
                film_end(result, prepared.recipe, quiet)
    return result


def never(recipe: Recipe) -> str:
    """The note that the checkup tells as an alarm."""
    return recipe.algorithm.unreached(recipe.steps, recipe.num_envs)


def followed(watching: list[Callback], following: Following) -> list[Callback]:
    """A run's callbacks, with the trackers that follow it, if there are any."""
    return [*watching, Borrowed(following)] if following.names else watching


def film_end(result: RunResult, recipe: Recipe, quiet: bool) -> None:
    """Films a run that has come to its end, while its folder is locked; one that was interrupted is to go on first."""
    if result.stopped_by not in ("interrupted", "diverged", "alarm"):
        from triptych.experiments.looking import film_map  # which reads runs, as what resumes them does

        filmed = film_run(result.path, recipe, result.framework, quiet)
        if filmed is not None:
            film_map(result.path, recipe, result.framework)


@contextlib.contextmanager
def open_games(prepared: Prepared) -> Iterator[None]:
    """Closes the games at the end; not after a second Ctrl-C, as what hangs in a step may hang there, too."""
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException:
        prepared.games.close()
        raise
    prepared.games.close()


def begin(folder: RunFolder, prepared: Prepared, framework: str, begun: Begun, how: dict[str, Any]) -> RunResult:
    """Makes a run of a folder, and trains."""
    exact = how["crew"] is None and is_exact(prepared)
    start, reused = begun
    weights = None if reused is None else reused.weights
    watch = Watch(folder, how.pop("on_alarm"))
    how |= {"callbacks": [watch, *how["callbacks"]]}
    session = Session(folder, prepared, framework, weights=weights, **how)
    session.save()  # the checkpoint at step 0: from here on the folder is a run
    origin = {} if start is None or reused is None else {"from": start.recorded(reused)}
    if prepared.teacher is not None:
        origin |= keep(folder.path, prepared.teacher)
    write_json(folder.path / "config.json", described(session, exact) | origin)
    session.introduce()
    if not how["quiet"]:
        say(*begun.lines(prepared), *told_of(prepared))
    return session.go()


def is_exact(prepared: Prepared) -> bool:
    """Whether a resumed run will give the same numbers, as far as its games go; a warning where it will not."""
    config, games = prepared.recipe.env, prepared.games
    try:
        exact = games.saves or envs.forgets(config, min(2, games.num_envs), prepared.threads)  # more take long to make
    except EnvironmentFailed:  # as the run itself will, with its weights saved
        return False
    if not exact:
        warn(
            f"{config.id} does not begin alike again with the same seed: if this run is resumed, its numbers may differ from those of one that never stopped"
        )
    return exact


def described(session: Session, exact: bool) -> dict[str, Any]:
    """What stands in config.json."""
    recipe, device, recorded = session.recipe, session.training.learner.device, to_dict(session.recipe)
    return {
        "recipe": recorded,
        "env_id": recipe.env.id,
        "framework": session.framework,
        "seed": recipe.seed,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),  # on which it began
        # GPU kernels may add in another order each time, so the promise holds on the processor only.
        "resume_exact": exact and device == "cpu",
        **machine.describe(device, session.threads, DISTRIBUTIONS),
        **xla.recorded(session.training.learner),
        **marks(recorded, session.path),
    } | ({} if session.training.repeats else {"on": "ray"})
