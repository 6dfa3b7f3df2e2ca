"""Why do some games lose with memory? Two that lost as published and two that won, and what may be behind it. (M16)

Two suspects: an LSTM stands between the picture and the heads, so a policy that needs only what it sees must learn
through its gates (then a skip beside it helps); and gradients through 32 steps are noisier (then 8 steps help).
"""

from typing import Any

from triptych.studies import Arm, Study
from triptych.studies.atari57 import env_id
from triptych.studies.published import FEED_FORWARD, LSTM

GAMES = ("riverraid", "seaquest", "kung_fu_master", "road_runner")
ARMS: dict[str, tuple[str, dict[str, Any]]] = {
    FEED_FORWARD: ("kung-fu-master-ff", {}),
    LSTM: ("kung-fu-master", {"network.5.skip": False}),
    "LSTM, skip": ("kung-fu-master", {}),
    "LSTM, unroll 8": ("kung-fu-master", {"network.5.skip": False, "algorithm.rollout_steps": 8, "num_envs": 128}),
    "LSTM, 1 frame": ("kung-fu-master", {"network.5.skip": False, "env.stack": 1}),
}

study = Study(
    question="Where memory loses: is it the way through the LSTM's gates, or the length of its gradients?",
    arms=tuple(
        Arm(game, label, recipe, {"env.id": env_id(game), "steps": 400_000, **changes}, {"steps": 4_096})
        for game in GAMES
        for label, (recipe, changes) in ARMS.items()
    ),
    seeds=2,  # a run takes ten minutes of two cores
    games=30,
    reading="Published (A3C, hundreds of millions of frames): memory lost on River Raid and Seaquest, won on Kung-Fu Master and Road Runner. "
    "All arms see as many steps an update; a stack of 4 frames unless the arm says otherwise.",
)
