"""Which alarms name which mistake: how the scoreboard reads them. The signals know nothing of it."""

from __future__ import annotations

from typing import Any

from triptych.checkup.faults import Fault

# Alarms of recipes that repeat somebody's original settings, which are as odd as the alarm says.
EXPECTED: dict[str, tuple[str, ...]] = {
    "breakout": ("epsilon-floor-early",),  # epsilon is 0.017 already when its learning begins: results/breakout/
}  # by recipe

FED = ("fed-unseen", "fed-unacted", "fed-action", "fed-reward", "fed-discount", "fed-next-observation", "fed-sequence")
EPSILON = ("random-share", "epsilon-floor-early", "epsilon-rises", "epsilon-stays-high", "epsilon-schedule")
STILL = ("weights-still", "layer-still", "gradient-zero", "learning-rate", "tensors-still")
HEAD = ("values-never-negative", "values-squashed", "values-sum-to-one", "head-not-linear")
RUNAWAY = ("values-over-bound", "not-finite", "gradient-explodes", "units-dead")
COLLAPSE = ("entropy-collapse", "kl-jump", "action-collapse", "policy-not-followed")
MEMORY = ("acted-state", "fed-state", "memory-always-reset", "memory-lost", "memory-not-reset", "memory-reset-ignored")
TD = ("td-error-wrong", "loss-wrong", "loss-differs", "gradient-differs")
WEIGHTS = ("fed-weight", "importance-weights-one", "beta-schedule", "priorities-unrelated")

