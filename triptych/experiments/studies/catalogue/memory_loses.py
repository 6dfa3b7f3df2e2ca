"""Why do some games lose with memory? Two that lost as published and two that won, and what may be behind it. (M16)

Two suspects: an LSTM stands between the picture and the heads, so a policy that needs only what it sees must learn
through its gates (then a skip beside it helps); and rollouts of 32 games by 32 steps are less mixed, with gradients that
reach farther, than those of 128 games by 8 steps (then these help more with an LSTM than without).
"""

from typing import Any

from triptych.experiments.studies import Study
from triptych.experiments.studies.catalogue.atari57 import RECIPES, arm

GAMES = ("riverraid", "seaquest", "kung_fu_master", "road_runner")
WIDE: dict[str, Any] = {"num_envs": 128, "algorithm.rollout_steps": 8}
ARMS: dict[str, tuple[str, dict[str, Any]]] = {
    **RECIPES,
    "LSTM, skip": ("kung-fu-master", {}),
    "feed-forward, 128 games x 8 steps": ("kung-fu-master-ff", WIDE),
    "LSTM, 128 games x 8 steps": ("kung-fu-master", {"network.lstm_1.skip": False, **WIDE}),
    "LSTM, 1 frame": ("kung-fu-master", {"network.lstm_1.skip": False, "env.stack": 1}),
}

study = Study(
    question="Where memory loses: is it the way through the LSTM's gates, or the form of the rollouts?",
    learned="Neither suspect holds on all four games: a skip beside the LSTM helps on Kung-Fu Master in both seeds, elsewhere in one or none. Two runs each, of games that have barely begun, decide no more than that.",
    arms=tuple(
        arm(game, label, recipe, 200_000, changes) for game in GAMES for label, (recipe, changes) in ARMS.items()
    ),
    seeds=2,  # a run takes ten minutes of a core; the first two variants are those of `atari57 --steps 200000`
    games=30,
    reading="Published (A3C, hundreds of millions of frames): memory lost on River Raid and Seaquest, won on Kung-Fu Master and Road Runner. "
    "All variants see as many steps an update, from 32 games by 32 steps and stacks of 4 frames unless the variant says otherwise. "
    "The networks differ in size: see the parameters. More games by fewer steps change three things at once: how mixed a minibatch is, how far gradients reach, how far advantages look.",
)
