"""CartPole in full, positions only, speeds only, with and without memory: does recurrence hurt where nothing is hidden? (M15)"""

from triptych.studies import Arm, Study
from triptych.studies.tasks import QUICK, changes

study = Study(
    question="What does memory gain where speeds or positions are hidden, and what does it cost where nothing is?",
    arms=tuple(
        Arm(observe, kind, "drqn-cartpole", changes("positions", memory=kind, **{"env.observe": observe}))
        for observe in ("all", "positions", "speeds")
        for kind in ("none", "stack", "lstm")
    ),
    quick=QUICK,
)
