"""Each improvement of Q-learning alone, and all of them: do they help, or at least not harm? (M12)"""

from typing import Any

from triptych.experiments.studies import Arm, Study
from triptych.experiments.studies.catalogue.losses import feed_forward

PLAIN = {"algorithm.double": False}
SWITCHES: dict[str, dict[str, Any]] = {
    "plain": {},
    "double": {"algorithm.double": True},
    "dueling": {"algorithm.dueling": True},
    "3-step": {"algorithm.n_step": 3},
    "prioritised": {"algorithm.prioritised": True, "algorithm.beta_steps": 50_000},
}
SWITCHES["all"] = {name: value for given in SWITCHES.values() for name, value in given.items()}

study = Study(
    question="Does each switch of Q-learning improve CartPole and Catch, or at least not harm them?",
    learned="3-step returns help, and all switches together help most, both clearly above plain Q-learning on CartPole. Double and dueling change nothing that ten seeds could show. Catch is solved by all of them, so none harms there.",
    arms=tuple(
        Arm(task, label, recipe, {**given, **PLAIN, **switch})
        for task, (recipe, given) in feed_forward.items()
        for label, switch in SWITCHES.items()
    ),
    seeds=10,
)
