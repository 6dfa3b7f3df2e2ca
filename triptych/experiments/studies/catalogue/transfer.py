"""What a trained network is worth to another one: reuse, growth, a teacher, distillation. (M18)

All with PPO on CartPole, so that a run takes seconds. Settings, steps and thresholds were written down before the first run;
none was chosen by these runs. The other physics was chosen among a dozen by what one trained policy scores there as it is: 138
of 500 with a pole four times as long, where most others cost it nothing. Twice the gravity, where it scores 500 as it is, was
added when the runs of the long pole were seen, so that a near task stands beside a far one.
"""

from typing import Any

from triptych.experiments.studies import Arm, Begins, Goal, Study
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.spec import Dense

CARTPOLE, LONG, HIDDEN, LONG_HIDDEN = (
    "CartPole", "a pole four times as long", "CartPole's positions", "positions, a pole four times as long",
)  # fmt: skip
HEAVY = "twice the gravity"
LARGER, STUDENTS = "CartPole, two layers of 64", "CartPole, smaller networks"
PHYSICS: dict[str, Any] = {"env.id": "triptych/CartPolePhysics-v0", "env.kwargs": '{"length": 2.0}'}
GRAVITY: dict[str, Any] = {"env.id": "triptych/CartPolePhysics-v0", "env.kwargs": '{"gravity": 19.6}'}
SAME: dict[str, Any] = {"evaluate_every": 0, "threads": 1}
QUICK = {"steps": 2_048}


def ppo(units: int, steps: int) -> Any:
    """cartpole-ppo with two layers of so many units."""
    body = (Dense(units, initialiser="orthogonal"), Dense(units, initialiser="orthogonal"))
    return override(load_recipe("cartpole-ppo"), SAME | {"network": body, "steps": steps})


def arm(task: str, label: str, recipe: Any, begins: Begins | None = None, **changes: Any) -> Arm:
    return Arm(task, label, recipe, changes, QUICK, begins=begins)


SOURCE, TEACHER, SMALL, REMEMBERS = (
    "the source",
    "the teacher, two layers of 256",
    "the small one, two layers of 16",
    "the source, an LSTM",
)
sources = (
    Arm(CARTPOLE, SOURCE, ppo(64, 50_000), quick={"steps": 4_096}),  # else the same as a fresh one of --quick
    arm(CARTPOLE, TEACHER, ppo(256, 50_000)),
    arm(CARTPOLE, SMALL, ppo(16, 20_000)),
    arm(HIDDEN, REMEMBERS, override(load_recipe("cartpole-positions-ppo"), SAME | {"steps": 60_000})),
)

long = override(ppo(64, 25_000), PHYSICS)


def from_source(**how: Any) -> Begins:
    return Begins(CARTPOLE, SOURCE, **how)


other_physics = (
    arm(LONG, "fresh", long),
    arm(LONG, "all weights, fine-tuned", long, from_source()),
    arm(LONG, "body taken, fresh head", long, from_source(take=("dense",))),
    arm(LONG, "body taken and frozen, fresh head", long, from_source(take=("dense",)), freeze=("dense",)),
    arm(LONG, "first layer taken and frozen", long, from_source(take=("dense_1",)), freeze=("dense_1",)),
)

heavy = override(ppo(64, 25_000), GRAVITY)
near = (
    arm(HEAVY, "fresh", heavy),
    arm(HEAVY, "all weights, fine-tuned", heavy, from_source()),
    arm(HEAVY, "body taken and frozen, fresh head", heavy, from_source(take=("dense",)), freeze=("dense",)),
)

long_hidden = override(
    load_recipe("cartpole-positions-ppo"), SAME | PHYSICS | {"env.observe": "positions", "steps": 40_000}
)
memories = (
    arm(LONG_HIDDEN, "fresh", long_hidden),
    arm(LONG_HIDDEN, "all weights, fine-tuned", long_hidden, Begins(HIDDEN, REMEMBERS)),
    arm(LONG_HIDDEN, "LSTM taken and frozen", long_hidden, Begins(HIDDEN, REMEMBERS, take=("lstm",)), freeze=("lstm",)),
)

GROWTH: dict[str, Any] = {"by": "grown", "wider": {"dense_1": 64, "dense_2": 64}, "noise": 0.1}
TAUGHT: dict[str, Any] = {"by": "taught", "settings": {"teacher_until": 10_000}}
larger = (
    arm(LARGER, "fresh", ppo(64, 20_000)),
    arm(LARGER, "grown from 16", ppo(64, 20_000), Begins(CARTPOLE, SMALL, **GROWTH)),
    arm(LARGER, "with the small one as teacher", ppo(64, 20_000), Begins(CARTPOLE, SMALL, **TAUGHT)),
)

SIZES = {"25 %": 126, "7 %": 65, "4 %": 48}  # of the teacher's 67,843 numbers: units of both layers
students = (
    *(
        arm(STUDENTS, f"{share}, distilled", ppo(units, 25_000), Begins(CARTPOLE, TEACHER, by="distilled", share=0.0))
        for share, units in SIZES.items()
    ),
    *(arm(STUDENTS, f"{share}, fresh", ppo(units, 25_000)) for share, units in SIZES.items()),
)

study = Study(
    question="What is a trained network worth to another one?",
    learned="Where the source's policy plays well in the new task as it is, its weights save most of the training; where it plays worse than chance they gain nothing that five seeds could show, and "
    "freezing them holds the run down. Students of 25, 7 and 4 % of the teacher's size all play as well as the teacher; the same networks, from rewards in as many steps, came to 399 to 483 of 500.",
    arms=(*sources, *other_physics, *near, *larger, *students, *memories),
    window=20,
    goals={
        CARTPOLE: Goal(22.0, 400.0),
        LONG: Goal(50.0, 400.0),
        HEAVY: Goal(20.0, 400.0),
        LARGER: Goal(22.0, 400.0),
        STUDENTS: Goal(22.0, 400.0),
        HIDDEN: Goal(22.0, 400.0),
        LONG_HIDDEN: Goal(50.0, 400.0),
    },
    reading="Mean reward, 500 at most. Each run begins with the run of the same seed that its label names. Steps are those of the run itself: what came before "
    "is not among them (50,000 of the source and the teacher, 20,000 of the small network, 60,000 of the LSTM). Drawn from the policy, in training and in tests. "
    "Distilled students learn from the teacher alone and play themselves, as PPO must learn from its own play.",
    choice="Play the old run in the new task first, without training: its score says what its weights are worth. Far above chance: take all weights and train on. At chance or below: begin fresh; take no more than the "
    "first layer, and freeze nothing behind it. For a smaller network of the same game, distil: it is surer and quicker than learning from rewards, once there is a good teacher. "
    "For a larger one, grow: it gets more reward on the way, but ends no higher here than a fresh one. Do not let a run be taught by one that plays badly.",
)
