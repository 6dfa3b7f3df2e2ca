"""Squared, Huber or absolute error? (M14)"""

from typing import Any

from triptych.experiments.studies import Arm, Study
from triptych.experiments.studies.tasks import arm

LOSSES = ("huber", "squared", "absolute")
feed_forward: dict[str, tuple[str, dict[str, Any]]] = {
    "CartPole": ("cartpole", {"evaluate_every": 0, "steps": 30_000}),
    "Catch": ("cartpole", {"env.id": "triptych/Catch-v0", "steps": 20_000, "algorithm.epsilon_steps": 6_000, "algorithm.delta": 1.0, "evaluate_every": 0}),
}  # fmt: skip

# Twice the weight for Huber's half of a square: else its variant would be the squared one with half the weight.
VALUES: dict[str, dict[str, Any]] = {
    "huber": {"algorithm.loss": "huber", "algorithm.value_weight": 1.0},
    "squared": {"algorithm.loss": "squared"},
    "absolute": {"algorithm.loss": "absolute"},
}
POLICIES = {"CartPole, PPO": "cartpole-ppo", "CartPole, A2C": "cartpole-a2c"}

study = Study(
    question="Does the loss of the TD error, or of an actor-critic's value, matter: squared, Huber or absolute?",
    learned="Squared and Huber's error cannot be told apart with five seeds. For Q-learning the absolute error is clearly worse on the positions; for an actor-critic's value the form of the error makes no difference that five seeds could show.",
    arms=(
        *(
            Arm(task, loss, recipe, {**given, "algorithm.loss": loss})
            for task, (recipe, given) in feed_forward.items()
            for loss in LOSSES
        ),
        *(arm("positions", loss, **{"algorithm.loss": loss}) for loss in LOSSES),
        *(
            Arm(task, loss, recipe, {"evaluate_every": 0, **changes}, {"steps": 3_000})
            for task, recipe in POLICIES.items()
            for loss, changes in VALUES.items()
        ),
        *(arm("positions, PPO", loss, **changes) for loss, changes in VALUES.items()),
    ),
    reading="Q-learning: the gradient's norm is clipped at 10, and the rate is the one chosen for Huber's loss. "
    "Actor-critics: the norm is clipped at 0.5, the rate is the one chosen for the squared loss, and Huber's is the squared one but for errors above 1, which are rare.",
)
