"""Which setting mattered: PED-ANOVA (Watanabe, Bansal & Hutter 2023), which needs no scikit-learn, as fANOVA would."""

from __future__ import annotations

from triptych.experiments.tune.journal import distributions
from triptych.experiments.tune.search import Search

FEWEST = 10  # trials with a score below which nothing is said
BEST = 0.25  # the share of them that counts as good


def importances(search: Search) -> dict[str, float]:
    """How far the values of the best quarter of the trials lie from those of all, for each setting; together 1.

    A trial that was given up counts with its last score: fewer steps, a lower score, and what Hyperband kept is among the best.
    """
    import optuna

    if len([course for course in search.courses if course.trial.last is not None]) < FEWEST:
        return {}
    copy = optuna.create_study(direction="maximize")
    for course in search.courses:
        if course.trial.last is not None:
            spaces = distributions(search.space)
            copy.add_trial(
                optuna.create_trial(value=course.trial.last, params=course.trial.names, distributions=spaces)
            )
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=BEST)
    found = optuna.importance.get_param_importances(copy, evaluator=evaluator)
    return {path: float(share) for path, share in found.items()}
