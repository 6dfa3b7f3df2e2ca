"""The loss of a batch of pieces, worked out in float64 from what the user's own network says step by step; and known mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from triptych.checkup.findings import Finding
from triptych.checkup.looks import NotSeen
from triptych.checkup.own import signals
from triptych.checkup.own.losses import NEAR, ROUNDS, Rules, mistakes
from triptych.checkup.own.made import history_of, made_pieces
from triptych.checkup.own.memory.protocol import Recurrent
from triptych.checkup.own.protocol import Batch

Said = dict[str, np.ndarray]  # [B, T + 1, A] by network: online, target


@dataclass(frozen=True)
class Reading:
    """How a piece is read, rightly or wrongly."""

    state: bool = True  # begins with the state that came with it
    carries: bool = True  # a step has the memory of those before it
    burns: str = "played"  # the first steps: "played", "learned" from too, or "left out"
    masked: bool = True  # steps behind the end count nothing
    late: bool = False  # the target's memory begins with the second observation


RIGHT = Reading()
READINGS = {
    "a memory that begins anew at each step": Reading(carries=False),
    "padded steps that count": Reading(masked=False),
    "a target network whose memory has not seen the first observation": Reading(late=True),
    "a memory that begins empty, in place of the state that came with the batch": Reading(state=False),
    "burn-in steps that are learned from": Reading(burns="learned"),
    "a memory that begins anew behind the burn-in": Reading(burns="left out"),
}


def readings(told: dict[str, Any]) -> dict[str, Reading]:
    """The mistakes that can be made with these settings."""
    found = dict(READINGS)
    if not told["burn_in"]:
        found = {name: one for name, one in found.items() if one.burns == "played"}
    return {name: one for name, one in found.items() if one.state or told["stored_state"]}


def says(own: Recurrent, batch: Any, history: np.ndarray | None, reading: Reading) -> Said:
    """What both networks say [B, T + 1, A] of the observations of a batch."""
    target = "target_step" if "target_step" in own.has else "step"
    burn = int(own.settings["burn_in"])

    def unrolled(method: str, first: int) -> np.ndarray:
        if not reading.carries:
            return np.stack(
                [own.unroll(batch.obs[:, at : at + 1], method=method)[:, 0] for at in range(batch.obs.shape[1])], axis=1
            )
        begins = burn if reading.burns == "left out" else first
        stored = history is not None and reading.state and not begins
        state = own.played(history, "step") if stored and history is not None else None
        said = own.unroll(batch.obs[:, begins:], state, method=method)
        return np.concatenate([np.zeros((len(said), begins, said.shape[2])), said], axis=1)

    return {"online": unrolled("step", 0), "target": unrolled(target, 1 if reading.late else 0)}


@dataclass(frozen=True)
class Errors:
    """TD errors of steps [B, T], and which of them are learned from."""

    each: np.ndarray
    counts: np.ndarray

    def losses(self, rules: Rules, told: dict[str, Any]) -> dict[str, float]:
        """The mean over the steps that count, and how else it is scaled."""
        total = float((rules.of_errors(self.each) * self.counts).sum())
        games, steps = self.each.shape
        means = {"": total / max(1.0, float(self.counts.sum())), "all": total / (games * (steps - told["burn_in"]))}
        return means | {"games": total / games, "sum": total}


def errors(batch: Any, said: Said, rules: Rules, reading: Reading, burn: int) -> Errors:
    steps = batch.action.shape[1]
    flat = Batch(batch.obs[:, :-1], batch.action.ravel(), batch.reward.ravel(), batch.terminated.ravel(), batch.obs)
    actions = said["online"].shape[2]
    following, online = (said[name][:, 1:].reshape(-1, actions) for name in ("target", "online"))
    targets = rules.targets(flat, following, online).reshape(-1, steps)
    taken = np.take_along_axis(said["online"][:, :-1], batch.action[..., None], axis=2)[..., 0]
    counts = np.asarray(batch.mask, float) if reading.masked else np.ones(batch.mask.shape)
    counts = counts * (np.arange(steps) >= (0 if reading.burns == "learned" else burn))
    return Errors(taken - targets, counts)


def loss(own: Any) -> Iterator[Finding]:
    """What `learn` returns against the loss of the TD errors."""
    assert isinstance(own, Recurrent)
    told, right = own.settings, RIGHT
    rules, burn, size = Rules.of(told), int(told["burn_in"]), int(told["batch_size"])
    for seed in range(ROUNDS):
        batch = made_pieces(own, size, 10 * seed)
        history = history_of(own, size, 10 * seed) if told["stored_state"] else None
        said = says(own, batch, history, right)
        others = {name: (one, says(own, batch, history, one)) for name, one in readings(told).items()}
        found = own.learn(batch)
        if found is None:
            raise NotSeen("learn returns no loss")
        known = errors(batch, said, rules, right, burn).losses(rules, told)
        halves = (1.0, 0.5) if rules.loss == "squared" else (1.0,)
        allowed = [half * known[name] for name in ("", "all", "games") for half in halves]
        if any(np.isclose(found, one, rtol=NEAR, atol=1e-6) for one in allowed):
            continue
        wrong = {"a sum over the batch in place of its mean": [known["sum"]]}
        for name, (reading, other) in others.items():
            mixed = {
                "online": other["online"],
                "target": said["target"],
            }  # a mistake in the online network's pass alone
            both = [errors(batch, one, rules, reading, burn).losses(rules, told) for one in (other, mixed)]
            wrong[name] = [number for losses in both for number in losses.values()]
        for name, other_rules in mistakes(replace(rules, crossed=False)).items():
            if not other_rules.crossed:
                made = errors(batch, said, other_rules, right, burn).losses(other_rules, told)
                wrong[name] = [made["all"], made[""], made["games"]]
        apart = {name: min(abs(half * one - found) for one in some for half in halves) for name, some in wrong.items()}
        name = min(apart, key=lambda name: apart[name])
        like = f"; it is what comes of {name}" if apart[name] <= NEAR * abs(found) + 1e-6 else ""
        yield Finding(signals.PIECES_LOSS, f"update {seed + 1} returns a loss of {found:.6g}{like}", f"{known['']:.6g}")
        return
