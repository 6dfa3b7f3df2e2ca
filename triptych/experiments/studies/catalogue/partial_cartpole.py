"""CartPole in full, positions only, speeds only, with and without memory: does recurrence hurt where nothing is hidden? (M15)"""

import dataclasses

from triptych.experiments.studies import Study
from triptych.experiments.studies.tasks import arm

study = Study(
    question="What does memory gain where speeds or positions are hidden, and what does it cost where nothing is?",
    arms=tuple(
        dataclasses.replace(arm("positions", kind, memory=kind, **{"env.observe": observe}), task=observe)
        for observe in ("all", "positions", "speeds")
        for kind in ("none", "stack", "lstm")
    ),
)
