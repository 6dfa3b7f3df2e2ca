"""Films of trained agents: one test game of a run's best weights, or of several runs side by side on one seed.

A game is played once without pictures and its actions are kept, a `Tape`. Filming plays them again in games that draw
themselves, so it needs no framework, and runs of different processes meet in one film.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from triptych import envs
from triptych.envs.actions import action_names
from triptych.envs.config import GameConfig
from triptych.envs.panels import Panel, check_pillow, sheet
from triptych.envs.videos import Screening, Video, check_tools, screen_config
from triptych.experiments.load import Source, as_saved, file_of
from triptych.experiments.tape import SEED, Tape, play
from triptych.frameworks import FRAMEWORKS
from triptych.recipes import Recipe
from triptych.utils.checks import InputError
from triptych.utils.console import say, warn
from triptych.utils.failures import first_line
from triptych.utils.files import read_tensors, write_whole

FPS = 30  # pictures a second, where the recipe says nothing; a picture is a step
SECONDS = 60  # of a film at most: games go on longer
LINGER = 1.5  # seconds that the last picture stays
NAMES = ("best.mp4", "latest.mp4")  # in a run's videos/: of its best weights, or of the latest where it has no best
SIDE_BY_SIDE = "side-by-side.mp4"
MOST_ROWS = 3
OFF = "TRIPTYCH_NO_VIDEO"  # an environment variable that turns films off for good


def can_film(config: GameConfig, quiet: bool) -> bool:
    """Whether the game draws itself and the encoder is there; where only a package is missing, a line says which."""
    if os.environ.get(OFF):
        return False
    try:
        envs.make(screen_config(config), 1).close()
    except Exception:  # the user's own game, which was never asked to draw itself; such a run has no film
        return False
    try:
        check_tools()
    except InputError as missing:
        if not quiet:
            say(f"no video: {missing}")
        return False
    return True


def record(folder: Path, recipe: Recipe, framework: str) -> Tape:
    """Plays one test game with a run's best weights, as in training, for as long as a film may be.

    Args:
        folder: the run's, of this very process or of one that was trusted: nothing that it names is imported.
    """
    return tape_of(source_of(folder, recipe, framework))


def source_of(folder: Path, recipe: Recipe, framework: str) -> Source:
    """A run's best weights, or its latest where it has no best."""
    file = file_of(folder / "checkpoints", "best")
    tensors, metadata = read_tensors(file)
    recipe = as_saved(recipe, metadata, file)
    return Source(file, tensors, (metadata or {}).get("updates"), recipe, recipe, framework)


def tape_of(source: Source) -> Tape:
    """Plays one test game with weights, for as long as a film may be."""
    recipe, framework = source.recipe, source.framework
    fps = recipe.video_fps or FPS
    recorder, _ = play(source, SEED, SECONDS * fps, SEED)
    title, decisions = FRAMEWORKS[framework].title, tuple(recorder.decisions)
    return Tape(title, framework, recipe.env, recorder.actions, fps, decisions=decisions)


def film(rows: list[list[Tape]], path: Path) -> Path | None:
    """Plays tapes again, side by side, and films them until the last game is over; None where the encoder failed.

    Raises:
        InputError: a game draws no picture, a package is missing, or the folder cannot be written.
    """
    check_pillow()
    fps = rows[0][0].fps
    stands = [[Stand(tape) for tape in row] for row in rows]
    everyone = [stand for row in stands for stand in row]
    try:
        with Video(path, fps) as video:
            for step in range(max(len(stand.tape.actions) for stand in everyone) + 1):
                for stand in everyone:
                    stand.show(step)
                picture = sheet([[stand.panel() for stand in row] for row in stands])
                video.show(picture)
                if video.failed:
                    break
            for _ in range(round(LINGER * fps)):
                video.show(picture)
    finally:
        for stand in everyone:
            stand.screening.close()
    return path if video.made else None


class Stand:
    """Where a tape stands while it is played again."""

    def __init__(self, tape: Tape):
        self.tape, self.screening, self.played = tape, Screening(tape.env), 0
        self.names = action_names(self.screening.games) if tape.decisions else ()
        self.full = tape.full
        self.picture: Any = None

    def show(self, step: int) -> None:
        """Goes on to that step; a game that is over stays as it is."""
        if step == 0:
            self.picture = self.screening.reset(self.tape.seed)
        elif step <= len(self.tape.actions) and self.screening.running:
            self.picture = self.screening.step(self.tape.actions[step - 1])
            self.played = step

    def panel(self) -> Panel:
        colour = self.tape.colour or FRAMEWORKS[self.tape.framework].colour
        return Panel(
            self.tape.title, colour, self.picture, self.screening.reward, self.played, not self.screening.running,
            self.tape.decision(self.played), self.names, self.full,
        )  # fmt: skip


def film_run(folder: Path, recipe: Recipe, framework: str, quiet: bool = True) -> Tape | None:
    """Films a test game of a run's best weights (of the latest, where it has no best) into its videos/; a failure is a warning, never the run's end.

    Returns:
        the tape, for a film of several runs; None where there is none.
    """
    try:
        if not can_film(recipe.env, quiet):
            return None
        tape = record(folder, recipe, framework)
        weights = file_of(folder / "checkpoints", "best").stem
        film([[tape]], folder / "videos" / f"{weights}.mp4")
        for name in NAMES:
            if name != f"{weights}.mp4":  # one of before, as of a run that has been gone on with
                (folder / "videos" / name).unlink(missing_ok=True)
        return tape
    except KeyboardInterrupt:
        warn("no video: interrupted; the run is whole")
    except (Exception, SystemExit) as error:  # of the user's own game too, which has never been drawn before
        warn(f"no video of {folder}: {first_line(error)}")
    return None


def film_side_by_side(tapes: list[list[Tape]], path: Path, run: Path) -> Path | None:
    """Films several runs, a row a recipe; None and a warning where that fails, None where there is nothing to film.

    Args:
        path: the file.
        run: one of the runs, which gets a copy into its videos/, so that a page of the runs finds it.
    """
    rows = [row for row in tapes if row][:MOST_ROWS]
    if not rows:
        return None
    try:
        made = film(rows, path)
        if made is not None:
            folder = run / "videos"
            folder.mkdir(exist_ok=True)
            write_whole(folder / SIDE_BY_SIDE, lambda temporary: shutil.copyfile(path, temporary))
        return made
    except KeyboardInterrupt:
        warn("no video: interrupted; the runs are whole")
    except (Exception, SystemExit) as error:
        warn(f"no video {path}: {first_line(error)}")
    return None
