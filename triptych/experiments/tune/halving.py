"""When a trial is given up: Optuna's Hyperband (Li et al. 2018), asked in an order that does not depend on who was faster."""

from __future__ import annotations

from typing import Any, Literal

Pruner = Literal["hyperband", "none"]
FACTOR = 3  # of those at a rung about one in so many goes on
WHOLE = 9  # what a whole run counts as; a trial is tested at a ninth and a third of its steps, and at the end
RUNGS: dict[Pruner, tuple[int, ...]] = {"hyperband": (1, 3, WHOLE), "none": (WHOLE,)}


class Halving:
    """Verdicts on trials at rungs. They depend on nothing but the scores and the order in which they are asked for.

    Hyperband shares the trials out among brackets: one gives trials up from the first rung on, one from the second, one never.
    So settings that begin slowly have their chance, too.
    """

    def __init__(self) -> None:
        import optuna

        pruner = optuna.pruners.HyperbandPruner(min_resource=1, max_resource=WHOLE, reduction_factor=FACTOR)
        # Its name decides which trial is in which bracket.
        self.study = optuna.create_study(study_name="triptych", direction="maximize", pruner=pruner)
        self.trials: list[Any] = []

    def goes_on(self, number: int, rung: int, score: float) -> bool:
        """Whether a trial goes on from a rung. At each rung trials are to be asked for in the order of their numbers."""
        while len(self.trials) <= number:
            self.trials.append(self.study.ask())
        trial = self.trials[number]
        trial.report(score, rung)
        return not trial.should_prune()