# By the row of the list of mistakes; a fault that has an entry of its own is named by that as well.
NAMED: dict[str, tuple[str, ...]] = {
    "height and width swapped": ("picture-turned",),
    "replay never trains": ("no-updates", "never-trains", "updates-pace"),
    "updates somewhat rarer or more frequent than the settings say": ("updates-pace", "minibatches-uneven"),
    "batches, means or test games counted wrong": (
        "batch-size",
        "running-reward",
        "tests-pace",
        "updates-pace",
        "ends-early",
    ),
    "the first weights not those of the layers": ("first-weights",),
    "weights do not move": STILL,
    "target never initialised": ("target-not-initialised", "target-not-online"),
    "target is the online network, or is never or always copied": (
        "target-is-online",
        "target-never-copied",
        "target-copied-too-often",
        "target-copy-wrong",
        "target-moves",
        "target-shared",
        "target-copy-lost",
        "target-not-copied",
    ),
    "ReLU, softmax or tanh on the head": HEAD,
    "epsilon wrong": EPSILON,
    "evaluation explores, or training is greedy": ("evaluation-explores", "random-share", "policy-not-followed"),
    "truncation taken for termination; next observation from the next episode": (
        "fed-discount",
        "fed-next-observation",
        "fed-unseen",
        "fed-advantage",
    ),
    "frame stack crosses an episode; replay wraps at the write head": FED,
    "pixels not scaled, or twice; acting and learning scale differently": (
        "acts-otherwise",
        "paths-differ",
        "outputs-differ",
    ),
    "slow conversion": ("conversion-slow",),
    "constant or black observation": ("observation-constant",),
    "reward always 0, or one value": ("reward-zero", "reward-constant", "learned-reward-constant"),
    "no better than random": ("no-better-than-random",),
    "an episode never ends": ("episodes-never-end",),
    "action or entropy collapse; KL jump": COLLAPSE,
    "Q over its bound": ("values-over-bound", "not-finite", "gradient-explodes"),
    "not a number, exploding gradient": ("not-finite", "gradient-explodes"),
    "dead or dormant units": ("units-dead", "layer-still", "gradient-zero"),
    "recurrent state wrong": (*MEMORY, "state-not-reset", "state-ignored", "games-leak"),
    "always-the-same-action": ("chance-uneven",),
    "gradient-through-the-burn-in": ("gradient-differs",),
    "other padding": ("outputs-differ", "weights-differ"),
    "gradients-clipped-one-by-one": ("step-wrong",),
    "adam-epsilon-elsewhere": ("step-wrong",),
    "flatten-in-another-order": ("outputs-differ",),
    "priorities constant, importance weights 1": WEIGHTS,
    "priorities never handed over; beta left at its start": WEIGHTS,
    "parallel games identical": ("games-identical", "games-share-a-seed"),
    "resume not exact": ("resume-differs", "random-share"),
    "reward handed to the store one step off": ("fed-reward", "fed-advantage"),
    "actions permuted between acting and learning": (
        "fed-action",
        "fed-log-prob",
        "fed-advantage",
        "largest-avoided",
        "actions-not-chosen",
        "policy-not-followed",
    ),
    "states permuted across games, late, or a start not told": (*MEMORY, "fed-sequence"),
    "a restart counted as an action; a lost life not handed over": (
        "fed-unacted",
        "fed-reward",
        "fed-advantage",
        "episode-scores",
    ),
    "what is learned from is not what the recipe says": (
        "fed-reward",
        "fed-discount",
        "fed-next-observation",
        "fed-state",
        "fed-advantage",
    ),
    "n-step returns wrong": ("fed-reward", "fed-discount", "fed-advantage"),
    "other weights kept as best": ("best-weights-wrong",),
    "evaluation plays in the training games": ("games-step-alone", "steps-nobody-took"),
    "learning during evaluation": ("weights-moved-alone", "updates-uncounted"),
    "the worst action taken": (
        "largest-avoided",
        "actions-not-chosen",
    ),
    "acting with the target": ("acts-otherwise", "paths-differ"),
    "final observation black": ("final-observation-blank",),
    "weights change during a rollout; updates lost between workers": (
        "weights-moved-alone",
        "rollout-of-another-policy",
        "fed-log-prob",
        "acts-on-old-weights",
    ),
    "TD target wrong": TD,
    "double Q-learning with one network": TD,
    "[B] against [B, 1] in the loss": TD,
    "dueling mean over the batch": ("acts-otherwise", "paths-differ", "outputs-differ", "games-leak"),
    "entropy or value term not in the gradient": (
        "layer-still",
        "gradient-differs",
        "coefficient-ignored",
    ),
    "a gradient where none belongs": TD,
    "discount-above-one": TD,
    "huber-turns-early": ("loss-wrong",),
    "importance-weights-left-out": ("loss-wrong", "loss-differs"),
    "entropy-punished": ("loss-wrong",),
    "entropy-punished-in-ppo": ("loss-wrong",),
    "a reset ignores its seed": ("seed-ignored",),
    "seeds shared by neighbouring runs": ("seeds-shared",),
    "samples drawn from a part of the replay": ("samples-uneven", "samples-repeat", "steps-not-stored"),
    "a rollout's steps learned from unevenly": ("minibatches-uneven",),
    "a coefficient's schedule not followed": ("coefficient-schedule",),
    "new-steps-enter-without-a-priority": ("samples-uneven",),
    "chance that is not drawn for each game and action": ("games-explore-together", "chance-uneven", "random-share"),
    "acting on another observation": ("acted-unseen",),
    "another game than the settings say": ("emulator-differs", "episodes-too-long"),
    "an episode's score is another game's": ("episode-scores",),
    "test games with other weights, or a memory": (
        "tested-other-weights",
        "tested-another-network",
        "tested-with-a-state",
    ),
    "the optimiser's steps wrong": ("step-wrong", "gradient-differs", "gradient-changed", "moments-changed"),
    "learning-rate-too-large": ("step-too-large",),
    "learning-rate-too-large-for-q": ("step-too-large",),
}


# Faults whose other settings are no mistake, but what it needs to show: they belong to the run that it is compared with, too.
SETTING_THE_SCENE = (
    "learning-waits-for-more-than-is-kept",
    "gradients-clipped-one-by-one",
    "tests-with-the-target",
    "tests-at-every-third-period",
)


def scene_of(fault: Fault) -> dict[str, Any]:
    """Settings that the same run without the fault has as well."""
    return dict(fault.changes) if fault.name in SETTING_THE_SCENE else {}


def names_of(fault: Fault) -> tuple[str, ...]:
    """The signals that name a fault."""
    return (*NAMED.get(fault.row, ()), *NAMED.get(fault.name, ()))
