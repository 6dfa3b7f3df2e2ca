"""DRQN against A3C, with A2C beside it: the same network, the same number of steps, single pictures. (M10)

The Atari game was drawn among those that one picture cannot tell, by a rule and a seed that were written down before
(benchmarks/one_frame.py; what was found lies in results/studies/drqn-vs-a3c/games.md). Thresholds were named before the first
run: twice what chance scores on Atari, the 195 of CartPole's first version, 19 answers of 20 on the chain. No setting was
chosen by these runs: they are those of the recipes named below, with the small changes that a line here says.

Budgets: 300,000 steps on Atari, since three variants of three seeds then take about an hour of two cores; 100,000 on
CartPole's positions, as `drqn-cartpole` has; 150,000 on the chain, where DRQN needs a fifth of them and A2C most.
"""

import dataclasses
from typing import Any

from triptych.algorithms import Config, a2c, a3c
from triptych.envs import EnvConfig
from triptych.experiments.studies import Arm, Goal, Study
from triptych.recipes import Recipe
from triptych.recipes.catalogue import drqn_cartpole, drqn_lstm_tuned, memory_chain
from triptych.recipes.override import override
from triptych.spec import LSTM, Adam, Conv, Dense, Flatten, Optimiser, RMSprop

GAME, POSITIONS, CHAIN = "Ms. Pac-Man", "CartPole's positions", "memory chain 20"

# DRQN's settings on each task: those of drqn-lstm-tuned, drqn-cartpole and memory-chain.
ATARI = override(
    dataclasses.replace(
        drqn_lstm_tuned.recipe,
        env=EnvConfig("MsPacmanNoFrameskip-v4", frame_skip=4, size=42, stack=1, sticky=0.0),
        network=(Conv(32, 4, 2), Conv(64, 4, 2), Conv(64, 3, 2), Flatten(), LSTM(256)),  # small pictures, small kernels
    ),
    {"steps": 300_000},
)
DRQN: dict[str, Recipe] = {
    GAME: ATARI,
    POSITIONS: override(drqn_cartpole.recipe, {"steps": 100_000}),
    CHAIN: override(memory_chain.recipe, {"env.length": 20, "algorithm.sequence_length": 21, "steps": 150_000}),
}

# The actor-critics' on each task, games at once among them: those of kung-fu-master-a3c with the sign of a reward, as DRQN
# learns from it; of cartpole-a2c; of memory-chain-a2c with half its games and a rollout of two whole episodes.
Settings = tuple[a2c.Config, Optimiser, int]
ACTOR_CRITIC: dict[str, Settings] = {
    GAME: (
        a2c.Config(rollout_steps=20, gamma=0.99, entropy_weight=0.01, reward="sign"),
        RMSprop(learning_rate=7e-4, final_rate=0.0, decay=0.99, epsilon=1e-5, max_norm=0.5),
        16,
    ),
    POSITIONS: (
        a2c.Config(rollout_steps=16, gamma=0.98, gae_lambda=0.95, entropy_weight=0.0, reward_scale=0.05),
        Adam(learning_rate=3e-3, final_rate=0.0, epsilon=1e-5, max_norm=0.5),
        8,
    ),
    CHAIN: (
        a2c.Config(rollout_steps=44, gamma=0.99, entropy_weight=0.0, normalise_advantages=True),
        Adam(learning_rate=2e-3, final_rate=0.0, epsilon=1e-5, max_norm=0.5),
        16,
    ),
}


def actor_critic(task: str, algorithm: Config, num_envs: int) -> Recipe:
    """DRQN's game, layers and steps with an actor-critic's settings; its layers begin orthogonal, which changes no size."""
    base, (_, optimiser, _) = DRQN[task], ACTOR_CRITIC[task]
    body = tuple(
        dataclasses.replace(layer, initialiser="orthogonal") if isinstance(layer, Conv | Dense) else layer
        for layer in base.network
    )
    return dataclasses.replace(base, network=body, algorithm=algorithm, optimiser=optimiser, num_envs=num_envs)


def arms_of(task: str) -> list[Arm]:
    """DRQN, A3C and A2C. A3C shares A2C's games out among its workers, so that each of its updates is of fewer steps."""
    algorithm, _, games = ACTOR_CRITIC[task]
    workers = a3c.Config(**dataclasses.asdict(algorithm), workers=WORKERS)
    recipes = {
        "DRQN": DRQN[task],
        "A3C": actor_critic(task, workers, games // WORKERS),
        "A2C": actor_critic(task, algorithm, games),
    }
    same: dict[str, Any] = {"best_window": WINDOW, "evaluate_every": 0, "threads": 1}
    quick = {"steps": 1_024 if task == GAME else 3_000}
    return [
        Arm(task, label, recipe, same, quick | ({"warm_up": 200} if label == "DRQN" else {}), SEEDS.get(task))
        for label, recipe in recipes.items()
    ]


WORKERS = (
    4  # of A3C, in turn in one process (the same numbers every time): a gradient is 3 updates old when it is applied
)
SEEDS = {GAME: 3}  # where a run takes a core's quarter of an hour
WINDOW = 50  # episodes: a mean of fewer is luck on Atari, one of more lags behind

study = Study(
    question="DRQN or A3C, where one picture does not tell?",
    learned="From the same steps DRQN came further on the chain and in Ms. Pac-Man (where three seeds cannot rule out chance: p = 0.08 against A2C), an actor-critic in a third to a ninth of its time. "
    "A3C in one process cannot be told from A2C by its scores, and took two to four times as long.",
    arms=tuple(arm for task in (GAME, POSITIONS, CHAIN) for arm in arms_of(task)),
    seeds=5,
    window=WINDOW,
    goals={GAME: Goal(187.0, 374.0), POSITIONS: Goal(22.6, 195.0), CHAIN: Goal(0.0, 0.9)},
    films=(GAME,),
    reading="All variants of a task have the same layers, see one picture or one set of numbers at a time, and take as many steps; they differ in size by their heads alone. "
    "The game was drawn by a rule among games that one picture does not tell; it was the only one of sixteen that passed all of the rule. "
    "A3C's four workers take turns in one process, so its seconds are those of one core and not of workers side by side. "
    "DRQN plays greedily in the test, the actor-critics draw from their policy.",
    choice="Where steps are dear, as with a slow game or a real machine, take DRQN: it learns from each step several times, and on the chain and in Ms. Pac-Man "
    "it came further with the same steps. Where the clock counts and the game is quick, take an actor-critic: a run of A2C took a third to a ninth of DRQN's time, "
    "so it could have had several times as many steps. A3C in one process is A2C with smaller, older updates: its scores cannot be told from A2C's here, "
    "but it costs two to four times A2C's time; it pays once its workers have machines of their own. With few seeds look at the lowest one: "
    "on the positions one DRQN of five and two A2C of five stayed far below the others.",
)
