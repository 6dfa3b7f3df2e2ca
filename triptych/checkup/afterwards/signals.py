"""What can be wrong in a log."""

from __future__ import annotations

from triptych.checkup.findings import Signal

NO_UPDATES = Signal(
    "log-no-updates", "stop", "the run was never updated",
    ("a warm-up or a batch larger than the run", "an update that is never reached"), "algorithm.warm_up, learn_from; the log's column updates",
)  # fmt: skip
NO_UPDATES_YET = Signal(
    "log-no-updates-yet", "warn", "no row counts an update", ("a warm-up that is not over yet", "an update that is never reached"),
    "the warm-up's steps; the log's column updates",
)  # fmt: skip
LOSS_ENDS = Signal(
    "log-loss-ends", "stop", "the loss is no number any more",
    ("a learning rate that is too high", "a logarithm, root or division of 0"), "the first row without a loss",
)  # fmt: skip
LOSS_GROWS = Signal(
    "log-loss-grows", "warn", "the loss grows without bound",
    ("targets that run away: the target network, the discount at ends", "rewards that are not scaled"), "the target network, gamma, the rewards' size",
)  # fmt: skip
LOSS_STILL = Signal(
    "log-loss-constant", "warn", "the loss does not change",
    ("weights that no optimiser moves", "a value that is logged once and repeated"), "the optimiser's parameters; what is logged as the loss",
)  # fmt: skip
GRADIENT_GROWS = Signal(
    "log-gradient-grows", "warn", "the gradient's norm explodes",
    ("no limit on the norm", "a learning rate that is too high"), "optimiser.max_norm, learning_rate",
)  # fmt: skip
GRADIENT_ZERO = Signal(
    "log-gradient-zero", "stop", "the gradient is 0", ("units that are all dead", "a loss cut off from the network"),
    "activations, stop_gradient and detach",
)  # fmt: skip
FLAT = Signal(
    "log-reward-flat", "warn", "the reward never leaves where it began",
    ("nothing is learned: targets, gradient or exploration are wrong", "a run that is too short", "an agent that was good before its first row"),
    "the other alarms; the test games",
)  # fmt: skip
CEILING = Signal("log-at-ceiling", "note", "the reward is at its highest from the first row on", (), "the test games")
COLLAPSE = Signal(
    "log-reward-collapses", "warn", "the reward falls back after its peak",
    ("a learning rate that stays high", "a replay that forgets the early games", "values that run away"), "learning rate, replay_size, target_every",
)  # fmt: skip
EPSILON_RISES = Signal(
    "log-epsilon-rises", "warn", "epsilon rises within the run",
    ("a resume that begins the schedule anew", "a schedule counted by episode"), "where epsilon's step is counted, and kept by a resume",
)  # fmt: skip
EPSILON_STAYS = Signal(
    "log-epsilon-stays", "warn", "epsilon never falls", ("a schedule that is never called, or longer than the run",), "epsilon's schedule"
)  # fmt: skip
BACK = Signal(
    "log-counter-back", "warn", "a counter goes back",
    ("a resume from an older checkpoint that kept the rows behind it", "two runs in one file"), "the row that it names",
)  # fmt: skip
SLOWS = Signal(
    "log-slows", "warn", "the run slows down",
    ("memory that grows: lists that are never emptied, a graph that is kept", "another program beside it"), "memory over time; steps per second",
)  # fmt: skip
SURE_TOO_SOON = Signal(
    "log-entropy-collapse", "warn", "the policy is sure of itself without having learned anything",
    ("no entropy bonus", "advantages of one sign, or not normalised"), "algorithm.entropy_weight, normalise_advantages",
)  # fmt: skip
KL_JUMPS = Signal(
    "log-kl-jumps", "warn", "an update moves the policy too far",
    ("too many passes over a rollout", "a learning rate that is too high", "old log probabilities that are not those of acting"),
    "algorithm.epochs, clip, learning rate",
)  # fmt: skip
ONE_LENGTH = Signal(
    "log-one-length", "note", "all episodes are of one length", (), "a time limit, or a game that has one length"
)
CONTRADICTS = Signal(
    "log-score-contradicts", "warn", "the test games say otherwise than the curve",
    ("weights of another step, or of another network", "test games with other settings or another scale of observations"),
    "which weights are tested, and how their games are made",
)  # fmt: skip
