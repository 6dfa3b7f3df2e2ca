"""Updates of a user's learner with a memory beside the same updates in NumPy, float64: through the time of each piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from triptych.checkup.findings import Finding
from triptych.checkup.looks import NotSeen
from triptych.checkup.own import signals
from triptych.checkup.own.beginning import awaken, is_same
from triptych.checkup.own.dense import Adam
from triptych.checkup.own.learning import APART, APART_AT_START, FAINT, UPDATES, first_apart, still_of, unfollowed
from triptych.checkup.own.losses import Rules, mistakes
from triptych.checkup.own.made import history_of, made_pieces, made_rows
from triptych.checkup.own.memory.losses import RIGHT, Reading, errors
from triptych.checkup.own.memory.probes import learn
from triptych.checkup.own.memory.protocol import Recurrent
from triptych.checkup.own.memory.unrolled import Unrolled, recognise_memory

Weights = dict[str, np.ndarray]


@dataclass(frozen=True)
class Flows:
    """How an update is made: how errors are worked out, what is learned from, and where the gradient ends."""

    rules: Rules
    reading: Reading = RIGHT
    through: bool = False  # the burn-in
    cut: bool = False  # between two steps
    scale: str = ""  # as `Errors.losses` names it
    half: float = 1.0
    late: bool = True  # where Adam adds its epsilon


class Fed(NamedTuple):
    """A batch, and what came before it."""

    batch: Any
    history: np.ndarray | None


class Reference:
    """The user's network as NumPy's, with an optimiser of its own."""

    def __init__(self, own: Recurrent, network: Unrolled, weights: Weights, flows: Flows):
        told = own.settings
        self.network, self.flows, self.burn = network, flows, int(told["burn_in"])
        self.weights = {name: array.copy() for name, array in weights.items()}
        self.target = self.weights if "target_values" in own.has else None
        self.faint = {name: np.zeros(array.shape, bool) for name, array in weights.items()}
        rate = float(told["learning_rate"])
        self.optimiser = Adam(told["optimiser"], rate, told["adam_epsilon"], told["max_norm"], flows.late)

    def learn(self, fed: Fed) -> None:
        network, flows, batch = self.network, self.flows, fed.batch
        state = network.cell.start(len(batch.obs))
        if fed.history is not None:
            state = network.unroll(self.weights, fed.history, state)[1]
        online, _, kept = network.unroll(self.weights, batch.obs, state)
        target = online if self.target is None else network.unroll(self.target, batch.obs, state)[0]
        found = errors(batch, {"online": online, "target": target}, flows.rules, flows.reading, self.burn)
        each = flows.half * flows.rules.slopes(found.each) * found.counts / self.shared(found.counts)
        slopes = np.zeros_like(online)
        games, steps = np.indices(batch.action.shape)
        slopes[games, steps, batch.action] = each
        if flows.rules.through:
            back = -each * flows.rules.gamma * (1 - batch.terminated)
            np.add.at(slopes, (games, steps + 1, online[:, 1:].argmax(axis=2)), back)
        begin = 0 if flows.through or flows.reading.burns == "learned" else self.burn
        gradients = network.gradients(self.weights, kept, slopes, begin, flows.cut)
        most = max(float(np.abs(gradient).max()) for gradient in gradients.values())
        for name, gradient in gradients.items():
            self.faint[name] |= np.abs(gradient) < FAINT * most
        self.weights = self.optimiser.step(self.weights, gradients)

    def shared(self, counts: np.ndarray) -> float:
        games, steps = counts.shape
        return {"": max(1.0, float(counts.sum())), "all": games * (steps - self.burn), "games": games}[self.flows.scale]


def updates(own: Any) -> Iterator[Finding]:
    """Weights that stay still; and each update against NumPy's, where the network is one of dense layers and one memory."""
    assert isinstance(own, Recurrent)
    told, begun, size = own.settings, own.weights(), int(own.settings["batch_size"])
    obs = made_rows(own, 8, 4, seed=5)
    said = own.unroll(obs)
    target = own.unroll(obs, method="target_step") if "target_values" in own.has else None
    apart_at_start = target is not None and np.abs(target - said).max() > 1e-4
    fed, reached = [], []
    for number in range(UPDATES):
        batch = made_pieces(own, size, 100 + number)
        fed.append(Fed(batch, history_of(own, size, 100 + number) if told["stored_state"] else None))
        own.learn(batch)
        reached.append(own.weights())
        if target is not None and np.abs(own.unroll(obs, method="target_step") - target).max() > 1e-7:
            break  # it was copied here
    if (still := still_of(begun, reached[-1])) is not None:
        yield still
        return
    flat = said.reshape(-1, said.shape[-1])
    network = (
        recognise_memory(reached[-1], obs, own.unroll(obs)) if is_same(flat) else recognise_memory(begun, obs, said)
    )
    if network is None or (why := unfollowed(told)) or apart_at_start:
        none = "the network is not known to NumPy as dense layers and one memory" if network is None else why
        raise NotSeen(f"{none or APART_AT_START}; that each tensor moves was seen")
    yield from against(own, network, begun, fed, reached)


