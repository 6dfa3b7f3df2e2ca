"""The loss of a batch, worked out in float64 from what the user's own network says; and what it would be with a known mistake."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from triptych.checkup.findings import Finding
from triptych.checkup.looks import NotSeen
from triptych.checkup.own import signals
from triptych.checkup.own.made import made_batch
from triptych.checkup.own.protocol import Batch, Own, Returns, discounts
from triptych.utils.checks import InputError

ROUNDS, NEAR = 3, 2e-4  # updates; losses that are the same but for float32's rounding


@dataclass(frozen=True)
class Rules:
    """How a TD error and its loss are worked out."""

    gamma: float
    loss: str
    delta: float
    double: bool
    masked: bool = True  # nothing beyond a terminal state
    beyond: float = 0.0  # what stands there
    crossed: bool = False  # each target against each value, [B, B]
    from_target: bool = True  # bootstraps from the target network; else from the online one
    raised: bool = True  # gamma to the number of steps of a return
    through: bool = False  # the gradient also flows through the target

    @classmethod
    def of(cls, settings: dict[str, Any]) -> Rules:
        return cls(settings["gamma"], settings["loss"], settings["delta"], settings["double"])

    def targets(self, batch: Batch | Returns, following: np.ndarray, online: np.ndarray) -> np.ndarray:
        """[B]; `following` [B, A] are the target's values of the next observations, `online` the online network's."""
        values = following if self.from_target else online
        best = (online if self.double else values).argmax(axis=1)
        goes_on = 1 - batch.terminated * self.masked
        found = batch.reward + self.discounts(batch) * goes_on * values[np.arange(len(best)), best]
        return np.where(batch.terminated > 0, self.beyond, found) if self.beyond else found

    def discounts(self, batch: Any) -> np.ndarray:
        """[B]; a sign stays, as of a known mistake."""
        sign = -1.0 if self.gamma < 0 else 1.0
        return sign * (
            discounts(batch, abs(self.gamma)) if self.raised else np.full(len(batch.action), abs(self.gamma))
        )

    def errors(self, taken: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """[B], or [B, B]."""
        return taken[:, None] - targets[None] if self.crossed else taken - targets

    def of_errors(self, errors: np.ndarray) -> np.ndarray:
        size = np.abs(errors)
        if self.loss == "absolute":
            return size
        if self.loss == "squared":
            return errors**2
        return np.where(size <= self.delta, 0.5 * errors**2, self.delta * (size - 0.5 * self.delta))

    def slopes(self, errors: np.ndarray) -> np.ndarray:
        """The derivative of `of_errors`."""
        if self.loss == "absolute":
            return np.sign(errors)
        return 2 * errors if self.loss == "squared" else np.clip(errors, -self.delta, self.delta)


def mistakes(rules: Rules) -> dict[str, Rules]:
    """Known mistakes, by what is said of them."""
    others = [loss for loss in ("huber", "squared", "absolute") if loss != rules.loss]
    found = {
        "errors [B] against values [B, 1], which makes [B, B]": replace(rules, crossed=True),
        "no mask where an episode ended": replace(rules, masked=False),
        "bootstrapping from the online network, not the target": replace(rules, from_target=False),
        "a gradient that flows through the target": replace(rules, through=True, from_target=False),
        "gamma left out": replace(rules, gamma=1.0),
        "gamma that is not raised to the number of steps": replace(rules, raised=False),
        "no bootstrapping at all": replace(rules, gamma=0.0),
        "-1 in place of the reward where an episode ended": replace(rules, beyond=-1.0),
        "the wrong sign of the bootstrapped value": replace(rules, gamma=-rules.gamma),
        f"double Q-learning {'left out' if rules.double else 'that the settings do not name'}": replace(
            rules, double=not rules.double
        ),
    }
    return found | {f"the {loss} loss": replace(rules, loss=loss) for loss in others}


class Said(NamedTuple):
    """What the networks say of a batch, before it is learned from. All [B, A]."""

    values: np.ndarray
    online: np.ndarray  # of the next observations
    following: np.ndarray  # the target's


SCALED = {
    "pixels that learning divides by 255 once more than acting does": 1 / 255,
    "pixels that learning does not divide by 255, as acting does": 255.0,
}


def said_of(own: Own, batch: Any, scale: float | None = None) -> Said:
    """`scale`: of the observations, which then are no bytes."""
    obs, after = (part if scale is None else (scale * part).astype(np.float32) for part in (batch.obs, batch.next_obs))
    online = own.values(after)
    return Said(own.values(obs), online, own.values(after, "target_values") if "target_values" in own.has else online)


def scaled_otherwise(own: Own, batch: Any) -> Iterator[tuple[str, Said]]:
    """What the networks would say of pixels that are scaled otherwise; nothing where they take only bytes."""
    for name, scale in SCALED.items() if own.dtype == np.uint8 else ():
        with contextlib.suppress(InputError):
            yield name, said_of(own, batch, scale)


def each_loss(rules: Rules, batch: Any, said: Said) -> np.ndarray:
    """[B], or [B, B]."""
    taken = said.values[np.arange(len(batch.action)), batch.action]
    return rules.of_errors(rules.errors(taken, rules.targets(batch, said.following, said.online)))


def loss(own: Own) -> Iterator[Finding]:
    """What `learn` returns against the loss of the TD errors."""
    rules = Rules.of(own.settings)
    for seed in range(ROUNDS):
        batch = made_batch(own, int(own.settings["batch_size"]), 10 * seed)
        said, scaled = said_of(own, batch), dict(scaled_otherwise(own, batch))
        found = own.learn(batch)
        if found is None:
            raise NotSeen("learn returns no loss")
        wanted = float(each_loss(rules, batch, said).mean())
        if near(found, wanted, rules):
            continue
        known = {name: float(each_loss(other, batch, said).mean()) for name, other in mistakes(rules).items()}
        known |= {name: float(each_loss(rules, batch, other).mean()) for name, other in scaled.items()}
        known["a sum over the batch in place of its mean"] = float(each_loss(rules, batch, said).sum())
        like = min(known, key=lambda name: abs(known[name] - found))
        told = f"; it is what comes of {like}" if near(found, known[like], rules) else ""
        yield Finding(signals.LOSS, f"update {seed + 1} returns a loss of {found:.6g}{told}", f"{wanted:.6g}")
        return


def near(found: float, wanted: float, rules: Rules) -> bool:
    """Whether a loss is this one but for rounding; a squared one may have a factor of one half."""
    halves = (wanted, wanted / 2) if rules.loss == "squared" else (wanted,)
    return any(np.isclose(found, one, rtol=NEAR, atol=1e-6) for one in halves)
