"""What may be wrong with people's own code. Signals that a run has too stand where the run's are judged."""

from __future__ import annotations

from dataclasses import replace

from triptych.checkup.audit.signals import stop
from triptych.checkup.findings import Signal

LOOK_AT = {  # where, in code of one's own, what else names settings and parts of a recipe
    "the loop": "train: what it stores of a step, and what it hands to learn",
    "the replay": "observe and sample",
}


def in_own(signal: Signal, where: str) -> Signal:
    """A signal that a run has too, in the words of code of one's own."""
    title, *causes = (
        text.replace("the recipe makes", "the settings make").replace("the recipe's", "the settings'")
        for text in (signal.title, *signal.causes)
    )
    return replace(signal, title=title, causes=tuple(causes), look=LOOK_AT[where])


HEAD = "the network's last layer: it must have no activation"
NOT_NEGATIVE = stop(
    "own-head-relu", "the network says no negative value of any input", "a ReLU on the output layer", look=HEAD
)
SUMS_TO_ONE = stop("own-head-softmax", "the values of each input sum to 1", "a softmax on the output layer", look=HEAD)
BOUNDED = stop(
    "own-head-bounded", "no value leaves -1 to 1, however large the input", "a tanh on the output layer", look=HEAD
)
NOT_FINITE = stop(
    "own-values-not-finite", "the network gives NaN or infinity", "a division or logarithm in it", look="the network"
)
IGNORES = stop(
    "own-values-constant",
    "the network says the same of every input",
    "outputs that do not depend on the observation: dead units, or an input that is cut off",
    "pixels divided by 255 twice, so that all look alike",
    look="what is done to an observation before the first layer",
)
BATCH = stop(
    "own-values-of-the-batch",
    "what the network says of an input depends on the others in its batch",
    "a mean over the batch instead of the actions (dueling)",
    "batch normalisation or dropout in training mode",
    look="the network's head and its mode",
)
NOT_COPIED = stop(
    "own-target-apart",
    "the target network is not the online one at the start",
    "a target that is never initialised from the online network",
    look="where the target network is made",
)
ONLINE = stop(
    "own-target-moves",
    "the target network changes with every update",
    "the target is the online network itself, not a copy",
    "a copy at every update",
    look="where the target network is made and copied",
)
NEVER = stop(
    "own-target-never",
    "the loop never copies the target network",
    "a call of sync_target that is missing, or stands behind a condition that is never true",
    "a copy of other weights, or to another object than target_values asks",
    look="train: where the target is copied",
)
COPIES = Signal(
    "own-target-copies", "warn", "the loop copies the target network more often, or more seldom, than the settings say",
    ("a count of updates, episodes or frames in place of steps", "the setting target_every is not the code's"),
    "train: where the target is copied; the setting target_every",
)  # fmt: skip
NOT_SYNCED = stop(
    "own-target-not-copied",
    "a copy does not make the target the online network",
    "weights that are copied the other way round, or to another object",
    look="sync_target",
)
STILL = stop(
    "own-weights-still",
    "updates leave weights as they are",
    "an optimiser that has no parameters of this network, or other ones",
    "a gradient that is cut (detach, stop_gradient, a conversion to NumPy)",
    look="what the optimiser is given, and learn",
)
LOSS = stop(
    "own-loss",
    "the loss of a batch is not the one of its TD errors",
    "errors [B] and values [B, 1], which broadcast to [B, B]",
    "no mask where an episode ended; another gamma, or another loss than the settings say",
    look="learn: target, mask, reduction",
)
PROBABILITIES = stop(
    "own-policy-softmax", "what the policy says of each input sums to 1: probabilities where logits are asked for",
    "a softmax in the network, and another one in the loss", look="policy, and what the loss makes of it",
)  # fmt: skip
POLICY_LOSS = stop(
    "own-policy-loss",
    "the loss of a batch is not that of policy, value and entropy",
    "a sign; a term that is left out or weighed otherwise than the settings say",
    "returns [B] against values [B, 1], which broadcast to [B, B]",
    look="learn: its terms and their weights",
)
ADVANTAGES = stop(
    "own-advantages",
    "advantages are not those of the rollout",
    "episodes that are crossed; a cut taken for an end, or an end for a cut",
    "gamma or lambda that is not the settings'",
    look="advantages: where it stops, and what it bootstraps from",
)
UPDATE = stop(
    "own-update",
    "an update moves the weights otherwise than the same update in NumPy",
    "a gradient that also flows through the target",
    "a mask, a sign or a target that is wrong",
    "another optimiser, learning rate or limit on the gradient than the settings say",
    look="learn: what is differentiated, and the optimiser",
)
NETWORK = Signal("own-network", "note", "what the network is", (), "the network's layers")
UNKNOWN = Signal(
    "own-network-unknown", "note", "the network's layers are not known to NumPy", (), "the network's layers"
)
PADDING = stop(
    "own-padding",
    "convolutions pad otherwise than the settings say, so that it is another network",
    "a framework's default: Flax pads same, PyTorch and Keras valid",
    look="the convolutions' padding",
)
PIXELS = stop(
    "own-pixels",
    "pixels do not reach the network as numbers from 0 to 1",
    "a division by 255 in the environment or the replay, and another one in the network",
    "bytes that are only made floats",
    look="what is done to an observation before the first layer",
)
EPSILON = stop("own-epsilon", "epsilon is no share of actions", "a schedule that goes on below 0", look="epsilon")
STATE_KEPT = stop(
    "own-state-kept",
    "an episode begins with what the memory holds of another one",
    "a state that is not zeroed where an episode begins, or only for the step after it",
    "a state that is kept in the object, beside the one that is handed over",
    look="step: where reset is used; initial_state",
)
STATE_IGNORED = stop(
    "own-state-ignored",
    "what came before an observation changes nothing",
    "a state that is zeroed at every step, or handed out as it came in",
    "an output that is not the memory's",
    look="step: the state that goes in, and the one that comes out",
)
STATE_SHARED = stop(
    "own-state-shared",
    "games that are played side by side share a memory",
    "games taken for steps of one sequence: an axis too few, or batch_first",
    "a reset that empties the memory of all games; a reshape that mixes them",
    look="step: the axes of what the memory is given, and of reset",
)
PIECES_LOSS = stop(
    "own-sequence-loss",
    "the loss of a batch of sequences is not the one of its TD errors",
    "steps behind an episode's end, or of the burn-in, that count",
    "a memory that begins otherwise than acting has it, or is not carried from step to step",
    "no mask where an episode ended; another gamma, or another loss than the settings say",
    look="learn: the state that it begins with, the mask, the target",
)
BURNED = stop(
    "own-burn-in-gradient",
    "a gradient passes through steps that only bring the memory up to date",
    "a state that is not cut off behind the burn-in: detach, no_grad, stop_gradient",
    look="learn: the state between the burn-in and the steps behind it",
)
DRAWS = stop(
    "own-replay-draws",
    "the replay does not draw from all the steps that it holds",
    "a draw without randomness, or from the newest or the oldest steps alone",
    "an index that stays at a write head",
    "a replay that keeps fewer steps than the setting replay_size says",
    look="sample",
)
NOT_FULL = Signal("own-replay-not-full", "note", "the replay was not looked at when full", (), "replay_size")
UNLEARNED = stop(
    "own-no-updates",
    "the loop never learns",
    "a condition before the update that is never true",
    "a batch that is larger than what the replay ever holds",
    "a warm-up that is longer than the setting warm_up says",
    look="train: what stands before its call of learn",
)
UNHEARD = Signal(
    "own-learn-unheard", "note", "the loop's updates were not heard", (), "train and learn; the setting warm_up"
)
MEANT = Signal("own-method-meant", "note", "a method's name is near one that is asked", (), "the method's name")
UNCUT = Signal("own-loop-uncut", "note", "no episode of the loop was cut", (), "train")
RESTARTS = Signal(
    "own-env-seed", "warn", "a reset with the same seed begins otherwise",
    ("randomness that does not come from the environment's own generator",), "reset(seed=...)",
)  # fmt: skip
FLAT = Signal(
    "own-env-constant", "stop", "every observation is the same",
    ("a picture that stays black; a state that is not handed out",), "what step and reset return",
)  # fmt: skip
UNSCALED = Signal(
    "own-env-unscaled", "warn", "observations are far from the range that a network learns from",
    ("numbers that are not scaled",), "the observation's numbers: divide them, or normalise",
)  # fmt: skip
ENDLESS = Signal(
    "own-env-endless", "warn", "no episode ends under random play",
    ("an end that is never reached, and no time limit",), "terminated and truncated; gymnasium's TimeLimit",
)  # fmt: skip
REWARDLESS = Signal(
    "own-env-reward", "warn", "random play meets no reward",
    ("a reward that is always 0",), "the reward that step returns",
)  # fmt: skip
