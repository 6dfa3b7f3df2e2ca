"""CartPole in full, positions only, speeds only, with and without memory: does recurrence hurt where nothing is hidden? (M15)"""

import dataclasses

from triptych.experiments.studies import Study
from triptych.experiments.studies.tasks import arm

study = Study(
    question="What does memory gain where speeds or positions are hidden, and what does it cost where nothing is?",
    learned="Where nothing is hidden, recurrence does not hurt. Hidden speeds cost most, and an LSTM brings part of that back, a stack of 4 nothing. Hidden positions cost nothing. The networks differ in size, so the LSTM's lead may be its size as well as its memory.",
    arms=tuple(
        dataclasses.replace(arm("positions", kind, memory=kind, **{"env.observe": observe}), task=observe)
        for observe in ("all", "positions", "speeds")
        for kind in ("none", "stack", "lstm")
    ),
)
