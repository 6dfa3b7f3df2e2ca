"""Are the convolutions of one Atari game of use in another one? Those of Space Invaders, taken into Assault. (M18)

The source is the stored run results/space-invaders-original/torch, which scores 536 after 1.56 million steps; nothing is trained
for it. Both games are fixed shooters, seen alike (84 x 84, 4 frames, 4 skipped). Settings were written down before the first run and
none was chosen by these runs: those of `space-invaders-tuned`, made for a run that takes minutes. So the warm-up, the replay, the
time between target copies and epsilon's fall are shorter, an update comes each 8 steps (twelve there), and the rate stays at the
original's 2.5e-4, as 4,750 updates are few. Threshold: twice what random play scores, in 20 games.
"""

from typing import Any

from triptych.experiments.studies import Arm, Begins, Goal, Study
from triptych.recipes.catalogue import space_invaders_tuned
from triptych.recipes.override import override

ASSAULT = "Assault"
SETTINGS: dict[str, Any] = {
    "env.id": "AssaultNoFrameskip-v4",
    "steps": 40_000,
    "threads": 1,
    "evaluate_every": 0,
    "best_window": 20,
    "algorithm.warm_up": 2_000,
    "algorithm.replay_size": 40_000,
    "algorithm.update_every": 8,
    "algorithm.target_every": (1_000, "steps"),
    "algorithm.epsilon_steps": 15_000,
    "optimiser.learning_rate": 2.5e-4,
    "optimiser.final_rate": None,
}
QUICK = {"steps": 2_000, "algorithm.warm_up": 500}
assault = override(space_invaders_tuned.recipe, SETTINGS)
taken = Begins(stored="results/space-invaders-original/torch", take=("conv",))

study = Study(
    question="Are the convolutions of one Atari game of use in another one?",
    arms=(
        Arm(ASSAULT, "fresh", assault, quick=QUICK),
        Arm(ASSAULT, "convolutions taken, fine-tuned", assault, quick=QUICK, begins=taken),
        Arm(ASSAULT, "convolutions taken and frozen", assault, {"freeze": ("conv",)}, QUICK, begins=taken),
    ),
    learned="Of no use that was seen here: fresh networks scored 384 and 379 after 40,000 steps, those trained on from Space Invaders' convolutions 318 and 280, the one that kept them "
    "frozen 295. One or two seeds are a first look, and 4,750 updates are few; but nothing speaks for taking them.",
    seeds=3,
    games=20,
    epsilon=0.05,
    window=20,
    goals={ASSAULT: Goal(222.0, 444.0)},
    reading="Mean raw reward. The steps are those of the run itself; the 1.56 million of Space Invaders are not among them.",
)
