"""`triptych look --trained RUN`: a game as its trained agent sees it, as a sheet of rows or as a film."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from triptych import envs
from triptych.envs.actions import action_names
from triptych.envs.bars import spread
from triptych.envs.videos import Screening, Video, check_video
from triptych.experiments.film import FPS, SECONDS, source_of
from triptych.experiments.load import Source, find_weights, make_agent
from triptych.experiments.video import game_seed, names_of
from triptych.experiments.video import title as title_of
from triptych.frameworks import FRAMEWORKS
from triptych.recipes import Recipe
from triptych.report.look import check_drawing, draw_sheet, write_sheet
from triptych.report.trained_look import Moment, draw_moment
from triptych.runs.trust import Allowed
from triptych.spec import NeuralMap, each
from triptych.training.map_sight import MapReader, can_read
from triptych.training.saliency import saliency
from triptych.training.watched import decision_of
from triptych.utils.checks import InputError, check
from triptych.utils.console import warn
from triptych.utils.failures import first_line, machine_failures
from triptych.utils.files import check_new_file

ROWS = 4  # of a sheet
MAP = "map.mp4"  # in a run's videos/


@dataclass(frozen=True, kw_only=True)
class Wish:
    """How a trained agent is looked at."""

    frames: int | None = (
        None  # observations that are drawn; None: 4 rows of a PNG, and of a film all, for a minute at most
    )
    every: int = 40  # steps between two rows of a PNG; a film shows each
    saliency: bool = False  # also what the choice hangs on
    weights: Literal["best", "latest"] = "best"
    framework: str | None = None  # None: the run's own
    seed: int = 0  # of the game: that of `video --seed`

    def __post_init__(self) -> None:
        check(self.frames is None or self.frames > 0, "frames", self.frames, "above 0")
        check(self.every > 0, "every", self.every, "above 0")
        check(self.seed >= 0, "seed", self.seed, "0 or more")


@machine_failures()
def look_trained(
    run: str | Path, path: Path, wish: Wish, *, recipe: Recipe | None = None, runs_dir: str | Path = "runs"
) -> Path:
    """Draws what the agent of a run sees while it plays, with its values as bars.

    Args:
        run: a run folder, a name under `runs_dir`, or a weights file.
        path: a PNG, a row an observation; or an MP4, every step. Written whole or not at all.
        recipe: whose environment it plays; None: the run's own.

    Raises:
        InputError: no such run, a game without a screen, a value that is not allowed, or a package is missing.
    """
    kind = path.suffix.lower()
    check(kind in (".png", ".mp4"), "out", str(path), "a file that ends on .png or .mp4")
    check_new_file(path)
    check_drawing()
    source = find_weights(run, wish.weights, wish.framework, runs_dir, Allowed())
    if recipe is not None:
        played = dataclasses.replace(source.recipe, env=recipe.env)
        source = dataclasses.replace(source, recipe=played)
    title = f"{title_of(source, names_of([source])[0])}: {source.recipe.env.id}, seed {wish.seed}"
    if kind == ".mp4":
        check_video(source.recipe.env)
        return film_look(source, path, wish, title)
    with ExitStack() as stack:
        game = Playing(source, wish.seed, stack)
        moments = list(islice(game.moments(wish.every, wish.saliency), wish.frames or ROWS))
    full = max(spread(moment.decision) for moment in moments)
    drawn = [game.drawn(moment, full) for moment in moments]
    return write_sheet(path, [row for row, _ in drawn], drawn[0][1], title)


def film_look(source: Source, path: Path, wish: Wish, title: str) -> Path:
    """Every step of the game as a picture of a film."""
    fps = source.recipe.video_fps or FPS
    full = 0.0
    with ExitStack() as stack:
        game = Playing(source, wish.seed, stack)
        with Video(path, fps) as video:
            for moment in islice(game.moments(1, wish.saliency), wish.frames or SECONDS * fps):
                full = max(full, spread(moment.decision))
                row, captions = game.drawn(moment, full)
                video.show(np.asarray(draw_sheet([row], captions, title)))
    if not video.made:
        raise InputError(f"{path} was not written: the encoder failed; allowed: an imageio-ffmpeg that works")
    return path


def film_map(folder: Path, recipe: Recipe, framework: str) -> None:
    """Films the map of a run's agent while it plays, into the run's videos/; nothing where its network has none. A failure is a warning."""
    if not any(isinstance(layer, NeuralMap) for layer in recipe.network):
        return
    try:
        source = source_of(folder, recipe, framework)
        title = f"{FRAMEWORKS[framework].title}: {recipe.env.id}, its map and where it looks on it"
        film_look(source, folder / "videos" / MAP, Wish(), title)
    except KeyboardInterrupt:
        warn("no video of the map: interrupted; the run is whole")
    except (Exception, SystemExit) as error:  # of the user's own game too
        warn(f"no video of the map of {folder}: {first_line(error)}")


class Playing:
    """One game of an agent, and the same game as a person sees it.

    Args:
        stack: closes both.
    """

    def __init__(self, source: Source, seed: int, stack: ExitStack):
        self.recipe, self.seed = source.recipe, seed
        self.screening = Screening(self.recipe.env)
        stack.callback(self.screening.close)
        self.games = envs.make(self.recipe.env, 1)
        stack.callback(self.games.close)
        self.agent = make_agent(source, self.games, None, 0.0, seed)
        network = self.recipe.make_network(self.games.observation, self.games.num_actions)
        self.map = MapReader(self.agent, network) if can_read(network) else None
        self.names = action_names(self.screening.games)
        self.colour = FRAMEWORKS[source.framework].colour

    def moments(self, every: int, with_slopes: bool) -> Iterator[Moment]:
        """The game to its end, one of so many steps."""
        agent, screening = self.agent, self.screening
        obs, screen = self.games.reset(np.array([game_seed(self.seed)])), screening.reset(game_seed(self.seed))
        state, starts, step = None, np.ones(1, bool), 0
        while screening.running:
            outputs, after = agent.act(obs, state, starts)
            actions = agent.choose(outputs)
            if step % every == 0:
                slopes = saliency(agent, obs, actions, state, starts)[0] if with_slopes else None
                decision = decision_of(agent, outputs[0], actions[0])
                sight = () if self.map is None else self.map(obs, state, bool(starts[0]))
                yield Moment(screen, each(first, obs), decision, step, screening.reward, slopes, *sight)
            self.games.send(actions)
            screen = screening.step(int(actions[0]))
            played = self.games.recv()
            obs, state, step = played.obs, after, step + 1
            starts = np.zeros(1, bool) if played.broken is None else played.broken

    def drawn(self, moment: Moment, full: float) -> Any:
        return draw_moment(self.recipe, self.games.observation, moment, self.names, full, self.colour)


def first(part: np.ndarray) -> np.ndarray:
    return part[0].copy()
