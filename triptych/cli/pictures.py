"""The commands that write pictures and videos."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from tyro.conf import Positional, arg

from triptych.cli import exits
from triptych.cli.options import Device, Framework, Policy, RecipeName, Where, named, needed, print_json
from triptych.recipes import Recipe, resolve
from triptych.utils.checks import check
from triptych.utils.console import put


@dataclass(frozen=True)
class Look(Where):
    """Draws what the agent sees, beside the screen, as a PNG.

    The game is played at random, or by a trained agent, whose values are drawn as bars. Of a game that draws no pictures
    it tells the numbers, and what random play scores.
    """

    recipe: Annotated[Recipe, arg(name="")] = dataclasses.field(kw_only=True)
    name: RecipeName = ""  # a recipe's name, or a path to your own Python file; with --trained it may be left out
    READS: ClassVar[tuple[str, ...]] = ("env", "seed")  # of the recipe

    frames: int | None = None  # observations to draw; None: 4 rows, and of a video all, for a minute at most
    # the PNG to write, or with --trained an MP4, into a folder that is there; None: look-RECIPE.png in the current folder
    out: Path | None = None
    trained: str | None = None  # the run, or the weights file, whose agent plays; None: chance plays
    saliency: bool = False  # with --trained: also draw which pixels move the value of the action taken
    every: int = 40  # with --trained: steps from row to row
    # with --trained: which weights, those with the highest mean in training or the latest
    weights: Literal["best", "latest"] = "best"
    framework: Framework | None = None  # with --trained: the framework that plays; None: the run's own

    def run(self) -> int:
        from triptych.cli.tables import numbers_seen
        from triptych.report.look import look_and_tell

        numbers = None
        if self.trained is not None:
            file = self.look_trained(self.trained)
        else:
            check(not self.saliency, "saliency", True, "False without --trained RUN, as chance looks at nothing")
            name = named(self.name, self.recipe)
            title = f"{name}: {self.recipe.env.id}, seed {self.recipe.seed}"
            frames = 4 if self.frames is None else self.frames
            out = self.out or Path(f"look-{name}.png")
            file, numbers = look_and_tell(resolve(self.recipe, {}), out, frames, title=title)
        if numbers is not None:
            numbers_seen(numbers)
        put(str(file))
        print_json(self, {"file": file} | ({"numbers": dataclasses.asdict(numbers)} if numbers else {}))
        return exits.DONE

    def look_trained(self, run: str) -> Path:
        from triptych.experiments.looking import Wish, look_trained
        from triptych.runs.names import safe

        wish = Wish(
            frames=self.frames, every=self.every, saliency=self.saliency, weights=self.weights,
            framework=self.framework, seed=self.recipe.seed,
        )  # fmt: skip
        out = self.out or Path(f"look-{safe(run)}.png")
        return look_trained(run, out, wish, recipe=self.recipe, runs_dir=self.runs_dir)


@dataclass(frozen=True)
class Video(Where):
    """Films agents on one seed, side by side.

    Each has its name, score and step, and bars of what it thinks of its actions.
    """

    # one agent or several: run folders, runs' names, or weights files
    names: Annotated[Positional[tuple[str, ...]], arg(metavar="RUN...", help_behavior_hint="")] = ()
    # decides how the game begins and which actions are drawn: it is the game that evaluate --games 1 --seed plays
    seed: int = 0
    # the MP4 to write, into a folder that is there; None: video-NAMES-seed-SEED.mp4 in the current folder
    out: Path | None = None
    steps: int | None = None  # steps that are filmed at most; None: a minute
    # which weights of each run: those with the highest mean in training, or the latest
    weights: Literal["best", "latest"] = "best"
    frameworks: tuple[Framework, ...] = ()  # each agent plays in each of these; none: in its run's own
    # how an actor-critic acts: draw from its policy, or take the likeliest action; None: as in training
    policy: Policy | None = None
    epsilon: float = 0.0  # share of actions that are random, 0 to 1
    device: Device = "auto"  # where the networks run: auto (a GPU, where the framework sees one), cpu, cuda or cuda:1
    # your own Python file to run first, where a run needs it and came from elsewhere
    file: Annotated[str | None, arg(name="recipe")] = None
    trust: bool = False  # run code that a run names: the file of its recipe, the module of its environment's id

    def run(self) -> int:
        from triptych.experiments.video import video

        needed(" ".join(self.names), "RUN", "run folders, runs' names, or weights files")
        result = video(
            *self.names, seed=self.seed, out=self.out, steps=self.steps, weights=self.weights,
            frameworks=self.frameworks, policy=self.policy, epsilon=self.epsilon, device=self.device,
            runs_dir=self.runs_dir, recipe=self.file, trust=self.trust, quiet=self.quiet,
        )  # fmt: skip
        for agent in result.agents:
            how = "the video ends there, the game does not" if agent.cut else "to the end"
            put(f"{agent.name} in {agent.framework}: score {agent.score:,.6g} in {agent.steps:,} steps, {how}")
        put(f"video {result.file}")
        print_json(self, result)
        return exits.DONE
