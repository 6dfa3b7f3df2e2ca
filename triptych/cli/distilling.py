"""The command that lets one run teach another."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, ClassVar

from tyro.conf import Positional, arg

from triptych.cli.options import Device, Framework, Tracker, Where, named, print_json
from triptych.cli.runs import tell, video_of
from triptych.recipes import Recipe


@dataclass(frozen=True)
class Distil(Where):
    """Trains a network to play as a run's does, from that run's play and then from its own (policy distillation).

    TEACHER is a run (its best weights) or a weights file. Without RECIPE the student has the teacher's settings; the flags
    change them, such as --network.dense-1.units 64.
    """

    FRONT: ClassVar[str] = "teacher"

    recipe: Annotated[Recipe, arg(name="")] = dataclasses.field(kw_only=True)
    # who teaches, and the student: a recipe's name, or a path to your own Python file
    name: Annotated[Positional[str], arg(metavar="TEACHER [RECIPE]", help_behavior_hint="")] = ""
    share: float = 0.5  # of the steps, in which the teacher plays; in the others the student does
    framework: Framework = "torch"  # the framework that trains
    device: Device = "auto"  # where the network runs: auto (a GPU, where the framework sees one), cpu, cuda or cuda:1
    run_name: str | None = None  # name of the new run's folder; None: RECIPE-FRAMEWORK and a number
    video: bool = True  # at the end, film a test game of the best weights, where the game can be drawn
    # trackers that follow the run: tensorboard, wandb, trackio, mlflow (docs/trackers.md)
    track: tuple[Tracker, ...] = ()

    def run(self) -> int:
        from triptych.experiments.distilling import distil

        result = distil(
            self.recipe.teacher, self.recipe, self.framework, share=self.share, run_name=self.run_name,
            label=f"{self.name or named('', self.recipe)}-distilled", runs_dir=self.runs_dir, quiet=self.quiet,
            video=self.video, device=self.device, track=self.track,
        )  # fmt: skip
        code = tell(result, self.quiet)
        print_json(self, dataclasses.asdict(result) | {"video": video_of(result)})
        return code