def against(
    own: Recurrent, network: Unrolled, begun: Weights, fed: list[Fed], reached: list[Weights]
) -> Iterator[Finding]:
    """The first update after which a tensor is not NumPy's, however the mean is taken and wherever Adam adds its epsilon."""
    told, right = own.settings, Flows(Rules.of(own.settings))
    rate, is_adam = float(told["learning_rate"]), told["optimiser"] == "adam"
    halves = (1.0, 0.5) if right.rules.loss == "squared" else (1.0,)
    ways = [
        (scale, half, late)
        for scale in ("", "all", "games")
        for half in halves
        for late in (True, False)[: 1 + is_adam]
    ]
    references = [
        Reference(own, network, begun, replace(right, scale=scale, half=half, late=late)) for scale, half, late in ways
    ]
    for number, (batch, found) in enumerate(zip(fed, reached, strict=False), 1):
        for reference in references:
            reference.learn(batch)
        near = (number if is_adam else 1) * rate
        told_of = [first_apart(found, reference, near) for reference in references]
        if None in told_of:
            references = [one for one, differs in zip(references, told_of, strict=True) if differs is None]
            continue
        differs = told_of[0]
        assert differs is not None
        like = looks_like(own, network, begun, fed[:number], found)
        measured = f"after update {number}, {differs[0]} is up to {differs[1]:.3g} apart{like}"
        yield Finding(signals.UPDATE, measured, f"NumPy's, within {APART:g} of the learning rate a step")
        return


def looks_like(own: Recurrent, network: Unrolled, begun: Weights, fed: list[Fed], found: Weights) -> str:
    """The known mistake that leads to these weights; empty: none does."""
    right, rate = Flows(Rules.of(own.settings)), float(own.settings["learning_rate"])
    known = {"no gradient through time: each step learns from itself alone": replace(right, cut=True)}
    if own.settings["burn_in"]:
        known["a gradient that passes through the burn-in"] = replace(right, through=True)
        known["burn-in steps that are learned from"] = replace(right, reading=Reading(burns="learned"))
    known["padded steps that count"] = replace(right, reading=Reading(masked=False), scale="all")
    known |= {name: replace(right, rules=rules) for name, rules in mistakes(right.rules).items() if not rules.crossed}
    for name, flows in known.items():
        other = Reference(own, network, begun, flows)
        for batch in fed:
            other.learn(batch)
        if first_apart(found, other, rate) is None:
            return f"; it is what comes of {name}"
    largest = max(float(np.abs(found[name] - array).max()) for name, array in begun.items()) / len(fed)
    if own.settings["optimiser"] == "adam" and not 0.5 < largest / rate < 2:
        return f"; it is what comes of a learning rate of about {largest:.2g}, where the settings say {rate:g}"
    return ""


def burn_in(own: Any) -> Iterator[Finding]:
    """No gradient passes through the burn-in, whatever the network is.

    Where each observation that is learned from is 0, what is multiplied by observations gets a gradient from the burn-in alone.
    """
    assert isinstance(own, Recurrent)
    size, burn = int(own.settings["batch_size"]), int(own.settings["burn_in"])
    if not burn:
        return
    batch = made_pieces(own, size, 200)
    awaken(own, lambda: own.unroll(batch.obs).reshape(-1, own.actions), partial(learn, own))
    before = own.weights()
    own.learn(batch._replace(obs=np.zeros_like(batch.obs)))
    after = own.weights()
    inputs = [name for name, array in before.items() if np.array_equal(array, after[name])]
    early = np.array(batch.obs)
    early[:, burn:] = 0
    own.learn(batch._replace(obs=early))
    now = own.weights()
    moved = [name for name in inputs if not np.array_equal(after[name], now[name])]
    if moved:
        measured = f"{', '.join(moved[:3])} is moved by an update whose only observations are in the {burn} steps of the burn-in"
        yield Finding(signals.BURNED, measured, "no gradient from there")
