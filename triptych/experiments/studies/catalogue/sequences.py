"""How long must a sequence be, and what does a burn-in or a stored state save?"""

from triptych.experiments.studies import Study
from triptych.experiments.studies.tasks import arm

FORMS = {
    "10 steps, from zeros": (10, 0, False),
    "10 steps, stored state": (10, 0, True),
    "20 steps, 10 burn-in, from zeros": (20, 10, False),
    "30 steps, 10 burn-in, from zeros": (30, 10, False),
    "30 steps, 10 burn-in, stored state": (30, 10, True),
    "60 steps, 20 burn-in, stored state": (60, 20, True),
}

study = Study(
    question="How long must a sequence be, and what does a burn-in or a stored state save?",
    learned="Where the clue is four steps old, ten steps from zeros are too few, and a stored state mends it as well as a burn-in does. On the positions no form is clearly above another: ten steps do as well as sixty, at a sixth of the cost.",
    arms=tuple(
        arm(
            task, label,
            **{"algorithm.sequence_length": length, "algorithm.burn_in": burn_in, "algorithm.stored_state": stored},
        )
        for task in ("positions", "repeat previous 4")
        for label, (length, burn_in, stored) in FORMS.items()
    ),
    reading="An update costs in proportion to the sequence's length; all variants make as many updates.",
)  # fmt: skip
