"""What the audit may have to say, by the first thing of a sample that differs from the games' own stream."""

from __future__ import annotations

from triptych.checkup.findings import Signal

STORE = "what the loop hands to the store (`observe`), the store, and what draws from it"


def stop(name: str, title: str, *causes: str, look: str = STORE) -> Signal:
    return Signal(name, "stop", title, causes, look)


UNSEEN = stop(
    "fed-unseen",
    "a sample holds an observation that the games never showed",
    "a stack of pictures that crosses an episode, or holds the wrong frames",
    "a replay that reads beyond its write head, or rows that were never written",
    "pictures that are scaled, cropped or decoded otherwise when they are stored",
)
UNACTED = stop(
    "fed-unacted",
    "a sample holds a step at which no action was taken",
    "the step in which an environment only restarts is stored as an action",
    "a sample that begins at an episode's last observation",
)
ACTION = stop(
    "fed-action",
    "the action of a sample is not the one that was sent",
    "actions of parallel games that are mixed up between acting and storing",
    "actions stored one step off",
    "an action that is changed (clipped, repeated, mapped) after it was stored",
)
REWARD = stop(
    "fed-reward",
    "the reward of a sample is not what the recipe makes of what followed its action",
    "rewards stored one step off",
    "clipping, scaling or the reward of a lost life that is not the recipe's",
    "n-step returns with another gamma or n, or across an episode's end",
)
DISCOUNT = stop(
    "fed-discount",
    "the discount of a sample is wrong where its episode ended, was cut, or went on",
    "a time limit (truncated) taken for an end (terminated), or the other way round",
    "gamma or n that is not the recipe's",
)
NEXT = stop(
    "fed-next-observation",
    "the next observation of a sample is not the one that followed",
    "an episode's last observation replaced by the first one of the next",
    "a next observation that is the same one, one late, or of another game",
)
SEQUENCE = stop(
    "fed-sequence",
    "a sequence is not a piece of one episode as it was played",
    "a sequence that crosses an episode, or whose steps do not follow each other",
    "the start of an episode that is not told to the memory",
    "padding, burn-in or length that is not the recipe's",
)
STATE = stop(
    "fed-state",
    "a sequence begins with another state of the memory than the actor had there",
    "states stored one step late, or of another game",
    "a state that is not zero at an episode's start, or zero in its middle",
)
LOG_PROB = stop(
    "fed-log-prob",
    "the log probability of a rollout's action is not the one that it was drawn with",
    "the action that was stored is not the one that was drawn",
    "log probabilities of another game, or worked out again after an update",
    look="where actions are drawn (`select_actions`), and the rollout",
)
ADVANTAGE = stop(
    "fed-advantage",
    "an advantage or return is not that of the rollout as it was played",
    "generalised advantages with another gamma or lambda, or across an episode's end",
    "a truncated episode that is not bootstrapped, or a terminated one that is",
    "rewards one step off, of another game, or clipped otherwise than the recipe says",
    look="the rollout's rewards and values, and where its advantages are worked out",
)
WEIGHT = stop(
    "fed-weight",
    "importance weights do not follow from the errors that were learned",
    "TD errors that never reach the replay, or those of other samples",
    "alpha or beta that is not the recipe's, or that stays at its start",
    look="the call that hands TD errors to the replay; alpha, beta and its schedule",
)
ACTED_STATE = stop(
    "acted-state",
    "the memory's state is not carried on from step to step",
    "a state that is reset at each step, or not at an episode's start",
    "states of parallel games that are mixed up",
    look="where the state comes back to the network (`advance`, `select_actions`)",
)
GREEDY = stop(
    "actions-not-chosen",
    "actions do not follow the values, or the policy, that they are chosen from",
    "the smallest value is taken, or an action of another game",
    "values of another observation than the one that is acted on",
    look="where an action is chosen from values (`select_actions`)",
)
APART = stop(
    "steps-nobody-took",
    "the training's games took other steps than the training counts",
    "an evaluation that is played in the training's own games",
    "restarts that are counted as steps",
    look="who steps the training's games besides the loop",
)
SCORES = stop(
    "episode-scores",
    "an episode's logged reward or length is not that of the games",
    "rewards of parallel games that are mixed up",
    "restarts that count as steps, or a clipped reward that is logged",
    look="where episodes are counted",
)
STORED = stop(
    "steps-not-stored",
    "the replay does not hold each step once that was played",
    "steps that are dropped, or stored twice, on the way to the replay",
    "games or episodes that are left out",
)
DRAWN = stop(
    "samples-uneven",
    "samples are not drawn from all that is kept",
    "an index that is drawn from a part of the replay: the newest rows, the oldest ones, some games",
    "a replay that keeps less than its settings say",
    "a generator that is seeded anew for each batch, or new steps that enter without a priority",
    look="how the replay draws its indices; algorithm.replay_size",
)
UNEVEN = stop(
    "minibatches-uneven",
    "a rollout is not learned from once in each pass over it",
    "minibatches that are drawn with replacement, or the same one again and again",
    "games or steps that are left out when a rollout is cut",
    "an order that is not drawn anew for each pass",
    look="where a rollout is cut into minibatches; algorithm.epochs, minibatches",
)
ELSEWHERE = stop(
    "acted-unseen",
    "the network acts on something else than what the games show",
    "the observation of the step before, or of another game",
    "an observation that is scaled, normalised or cast for acting alone",
    look="what is handed to the network before an action is chosen",
)
