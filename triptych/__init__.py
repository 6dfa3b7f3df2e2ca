"""One deep-RL experiment, three frameworks, one report: DQN in PyTorch, JAX and Keras, proved equal."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from triptych.algorithms import register_algorithm
    from triptych.experiments.checking import check
    from triptych.experiments.compare import compare
    from triptych.experiments.distilling import distil
    from triptych.experiments.evaluate import evaluate
    from triptych.experiments.exporting import export
    from triptych.experiments.growing import grow
    from triptych.experiments.importing import import_agent
    from triptych.experiments.load import load_agent, make_env
    from triptych.experiments.lockstep.prove import lockstep
    from triptych.experiments.resume import resume
    from triptych.experiments.studies import Arm, Begins, Goal, Study
    from triptych.experiments.studies.charts import plot_study
    from triptych.experiments.studies.reader import read_study
    from triptych.experiments.studies.run import run_study
    from triptych.experiments.train import train
    from triptych.experiments.tune.run import tune
    from triptych.experiments.video import video
    from triptych.recipes import Recipe, load_recipe
    from triptych.recipes.override import override
    from triptych.report.notebook import Chart, plot_runs, slider
    from triptych.report.show.beside import show
    from triptych.runs.reader import read_run
    from triptych.spec import register_layer, register_memory
    from triptych.trackers.fetch import fetch
    from triptych.trackers.track import track
    from triptych.training.callbacks.base import Callback, register_callback
    from triptych.utils.checks import EnvironmentFailed, InputError
    from triptych.utils.excerpts import show_source
    from triptych.utils.failures import MachineFailed, RunFailed

__version__ = "0.1.0"
__all__ = [
    "Arm",
    "Begins",
    "Callback",
    "Chart",
    "EnvironmentFailed",
    "Goal",
    "InputError",
    "MachineFailed",
    "Recipe",
    "RunFailed",
    "Study",
    "check",
    "compare",
    "distil",
    "evaluate",
    "export",
    "fetch",
    "grow",
    "import_agent",
    "load_agent",
    "load_recipe",
    "lockstep",
    "make_env",
    "override",
    "plot_runs",
    "plot_study",
    "read_run",
    "read_study",
    "register_algorithm",
    "register_callback",
    "register_layer",
    "register_memory",
    "resume",
    "run_study",
    "show",
    "show_source",
    "slider",
    "track",
    "train",
    "tune",
    "video",
]

# The module that defines each public name, imported when the name is first asked for.
HOMES = {
    "Arm": "experiments.studies",
    "Begins": "experiments.studies",
    "Callback": "training.callbacks.base",
    "Chart": "report.notebook",
    "EnvironmentFailed": "utils.checks",
    "Goal": "experiments.studies",
    "InputError": "utils.checks",
    "MachineFailed": "utils.failures",
    "Recipe": "recipes",
    "RunFailed": "utils.failures",
    "Study": "experiments.studies",
    "check": "experiments.checking",
    "compare": "experiments.compare",
    "distil": "experiments.distilling",
    "evaluate": "experiments.evaluate",
    "export": "experiments.exporting",
    "fetch": "trackers.fetch",
    "grow": "experiments.growing",
    "import_agent": "experiments.importing",
    "load_agent": "experiments.load",
    "load_recipe": "recipes",
    "lockstep": "experiments.lockstep.prove",
    "make_env": "experiments.load",
    "override": "recipes.override",
    "plot_runs": "report.notebook",
    "plot_study": "experiments.studies.charts",
    "read_run": "runs.reader",
    "read_study": "experiments.studies.reader",
    "register_algorithm": "algorithms",
    "register_callback": "training.callbacks.base",
    "register_layer": "spec",
    "register_memory": "spec",
    "resume": "experiments.resume",
    "run_study": "experiments.studies.run",
    "show": "report.show.beside",
    "show_source": "utils.excerpts",
    "slider": "report.notebook",
    "track": "trackers.track",
    "train": "experiments.train",
    "tune": "experiments.tune.run",
    "video": "experiments.video",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'triptych' has no attribute {name!r}")
    return getattr(importlib.import_module(f"triptych.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
