"""A stack or a recurrent layer: which bears blank observations better? (Hausknecht & Stone 2015)"""

import dataclasses

from triptych.studies import Study
from triptych.studies.tasks import arm

study = Study(
    question="Trained with a quarter of the observations blank, or with none: which memory bears how many blanks when it is tested?",
    arms=tuple(
        dataclasses.replace(
            arm("positions", kind, memory=kind, **{"env.flicker": chance}), task=f"trained at {chance:.0%} blank"
        )
        for chance in (0.0, 0.25)
        for kind in ("stack", "gru", "lstm", "attention")
    ),
    flicker=(0.0, 0.1, 0.25, 0.5),
    reading="CartPole's two positions; a blank observation is all zeros, which it could also be in truth.",
)
