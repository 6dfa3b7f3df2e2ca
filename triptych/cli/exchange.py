"""The commands that take agents elsewhere, and bring them from there."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

from triptych.cli import exits
from triptych.cli.options import Command, Framework, RunName, Where, needed, print_json
from triptych.utils.console import put

if TYPE_CHECKING:
    Format = str
else:
    Format = Literal["onnx", "torchscript", "stablehlo", "savedmodel", "safetensors", "hf"]


@dataclass(frozen=True)
class Import(Command):
    """Makes an agent of Stable-Baselines3's, or of another program, a weights file that plays here."""

    # the zip, or with --mapping another file of weights; nothing in it is unpickled
    name: Annotated[Positional[str], arg(metavar="FILE", help_behavior_hint="")] = ""
    # a recipe with the same layers, whose game and settings it gets; None: the layers are read from the zip
    given: Annotated[str | None, arg(name="as", metavar="RECIPE|None")] = None
    env: str | None = None  # the Gymnasium id that it plays, which no zip says; None: the recipe's
    # a TOML file that says which tensor is which, for weights of any other program (docs/how-to/in-and-out.md)
    mapping: Path | None = None
    # the weights file; None: beside FILE, under its name
    out: Path | None = None

    def run(self) -> int:
        from triptych.experiments.importing import import_agent
        from triptych.utils.console import counted

        needed(self.name, "FILE", "a zip that Stable-Baselines3's `save` wrote, or with --mapping a file of weights")
        found = import_agent(self.name, recipe=self.given, env=self.env, mapping=self.mapping, out=self.out)
        for name, shape in found.network.tensors().items():
            put(f"  {name} {list(shape)}")
        put(f"{found.source}: {found.algorithm} of {found.env}, {counted(found.weights, 'number')}")
        path = shlex.quote(str(found.path))
        put(f"test it with: triptych evaluate {path} --policy greedy", str(found.path))
        print_json(self, {"weights": found.path, "algorithm": found.algorithm, "env": found.env})
        return exits.DONE


@dataclass(frozen=True)
class Export(Where):
    """Writes a run's policy for others, and checks it by playing it."""

    name: RunName = ""  # a run folder, a run's name under --runs-dir, or a weights file
    # what is written: onnx and torchscript by torch, stablehlo by jax, savedmodel by keras, safetensors and hf (a folder
    # for the Hugging Face Hub) by each
    to: Format | None = None
    # the file, or the folder of savedmodel and hf; None: in the folder exports/ of the run
    out: Path | None = None
    # which weights of the run: those with the highest mean in training, or the latest
    weights: Literal["best", "latest"] = "best"
    # the framework that writes it; None: the run's own, and torch for a weights file
    framework: Framework | None = None
    games: int = 100  # whole games that are played for the score of an hf folder
    # send the hf folder to this repository of the Hub, as whoever is logged in there
    push: Annotated[str | None, arg(metavar="OWNER/NAME|None")] = None
    # your own Python file to run first, where the run needs it and came from elsewhere
    file: Annotated[str | None, arg(name="recipe")] = None
    trust: bool = False  # run code that the run names: the file of its recipe, the module of its environment's id

    def run(self) -> int:
        from triptych.experiments.exporting import TO, export

        needed(self.name, "RUN", "a run folder, a run's name under --runs-dir, or a weights file")
        needed(self.to or "", "to", ", ".join(TO))
        found = export(
            self.name, self.to or "", out=self.out, weights=self.weights, framework=self.framework, games=self.games,
            push=self.push, runs_dir=self.runs_dir, recipe=self.file, trust=self.trust,
        )  # fmt: skip
        for given in found.inputs:
            shape = ", ".join(map(str, given["shape"]))
            put(f"in   {given['name']} [{shape}] {given['dtype']}")
        put(f"out  {', '.join(found.outputs)}")
        put(
            f"{found.same:,} of {found.observations:,} observations: the same action as {found.source}; "
            f"outputs differ by {found.difference:.1g} at most"
        )
        if found.path is None:
            put("nothing was kept")
        else:
            if self.push:
                put(f"sent to {self.push}")
            put(str(found.path))
        print_json(self, found)
        return exits.DONE if found.path is not None else exits.DIFFER
