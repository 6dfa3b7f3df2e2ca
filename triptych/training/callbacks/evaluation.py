"""Test games within a training."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from triptych.envs import Games
from triptych.envs.play import Player, Score, cut_games, play_games
from triptych.envs.videos import Film
from triptych.frameworks import FRAMEWORKS
from triptych.recipes import Recipe
from triptych.training.agent import Agent
from triptych.training.callbacks.base import Run
from triptych.training.callbacks.periodic import Periodic
from triptych.training.loop import Tick
from triptych.training.watched import Watched
from triptych.utils.checks import EnvironmentFailed
from triptych.utils.console import warn
from triptych.utils.seeds import game_seeds, generator
from triptych.utils.statistics import bootstrap_mean


class Evaluation(Periodic):
    """Test games every `evaluate_every`, with an environment and seeds of their own; a video of the first may be made."""

    def __init__(self, make_games: Callable[[int], Games], recipe: Recipe):
        super().__init__(recipe.evaluation_period)
        self.make_games = make_games
        self.games: Games | None = None
        self.told = False  # that some did not end

    def start(self, run: Run) -> None:
        """Where test games failed in the session before, they are played again, with the weights of then."""
        if run.counters.steps:
            self.test(run)

    def step(self, run: Run, tick: Tick) -> None:
        self.test(run)

    def test(self, run: Run) -> None:
        before = self.done
        if self.due(run.counters):
            try:
                with run.clock.paused():
                    score = self.play(run)
            except EnvironmentFailed:
                self.done = before  # a resume plays them again
                raise
            run.tell("evaluation", score)

    def play(self, run: Run) -> Score:
        recipe = run.recipe
        self.games = self.games or self.make_games(recipe.evaluate_games)
        seeds = game_seeds(recipe.seed, "evaluation", self.done, recipe.evaluate_games)
        # Draws the same in every session, and not what the first game draws from its own seed.
        agent = run.agent.drawing_from(generator(int(seeds[0]), "evaluation"))
        with ExitStack() as stack:
            film: Film | None = None
            player: Player = agent
            if recipe.video_fps:
                film, player = self.filmed(run, agent, recipe.video_fps)
                stack.enter_context(film)
            played = play_games(player, self.games, seeds, longest=recipe.evaluate_steps, film=film)
        if not self.told and (said := cut_games(played, recipe.evaluate_steps)):
            self.told = True
            warn(f"test games: {said}")
        length = sum(game.length for game in played) / len(played)
        return Score(*bootstrap_mean([[game.reward for game in played]]), len(played), length)

    def filmed(self, run: Run, agent: Agent, fps: int) -> tuple[Film, Watched]:
        """A film of the first game, and who plays it."""
        watched, framework = Watched(agent), FRAMEWORKS[run.framework]
        path = run.path / "videos" / f"update-{run.counters.updates:09d}.mp4"
        title = f"{framework.title} at step {run.counters.steps:,}"
        return Film(run.recipe.env.tested, path, fps, title, framework.colour, watched.decided), watched

    def close(self) -> None:
        if self.games:
            self.games.close()
