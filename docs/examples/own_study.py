"""A study of one's own: does CartPole want a wide network? Two recipes, one game, five seeds, one page.

    triptych study own_study.py --quick        # short runs: all works
    triptych study own_study.py --jobs 2       # the study

It goes on where it was interrupted, and a run that is done is not made again.
"""

import triptych
from triptych.spec import Dense

wide = triptych.load_recipe("cartpole")
narrow = triptych.override(wide, {"network": (Dense(32, initialiser="fan_in_uniform"),)})
recipe = narrow  # so that `triptych train own_study.py` makes one of its runs

TASK = "CartPole from its four numbers"

study = triptych.Study(
    question="Does CartPole want a wide network?",
    arms=(
        # A recipe is named, or is one, or a path to a file of one; `changes` are as in `triptych.override`.
        triptych.Arm(TASK, "two layers of 256", wide, {"steps": 20_000}),
        triptych.Arm(TASK, "one layer of 32", narrow, {"steps": 20_000}),
    ),
    seeds=5,
    games=20,  # that judge the best weights of each run
    reading="Mean reward of 20 games with the best weights: the interquartile mean over five runs, 500 at most.",
)
