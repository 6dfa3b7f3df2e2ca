"""Going on with a run: what the command line and Python call."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych import frameworks
from triptych.checkup.watch import OnAlarm, Watch, check_on_alarm
from triptych.experiments.crew import check_on, crew_of
from triptych.experiments.going_on import GoingOn, decide, is_over, never_exact, promised, schedules, write_changes
from triptych.experiments.switch import Wanted, changed
from triptych.experiments.teach import kept
from triptych.experiments.train import film_end, followed, open_games
from triptych.frameworks import DISTRIBUTIONS, check_framework, xla
from triptych.recipes import Recipe
from triptych.recipes.feasibility import prepare
from triptych.runs.alarms import alarms_or_none, summed_up
from triptych.runs.checkpoints import Checkpoints
from triptych.runs.endings import why
from triptych.runs.folder import RunFolder
from triptych.runs.names import is_weights_only
from triptych.runs.records import (
    Named,
    RunResult,
    ending,
    last_framework,
    last_step,
    path_of,
    read_config,
    summary_or_none,
    write_summary,
)
from triptych.runs.trust import Allowed
from triptych.trackers.following import Following
from triptych.trackers.registry import check_trackers
from triptych.training.callbacks.base import callbacks_of
from triptych.training.ending import limit_of
from triptych.training.session import Session
from triptych.utils import machine
from triptych.utils.checks import InputError, check
from triptych.utils.console import counted, put, say, warn
from triptych.utils.failures import machine_failures

DEFAULTED = {field.name for field in dataclasses.fields(RunResult) if field.default is not dataclasses.MISSING}


def resume(
    run: Named,
    framework: str | None = None,
    *,
    runs_dir: str | Path = "runs",
    quiet: bool = True,
    callbacks: Iterable[Any] = (),
    recipe: str | None = None,
    trust: bool = False,
    device: str = "auto",
    steps: int | str | None = None,
    exact: bool = False,
    accept_changes: bool = False,
    video: bool = True,
    address: str | None = None,
    track: Iterable[str] = (),
    network: str | Recipe | None = None,
    on_alarm: OnAlarm = "warn",
) -> RunResult:
    """Goes on with a run from its last checkpoint, in any framework, and returns what it came to; a finished run stays as it is.

    Args:
        callbacks: what watches the run, as in `train`.
        recipe: a Python file of the user's to run first, which registers what the run needs.
        trust: run what the run names: the file that its recipe came from, the module of its environment's id.
        device: as in `train`.
        steps: at which the run ends now, also where it had ended before; "+1000": so many more than it has.
        exact: go on from the last checkpoint that gives the numbers of a run that never stopped, though that repeats steps.
        accept_changes: take settings that were changed in config.json since the checkpoint.
        video: film a test game at the end, as `train` does.
        address: of the Ray cluster, as in `train`, for a run whose workers were Ray actors.
        track: trackers that follow the run, as in `train`; those that did before go on where the run was cut back to.
        network: a recipe, run or weights file (such as `grow` writes) with whose layers the run goes on. What fits of its weights is
            taken, with what the optimiser remembers of it; the rest is fresh. All else of the run stays.
        on_alarm: as in `train`.

    Raises:
        InputError: the folder is no run, none of its checkpoints is whole, its settings are not those of the checkpoint, or
            it needs code that may not run.
        RunFailed, MachineFailed: as in `train`.
    """
    wish = Wish(
        framework, quiet, Allowed(recipe, trust), callbacks, device, steps, exact, accept_changes, video, address, track,
        network, on_alarm,
    )  # fmt: skip
    return go_on(run, runs_dir, wish)[0]


@dataclass(frozen=True)
class Wish:
    """How a run is to go on; see `resume`."""

    framework: str | None
    quiet: bool
    allowed: Allowed
    callbacks: Iterable[Any] = ()
    device: str = "auto"
    steps: int | str | None = None
    exact: bool = False
    accept_changes: bool = False
    video: bool = True
    address: str | None = None
    track: Iterable[str] = ()
    network: str | Recipe | None = None
    on_alarm: OnAlarm = "warn"


@machine_failures()
def go_on(run: Named, runs_dir: str | Path, wish: Wish) -> tuple[RunResult, bool]:
    """What `resume` does, and whether the run was finished already."""
    path = path_of(run, runs_dir)
    if is_weights_only(path):
        allowed = f"`triptych train --from {shlex.quote(str(path))}`, which starts a new run with them"
        raise InputError(f"{path} holds weights only; allowed: {allowed}")
    config = read_config(path, dataclasses.replace(wish.allowed, again=True))
    framework = wish.framework or last_framework(path, config)
    threads = int(config["threads"])
    watching, trackers = callbacks_of(wish.callbacks), check_trackers(wish.track)
    check_framework(framework)
    check_on_alarm(wish.on_alarm)
    on = config.get("on", "here")
    check_on(on, wish.address, config["recipe"])
    with RunFolder(path) as folder:
        checkpoints = Checkpoints(folder, config["recipe"], threads)
        manifest, state = checkpoints.load()
        if is_over(manifest, config["recipe"]) and wish.steps is None:
            check(wish.network is None, "network", wish.network, "with --steps, as the run is finished")
            decide(config, manifest, None, wish.accept_changes)
            return finished(path, framework, manifest, wish.quiet), True
        if wish.exact:
            manifest, state = checkpoints.load(exact=True)
        going = decide(config, manifest, wish.steps, wish.accept_changes)
        wanted = None if wish.network is None else Wanted.read(wish.network, runs_dir)
        if wanted is not None:
            wanted.check(config["recipe"], wish.network)
            going = going.with_network(wanted.body, wanted.freeze)
        teacher = kept(path, config)
        prepared = prepare(going.recipe, framework, is_new=False, threads=threads, teacher=teacher)
        following = Following(path, trackers, wish.quiet)
        with open_games(prepared), crew_of(on, wish.address, prepared.recipe, framework) as crew, following:
            switched = changed(state, manifest, config, going.recipe, wanted, prepared.games)
            frameworks.set_threads(prepared.threads)
            frameworks.set_device(wish.device, framework)
            xla.set_convolutions(config.get("convolutions", ""))
            repeated = max(0, last_step(folder) - manifest["step"])
            checkpoints.belong_to(going.recipe)
            watch = Watch(folder, wish.on_alarm)
            session = Session(
                folder, prepared, framework,
                quiet=wish.quiet, callbacks=[watch, *followed(watching, following)], checkpoints=checkpoints, exact=wish.exact, crew=crew,
            )  # fmt: skip
            if switched.moves_states(session.training):
                checkpoints.change_rows(switched.read, f"network-{manifest['step']}")
            session.restore(switched.state, bool(manifest.get("exact", True)))
            if switched.origins is not None:  # what the network of before has earned is no score of this one
                session.watchers.best.forget()
                watch.forget_scores()
                switched.warn_of_still(session.training.learner.frozen)
            if wish.steps is not None:
                session.postponed = ""
            # Only now: what cannot be taken up changes nothing on the disk.
            checkpoints.rewind(manifest, session.weights())
            if wanted is not None:
                going = dataclasses.replace(going, network=switched.record(wanted), told_of_network=switched.told())
            note_resume(session, config, manifest, going, wish.exact)
            if not wish.quiet:
                again = f"; {counted(repeated, 'step')} after it, which no checkpoint has, are repeated" * (
                    repeated > 0
                )
                put(f"resumed at step {manifest['step']:,}{again}")
                if wanted is not None:
                    say(*switched.lines(prepared.network, session.training.learner.frozen))
            session.introduce()
            result = session.go()
            if wish.video:
                film_end(result, going.recipe, wish.quiet)
    return result, False


def note_resume(
    session: Session, config: dict[str, Any], manifest: dict[str, Any], going: GoingOn, asked: bool
) -> None:
    """Writes down that a run goes on, and says what is not as it was.

    Args:
        asked: whether the user wants the numbers of a run that never stopped.
    """
    exact, step = bool(manifest.get("exact", True)), int(manifest["step"])
    cuts = bool(manifest.get("cuts", not exact)) and not limit_of(session)  # there it plays on no more: nothing is cut
    now = machine.describe("", session.threads, DISTRIBUTIONS) | {"framework": session.framework}
    row = {"step": step, "framework": session.framework, "threads": session.threads, "processor": now["processor"]}
    row |= {
        "versions": as_words(now["versions"]),
        "exact": exact,
        "changes": "; ".join(filter(None, (going.words, going.told_of_network))),
    }
    session.folder.append_resume(row)
    write_changes(session.path, config, going, step, promised(config, step, exact, cuts))
    if going.changes:
        warn(f"the run goes on with other settings from step {step:,}: {going.told}")
        warn(*schedules(config["recipe"], going.recipe, step))
    if not limit_of(session):
        warn(*inexact(config, manifest, now, asked))


def inexact(config: dict[str, Any], manifest: dict[str, Any], now: dict[str, Any], asked: bool) -> list[str]:
    """Why a resumed run does not give the numbers of one that never stopped: one sentence with all reasons, or none.

    Args:
        now: this machine, as `machine.describe` tells it.
        asked: whether the checkpoint was chosen for these numbers; then `--exact` is not offered again.
    """
    step, reasons = int(manifest["step"]), differences_from(config, now)
    if config.get("on") == "ray":
        reasons = ["its workers play at their own pace, and begin new episodes", *differences_from(config, now)[1:]]
        verb, offer = "are not", ""
    elif manifest.get("exact", True):
        verb, offer = "may not be", ""
    else:
        cut = "cut there and begin new episodes" if manifest.get("cuts", True) else "cut before that step"
        reasons = [f"its games cannot be saved, so they were {cut}", *reasons]
        verb, offer = (
            "are not",
            "" if asked or never_exact(config) else "; --exact goes back to a checkpoint that gives them",
        )
    if not reasons:
        return []
    return [f"from step {step:,} on, the numbers {verb} those of a run that never stopped: {'; '.join(reasons)}{offer}"]


def differences_from(config: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What may move a resumed run's numbers though nothing was cut, some words each."""
    reasons = []
    if never_exact(config):
        where = config.get("device", "cpu")
        reasons.append(
            "its environment does not begin alike again with the same seed"
            if where == "cpu"
            else f"sums on {where} may come out in another order each time"
        )
    if now["processor"] != config["processor"]:
        reasons.append(f"another processor than before ({config['processor']}), so the last bits may differ")
    old = {name: one for name, one in config["versions"].items() if now["versions"].get(name) != one}
    if old:
        reasons.append(f"other versions than before ({as_words(old)}), so the last bits may differ")
    reasons += xla.differences(config, now.get("framework", ""))
    return reasons


def finished(path: Path, framework: str, manifest: dict[str, Any], quiet: bool) -> RunResult:
    """What a run that needs no more steps came to. A summary of an earlier session is mended on the way."""
    stopped_by, step = manifest["state"]["stopped_by"], manifest["step"]
    told = summary_or_none(path)
    if (told.get("stopped_by"), told.get("steps")) != (stopped_by, step):
        told = ending(path, framework, manifest)
        write_summary(path, told)
    if not quiet:
        command = f"triptych evaluate {shlex.quote(str(path))}"
        ended = why(stopped_by, step, manifest["state"]["counters"]["episodes"])
        put(
            f"{path} is finished: {ended}; nothing was trained now",
            *summed_up(alarms_or_none(path), path),
            f"test it with: {command}",
            f"give it more steps with: triptych resume {shlex.quote(str(path))} --steps +{step}",
        )
    names = {field.name for field in dataclasses.fields(RunResult)}
    values: dict[str, Any] = dict.fromkeys(names - DEFAULTED) | {name: told[name] for name in names & told.keys()}
    return RunResult(**values | {"path": path})


def as_words(versions: dict[str, str]) -> str:
    return " ".join(f"{name}={version}" for name, version in versions.items())
