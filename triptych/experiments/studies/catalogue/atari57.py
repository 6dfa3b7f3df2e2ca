"""Feed-forward against LSTM on 57 Atari games: the published scores, and runs of one's own laid over them. (M16)"""

from typing import Any

from triptych.experiments.studies import Arm, Study
from triptych.experiments.studies.published import FEED_FORWARD, LSTM, load

RECIPES: dict[str, tuple[str, dict[str, Any]]] = {
    FEED_FORWARD: ("kung-fu-master-ff", {}),
    LSTM: ("kung-fu-master", {"network.lstm_1.skip": False}),  # all goes through the LSTM, as in what was published
}
games = load()


def env_id(game: str) -> str:
    """The id without frame skip and sticky actions; Surround has none."""
    name = "".join(word.capitalize() for word in game.split("_"))
    return "ALE/Surround-v5" if game == "surround" else f"{name}NoFrameskip-v4"


def arm(game: str, label: str, recipe: str, steps: int, changes: dict[str, Any]) -> Arm:
    """A game of any study with these settings: where two studies ask for the same, the run is made once.

    Few games end in a short run, so twenty of them decide which weights are the best.
    """
    same = {"env.id": env_id(game), "env.sticky": 0.0, "threads": 1, "best_window": 20}
    return Arm(game, label, recipe, {**same, "steps": steps, **changes}, {"steps": 4_096})


study = Study(
    question="Does an LSTM help a policy on 57 Atari games?",
    arms=tuple(
        arm(game.game, label, recipe, 500_000, changes)
        for game in games
        for label, (recipe, changes) in RECIPES.items()
    ),
    seeds=1,  # a run takes twenty minutes of a core or more
    games=30,
    published=games,
    reading="Own runs: recurrent PPO (kung-fu-master without the skip beside its LSTM) against the same with a dense layer in place of the LSTM, both with a stack of 4 frames, drawing from the policy. "
    "Published: A3C after hundreds of millions of frames, from games begun at human starts; random play and the human tester from games begun with idle frames.",
)
