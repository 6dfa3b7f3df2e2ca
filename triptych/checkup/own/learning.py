"""Updates of a user's learner beside the same updates in NumPy, float64: the first thing that differs is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from triptych.checkup.findings import Finding
from triptych.checkup.looks import NotSeen
from triptych.checkup.own import signals
from triptych.checkup.own.beginning import is_same
from triptych.checkup.own.dense import Adam, Dense, recognise
from triptych.checkup.own.losses import Rules, mistakes
from triptych.checkup.own.made import made, made_batch
from triptych.checkup.own.protocol import FOLLOWED, Batch, Own, Returns

UPDATES = 8
APART, FEW = 0.1, 0.03  # of a learning rate a step; share of a tensor's numbers that may be farther apart than that
APART_AT_START = "the target is not the online network at the start"
FAINT = (
    1e-4  # of the largest gradient: below it float32's rounding is a part of a number that Adam makes a whole step of
)
Weights = dict[str, np.ndarray]


class Reference:
    """The user's network as NumPy's, with an optimiser of its own.

    Args:
        late: where Adam adds its epsilon, see `Adam`.
    """

    def __init__(self, own: Own, network: Dense, weights: Weights, rules: Rules, late: bool = True):
        told = own.settings
        self.network, self.rules, self.online = network, rules, "target_values" not in own.has
        self.weights = {name: array.copy() for name, array in weights.items()}
        self.target = self.weights
        rate = float(told["learning_rate"])
        self.faint = {
            name: np.zeros(array.shape, bool) for name, array in weights.items()
        }  # where a gradient was, so far
        self.optimiser = Adam(told["optimiser"], rate, told["adam_epsilon"], told["max_norm"], late)

    def learn(self, batch: Batch | Returns) -> None:
        network, rules = self.network, self.rules
        outputs = network.forward(self.weights, batch.obs)
        nexts = network.forward(self.weights, batch.next_obs)
        following = nexts[-1] if self.online else network.forward(self.target, batch.next_obs)[-1]
        rows = np.arange(len(batch.action))
        targets = rules.targets(batch, following, nexts[-1])
        errors = rules.errors(outputs[-1][rows, batch.action], targets)
        each = rules.slopes(errors) / errors.size
        slopes = np.zeros_like(outputs[-1])
        slopes[rows, batch.action] = each.sum(axis=1) if rules.crossed else each
        gradients = network.backward(self.weights, outputs, slopes)
        if rules.through:
            back = np.zeros_like(nexts[-1])
            back[rows, nexts[-1].argmax(axis=1)] = -each * rules.discounts(batch) * (1 - batch.terminated)
            more = network.backward(self.weights, nexts, back)
            gradients = {name: gradient + more[name] for name, gradient in gradients.items()}
        most = max(float(np.abs(gradient).max()) for gradient in gradients.values())
        for name, gradient in gradients.items():
            self.faint[name] |= np.abs(gradient) < FAINT * most
        self.weights = self.optimiser.step(self.weights, gradients)


def first_apart(found: Weights, wanted: Any, rate: float) -> tuple[str, float] | None:
    """The first tensor that is not the same, and the largest difference; None: all are. Numbers whose gradient is faint count nothing."""
    for name, array in wanted.weights.items():
        apart = np.where(wanted.faint[name], 0.0, np.abs(found[name] - array))
        if (apart > APART * rate).mean() > FEW:
            return name, float(apart.max())
    return None


def updates(own: Own) -> Iterator[Finding]:
    """Weights that stay still; and each update against NumPy's, where the network is one of dense layers."""
    begun, size = own.weights(), int(own.settings["batch_size"])
    obs = made(own, size)
    said = own.values(obs)
    target = own.values(obs, "target_values") if "target_values" in own.has else None
    apart_at_start = target is not None and np.abs(target - own.values(obs)).max() > 1e-4
    batches = [made_batch(own, size, 100 + number) for number in range(UPDATES)]
    reached: list[Weights] = []
    for batch in batches:
        own.learn(batch)
        reached.append(own.weights())
        if target is not None and np.abs(own.values(obs, "target_values") - target).max() > 1e-7:
            break  # it was copied here
    if (still := still_of(begun, reached[-1])) is not None:
        yield still
        return
    if is_same(said):  # a last layer that begins at zero tells nothing of those before it
        network = recognise(reached[-1], obs, own.values(obs)) if not is_same(own.values(obs)) else None
    else:
        network = recognise(begun, obs, said)
    if network is None or (why := unfollowed(own.settings)) or apart_at_start:
        none = "the network is not known to NumPy as one of dense layers" if network is None else why
        raise NotSeen(f"{none or APART_AT_START}; that each tensor moves was seen")
    yield from against(own, network, begun, batches, reached)


def unfollowed(told: Any) -> str:
    """Why NumPy does not make the updates of these settings; empty: it does."""
    if told["optimiser"] not in FOLLOWED:
        return f"updates of {told['optimiser']} are not made in NumPy, only those of {' and '.join(FOLLOWED)}"
    return "" if told["learning_rate"] else "settings say no learning_rate"


def still_of(begun: Weights, reached: Weights) -> Finding | None:
    """Tensors that no update has moved."""
    still = [name for name, array in begun.items() if np.array_equal(array, reached[name])]
    if not still:
        return None
    named = ", ".join(still[:4]) + (" and others" if len(still) > 4 else "")
    return Finding(signals.STILL, f"{len(still)} of {len(begun)} tensors unchanged ({named})", "all of them moved")


def against(
    own: Own, network: Dense, begun: Weights, batches: list[Batch | Returns], reached: list[Weights]
) -> Iterator[Finding]:
    """The first update after which a tensor is not NumPy's, wherever Adam adds its epsilon."""
    rules, rate = Rules.of(own.settings), float(own.settings["learning_rate"])
    references = [Reference(own, network, begun, rules, late) for late in (True, False)]
    for number, (batch, found) in enumerate(zip(batches, reached, strict=False), 1):
        for reference in references:
            reference.learn(batch)
        near = (number if own.settings["optimiser"] == "adam" else 1) * rate
        told_of = [first_apart(found, reference, near) for reference in references]
        if None in told_of:
            references = [one for one, told in zip(references, told_of, strict=True) if told is None]
            continue
        differs = told_of[0]
        assert differs is not None
        like = looks_like(own, network, begun, batches[:number], found)
        told = f"; it is what comes of {like}" if like else ""
        measured = f"after update {number}, {differs[0]} is up to {differs[1]:.3g} apart{told}"
        yield Finding(signals.UPDATE, measured, f"NumPy's, within {APART:g} of the learning rate a step")
        return


def looks_like(own: Own, network: Dense, begun: Weights, batches: list[Batch | Returns], found: Weights) -> str:
    """The known mistake that leads to these weights; empty: none does."""
    rate = float(own.settings["learning_rate"])
    for name, rules in mistakes(Rules.of(own.settings)).items():
        other = Reference(own, network, begun, rules)
        for batch in batches:
            other.learn(batch)
        if first_apart(found, other, rate) is None:
            return name
    moved = {name: np.abs(found[name] - array).max() for name, array in begun.items()}
    largest = max(moved.values()) / len(batches)
    if own.settings["optimiser"] == "adam" and not 0.5 < largest / rate < 2:
        return f"a learning rate of about {largest:.2g}, where the settings say {rate:g}"
    return ""
