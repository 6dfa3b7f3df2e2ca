"""Does soft attention over the convolution's map help an LSTM? On Seaquest, where it did, and Breakout, where it did not. (M11)"""

from triptych.experiments.studies import Arm, Study

GAMES = {"Seaquest": "SeaquestNoFrameskip-v4", "Breakout": "BreakoutNoFrameskip-v4"}
RECIPES = {"lstm": "drqn-lstm-tuned", "visual attention": "darqn"}

study = Study(
    question="Does an LSTM that weighs the places of the picture play better than one that sees all of it at once?",
    learned="In a hundredth of the published steps visual attention does not win on Seaquest, where it did as published; on Breakout both have barely begun. One run each, so no more than a first look.",
    arms=tuple(
        Arm(
            game,
            label,
            recipe,
            {"env.id": env, "steps": 100_000, "evaluate_every": 0, "threads": 1},
            {"steps": 1_500, "warm_up": 300},
        )
        for game, env in GAMES.items()
        for label, recipe in RECIPES.items()
    ),
    seeds=1,  # a run takes most of an hour
    games=30,
    epsilon=0.05,  # a greedy policy may wait in Breakout for ever, and repeats itself in both
    reading="Sorokin et al. (2015) found 7,263 with soft attention on Seaquest, where DQN had 1,284, with 100 times these steps; and less than DQN on Breakout.",
)
