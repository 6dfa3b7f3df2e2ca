"""What watches a run: Triptych's own callbacks, then the user's. They are called here, and what fails in them is kept here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from triptych import envs
from triptych.recipes import Recipe
from triptych.training.callbacks.base import Callback, Run
from triptych.training.callbacks.broken import Broken
from triptych.training.callbacks.evaluation import Evaluation
from triptych.training.callbacks.glance import Glance
from triptych.training.callbacks.logs import Logs
from triptych.training.callbacks.weights import Best, KeptWeights
from triptych.utils.checks import EnvironmentFailed
from triptych.utils.console import warn
from triptych.utils.failures import CallbackFailed, NotFiniteError, first_line


class Watchers:
    """All callbacks of a run.

    Args:
        recipe: the run's.
        threads: of the test games.
        theirs: the user's own.
    """

    def __init__(self, recipe: Recipe, threads: int, theirs: Sequence[Callback]):
        self.best = Best(recipe.best_window)
        self.broken = Broken()
        self.evaluation = Evaluation(partial(envs.make, recipe.env.tested, threads=threads), recipe)
        self.own: dict[str, Callback] = {
            "logs": Logs(recipe.metrics),
            "best": self.best,
            "weights": KeptWeights(recipe.weights_every),
            "evaluation": self.evaluation,
            "broken": self.broken,
        }
        self.glance = Glance(self.broken)  # keeps nothing in a checkpoint
        self.theirs = list(theirs)
        self.kept: dict[int, dict[str, Any]] = {}  # what each of the user's last wanted kept
        self.failure: EnvironmentFailed | CallbackFailed | NotFiniteError | None = None  # the first one of the run

    @property
    def all(self) -> list[Callback]:
        """In the order in which they are told."""
        return [*self.own.values(), self.glance, *self.theirs]

    def tell(self, run: Run, event: str, *what: Any) -> None:
        """Calls a method of every callback. Where the user's own code fails in one, the others are called still."""
        for callback in self.all:
            try:
                getattr(callback, event)(run, *what)
            except EnvironmentFailed as failure:  # of test games, or one that nothing can be learned from
                self.failure = self.failure or failure
            except NotFiniteError:
                raise
            except (Exception, SystemExit) as error:
                if not any(callback is one for one in self.theirs):
                    raise
                self.fail(callback, error)

    def ask(self) -> list[tuple[str, dict[str, Any]]]:
        """What the user's callbacks want kept in a checkpoint, by name; of one that fails what it kept before, if it has."""
        found = []
        for callback in self.theirs:
            try:
                kept = callback.get_state()
                json.dumps(kept)  # as the checkpoint does
                self.kept[id(callback)] = kept
            except (Exception, SystemExit) as error:
                self.fail(callback, error)
            if id(callback) in self.kept:
                found.append((callback.name, self.kept[id(callback)]))
        return found

    def fail(self, callback: Callback, error: BaseException) -> None:
        if self.failure is None:
            self.failure = CallbackFailed(callback.name, first_line(error))
            self.failure.__cause__ = error

    def restore(self, kept: list[list[Any]]) -> None:
        """Gives the user's callbacks their states, by name; of several of one name in their order."""
        waiting = list(self.theirs)
        for name, state in kept:
            callback = next((one for one in waiting if one.name == name), None)
            if callback is not None:
                waiting.remove(callback)
                try:
                    callback.set_state(state)
                    self.kept[id(callback)] = state
                except (Exception, SystemExit) as error:  # the user's own code, not the checkpoint
                    raise CallbackFailed(name, first_line(error)) from error
            elif state:
                warn(f"callback {name} is not there any more: what it had counted is left out")
