"""What was tried: Optuna's journal, a file of JSON lines in the search's folder. It is all that a search is resumed from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from triptych.experiments.tune.space import Setting
from triptych.utils.checks import InputError
from triptych.utils.seeds import generator

Sampler = Literal["tpe", "random", "grid"]
FILE = "journal.log"
NAME = "triptych"
BY_CHANCE = 6  # trials that must be known before TPE chooses by them; until then it draws as random does


@dataclass
class Trial:
    """Some values for the settings, and what came of them."""

    number: int
    names: dict[str, Any]  # what it has for each setting, by path; see `Setting.names`
    scores: dict[int, float] = field(default_factory=dict)  # rung -> mean of its test games
    notes: dict[str, Any] = field(default_factory=dict)  # see `Journal.note`
    told: bool = False  # whether the sampler knows what came of it

    @property
    def last(self) -> float | None:
        """Its newest score."""
        return self.scores[max(self.scores)] if self.scores else None


class Journal:
    """The file. Each line of it is whole or not there, and so is each trial.

    Optuna's own `ask` writes a trial in several steps, between which a process may be killed, and it takes for granted that
    whoever was asked first is told first. So a trial is drawn from a copy in memory, see `draw`, and written at once.
    """

    def __init__(self, folder: Path, space: Sequence[Setting]):
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        self.space = space
        path = folder / FILE
        # Of a process that was killed: the folder is locked by us.
        path.with_name(f"{FILE}.lock").unlink(missing_ok=True)
        try:
            storage = JournalStorage(JournalFileBackend(str(path)))
            self.study = optuna.create_study(
                study_name=NAME, storage=storage, direction="maximize", load_if_exists=True,
                sampler=optuna.samplers.RandomSampler(seed=0),  # never drawn from; the default one writes when it is asked
            )  # fmt: skip
        except (json.JSONDecodeError, KeyError, TypeError, AssertionError) as error:
            raise InputError(
                f"{path} is damaged ({type(error).__name__}); allowed: the file as triptych left it"
            ) from None

    def trials(self) -> list[Trial]:
        """All that were begun, by number."""
        return [
            Trial(
                trial.number, dict(trial.params), dict(trial.intermediate_values), dict(trial.user_attrs), trial.state.is_finished()
            )
            for trial in self.study.get_trials(deepcopy=False)
        ]  # fmt: skip

    def handle(self, number: int) -> Any:
        """Optuna's trial of that number, whichever process began it."""
        import optuna

        return optuna.Trial(self.study, self.study.get_trials(deepcopy=False)[number]._trial_id)

    def begin(self, names: Mapping[str, Any]) -> None:
        """Writes that a trial begins."""
        import optuna

        state = optuna.trial.TrialState.RUNNING
        spaces = distributions(self.space)
        self.study.add_trial(optuna.create_trial(state=state, params=dict(names), distributions=spaces))

    def report(self, number: int, rung: int, score: float) -> None:
        """Writes a trial's score at a rung."""
        self.handle(number).report(score, rung)

    def note(self, number: int, **notes: Any) -> None:
        """Writes something about a trial, as JSON: `ended` (finished, diverged, refused), `at` (which rung, by place), `why`, `steps`."""
        handle = self.handle(number)
        for name, value in notes.items():
            handle.set_user_attr(name, value)

    def tell(self, number: int, score: float | None) -> None:
        """Writes the end of a trial: its score, or None where it was given up, diverged, or could not be begun."""
        import optuna

        if score is None:
            self.study.tell(number, state=optuna.trial.TrialState.PRUNED)
        else:
            self.study.tell(number, score)

    def draw(self, number: int, known: int, sampler: Sampler, seed: int) -> dict[str, Any]:
        """The values of trial `number`, drawn by what came of the first `known` ones; of those since then only the values are known.

        So the draw is the same however many of those have ended by now. TPE takes them for bad ones ("constant liar"), so that
        jobs which go on at the same time try different values.
        """
        import optuna

        draws = int(generator(seed, f"tune {number}").integers(2**31 - 1))
        tpe = optuna.samplers.TPESampler(seed=draws, n_startup_trials=BY_CHANCE, constant_liar=True)
        chosen = optuna.samplers.RandomSampler(draws) if sampler == "random" else tpe
        copy = optuna.create_study(direction="maximize", sampler=chosen)
        for trial in self.study.get_trials()[:number]:
            if trial.number >= known:
                trial = optuna.create_trial(
                    state=optuna.trial.TrialState.RUNNING, params=trial.params, distributions=trial.distributions
                )
            copy.add_trial(trial)
        return copy.ask(distributions(self.space)).params


def distributions(space: Sequence[Setting]) -> dict[str, Any]:
    """The settings as Optuna has them."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    def one(setting: Setting) -> Any:
        if setting.values:
            return CategoricalDistribution(tuple(setting.names))
        if setting.whole:
            return IntDistribution(int(setting.low), int(setting.high), log=setting.log)
        return FloatDistribution(setting.low, setting.high, log=setting.log)

    return {setting.path: one(setting) for setting in space}
