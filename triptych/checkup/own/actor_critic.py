"""A user's actor-critic: what its policy and value say, the loss of a batch, and the advantages of a rollout, against float64 NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from triptych.checkup.findings import Finding
from triptych.checkup.looks import NotSeen
from triptych.checkup.own import signals
from triptych.checkup.own.beginning import awaken
from triptych.checkup.own.learning import still_of
from triptych.checkup.own.made import history_of, made, made_rows
from triptych.checkup.own.memory.protocol import Recurrent, Rollouts
from triptych.checkup.own.probes import INPUTS
from triptych.checkup.own.protocol import Own

ROUNDS, NEAR = 3, 2e-4  # updates; losses that are the same but for float32's rounding
STEPS = 40  # of a made rollout, in which episodes end and are cut


class Experience(NamedTuple):
    """Steps of a rollout, as `learn` of an actor-critic is given them, in this order."""

    obs: np.ndarray  # [B, *observation]
    action: np.ndarray  # [B] int64
    advantage: np.ndarray  # [B] float32
    returns: np.ndarray  # [B] float32, what the value is to become
    log_prob: np.ndarray  # [B] float32, of the action, by the policy that acted


def state_values(own: Own, obs: np.ndarray) -> np.ndarray:
    """[N] of observations; a column of them will do."""
    if isinstance(own, Recurrent):
        return own.values(obs)[:, -1]
    found = own.array("values", own.call("values", obs.copy())).astype(np.float64)
    own.shaped("values", found, (len(obs),), (len(obs), 1))
    return found.reshape(-1)


def logits(own: Own, obs: np.ndarray) -> np.ndarray:
    """[N, A] of observations."""
    if isinstance(own, Recurrent):
        return own.values(obs)[:, :-1]
    found = own.array("policy", own.call("policy", obs.copy())).astype(np.float64)
    own.shaped("policy", found, (len(obs), own.actions))
    return found


def log_softmax(x: np.ndarray) -> np.ndarray:
    shifted = x - x.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def outputs(own: Own) -> Iterator[Finding]:
    """Policy and value of made observations: finite, of the input, and of each input by itself."""
    obs = made(own, INPUTS)
    for what, ask in (("policy", logits), ("values", state_values)):
        found = awaken(own, partial(ask, own, obs), partial(update, own))
        if not np.isfinite(found).all():
            yield Finding(
                signals.NOT_FINITE, f"{int((~np.isfinite(found)).sum())} of {found.size} in {what}", "numbers"
            )
            return
        if np.ptp(found, axis=0).max() < 1e-9:
            yield Finding(signals.IGNORES, f"{what}: a spread of {np.ptp(found, axis=0).max():.1e}", "more")
        apart = float(np.abs(np.concatenate([ask(own, obs[at : at + 1]) for at in range(4)]) - found[:4]).max())
        if apart > 1e-3 * max(1.0, float(np.abs(found).max())):
            yield Finding(signals.BATCH, f"{what} {apart:.3g} apart, alone and among {INPUTS}", "the same")
    said = logits(own, obs)
    if own.actions > 1 and (said >= 0).all() and np.allclose(said.sum(axis=1), 1, atol=1e-4):
        yield Finding(signals.PROBABILITIES, f"{INPUTS} inputs, each with a sum of 1", "logits, of any sum and sign")


def update(own: Own, seed: int) -> None:
    """One, of a made batch."""
    own.learn(made_experience(own, int(own.settings["batch_size"]), seed)[0])


class Said(NamedTuple):
    """What the network says of a batch's steps, and the batch itself, as rows [N]."""

    logits: np.ndarray  # [N, A]
    value: np.ndarray  # [N]


def made_experience(own: Own, count: int, seed: int) -> tuple[Any, Said, dict[str, Said]]:
    """Steps whose log probabilities are a little off those of now, as of a policy of some updates ago; with what the network says of
    them, and what it would say with known mistakes."""
    if isinstance(own, Recurrent):
        return made_rollouts(own, count, seed)
    obs = made(own, count, seed + 1)
    said = Said(logits(own, obs), state_values(own, obs))
    return Experience(obs, *drawn(said, seed, (count,))), said, {}


def drawn(said: Said, seed: int, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Actions, advantages, returns and log probabilities of that shape."""
    rng, count = np.random.default_rng(seed), len(said.value)
    action = rng.integers(said.logits.shape[1], size=count)
    now = log_softmax(said.logits)[np.arange(count), action]
    numbers = rng.normal(size=(3, count)).astype(np.float32)
    for part in (action, numbers[0] + 0.5, numbers[1], (now + 0.1 * numbers[2]).astype(np.float32)):
        yield part.reshape(shape)


def made_rollouts(own: Recurrent, count: int, seed: int) -> tuple[Rollouts, Said, dict[str, Said]]:
    """Rollouts in which episodes begin anew, and that begin with a state of the memory."""
    steps, history = int(own.settings["sequence_length"]), history_of(own, count, seed)
    obs = made_rows(own, count, steps, seed + 1)
    reset = np.random.default_rng(seed + 2).random((count, steps)) < 1 / max(2, steps // 2)

    def says(state: bool = True, reset: np.ndarray | None = reset, carries: bool = True) -> Said:
        if carries:
            found = own.unroll(obs, own.played(history) if state else None, reset)
        else:
            found = np.stack([own.unroll(obs[:, at : at + 1])[:, 0] for at in range(steps)], axis=1)
        flat = found.reshape(count * steps, -1)
        return Said(flat[:, :-1], flat[:, -1])

    said = says()
    others = {
        "a memory that is not emptied where an episode begins": says(reset=None),
        "a memory that begins empty, in place of the state that came with the batch": says(state=False),
        "a memory that begins anew at each step": says(carries=False),
    }
    action, *numbers = drawn(said, seed, (count, steps))
    batch = Rollouts(obs, action, numbers[0], numbers[1], numbers[2], reset, own.played(history))
    return batch, said, others


class Terms(NamedTuple):
    """What a loss is made of."""

    gain: np.ndarray  # [N], of the policy
    error: np.ndarray  # [N], of the value, through its loss
    entropy: np.ndarray  # [N]


def terms(told: dict[str, Any], batch: Any, said: Said, ddof: int = 0) -> Terms:
    """Of a batch; `ddof` as in NumPy's standard deviation: 1 is torch's default."""
    action, advantage, returns, before = (np.ravel(batch[at]) for at in range(1, 5))
    log_probs = log_softmax(said.logits)
    taken = log_probs[np.arange(len(action)), action]
    advantage = advantage.astype(np.float64)
    if told["normalise_advantages"]:
        advantage = (advantage - advantage.mean()) / (advantage.std(ddof=ddof) + 1e-8)
    gain = advantage * taken
    if told["clip"] is not None:
        ratio = np.exp(taken - before)
        gain = np.minimum(ratio * advantage, np.clip(ratio, 1 - told["clip"], 1 + told["clip"]) * advantage)
    return Terms(gain, sizes(told, np.abs(returns - said.value)), -(np.exp(log_probs) * log_probs).sum(axis=1))


def sizes(told: dict[str, Any], off: np.ndarray) -> np.ndarray:
    """The value's loss of errors that are so far off."""
    delta = told["delta"]
    huber = np.where(off <= delta, off**2 / 2, delta * (off - delta / 2))
    return {"squared": off**2, "absolute": off, "huber": huber}[told["loss"]]


def loss(own: Own) -> Iterator[Finding]:
    """What `learn` returns against the loss of the batch."""
    told = own.settings
    before, made_of = own.weights() if "weights" in own.has else {}, []
    for seed in range(ROUNDS):
        batch, said, others = made_experience(own, int(told["batch_size"]), 10 * seed)
        made_of.append((batch, said, others, own.learn(batch)))
    # All of them first: a last layer that begins at zero moves what is below it from the second one on.
    if before and (still := still_of(before, own.weights())) is not None:
        yield still
        return
    for number, (batch, said, others, found) in enumerate(made_of, 1):
        if found is None:
            raise NotSeen("learn returns no loss" + ("; that it moves all weights was seen" if before else ""))
        right = allowed(told, batch, said)
        if any(near(found, one) for one in right):
            continue
        like = looks_like(told, batch, said, others, found)
        yield Finding(signals.POLICY_LOSS, f"update {number} returns a loss of {found:.6g}{like}", f"{right[0]:.6g}")
        return


def allowed(told: dict[str, Any], batch: Any, said: Said) -> list[float]:
    """The loss, in each way in which it may be scaled."""
    made_of, weight, bonus = terms(told, batch, said), float(told["value_weight"]), float(told["entropy_weight"])
    policies = [-made_of.gain.mean()]
    if told["normalise_advantages"]:
        policies.append(-terms(told, batch, said, ddof=1).gain.mean())  # with torch's deviation in place of NumPy's
    factors = (1.0, 0.5) if told["loss"] == "squared" else (1.0,)
    error, entropy = made_of.error.mean(), made_of.entropy.mean()
    return [one + weight * factor * error - bonus * entropy for one in policies for factor in factors]


def looks_like(told: dict[str, Any], batch: Any, said: Said, others: dict[str, Said], found: float) -> str:
    """The known mistake that gives this loss; empty: none does."""
    ways = [
        known_of(told, batch, said, ddof, factor) for ddof in (0, 1) for factor in (1.0, 0.5)
    ]  # torch's deviation, and half the square
    known = {name: min((way[name] for way in ways), key=lambda one: abs(one - found)) for name in ways[0]}
    for name, other in others.items():
        known[name] = min(allowed(told, batch, other), key=lambda one: abs(one - found))
    name = min(known, key=lambda name: abs(known[name] - found))
    return f"; it is what comes of {name}" if near(found, known[name]) else ""


def known_of(told: dict[str, Any], batch: Any, said: Said, ddof: int, factor: float) -> dict[str, float]:
    """The losses that known mistakes make."""
    made_of, weight, bonus = (
        terms(told, batch, said, ddof),
        factor * float(told["value_weight"]),
        float(told["entropy_weight"]),
    )
    policy, error, entropy = -made_of.gain.mean(), made_of.error.mean(), made_of.entropy.mean()
    crossed = sizes(told, np.abs(np.ravel(batch.returns)[None] - said.value[:, None])).mean()
    return {
        "the wrong sign of the entropy's bonus": policy + weight * error + bonus * entropy,
        "no bonus for entropy": policy + weight * error,
        "no value loss": policy - bonus * entropy,
        "a value loss that is not weighed": policy + factor * error - bonus * entropy,
        "the wrong sign of the policy's gain": -policy + weight * error - bonus * entropy,
        "values [B, 1] against returns [B], which makes [B, B]": policy + weight * crossed - bonus * entropy,
        "a sum over the batch in place of its mean": (policy + weight * error - bonus * entropy) * len(said.value),
    }


def near(found: float, wanted: Any) -> bool:
    return bool(np.isclose(found, wanted, rtol=NEAR, atol=1e-5))


def generalised(rollout: dict[str, np.ndarray], gamma: float, decay: float, over: Any, bootstraps: Any) -> np.ndarray:
    """Advantages [T]. `over`: where nothing of the next step counts; `bootstraps`: where the value of what follows does."""
    found, later = np.zeros(STEPS), 0.0
    for step in reversed(range(STEPS)):
        error = (
            rollout["reward"][step] + gamma * bootstraps[step] * rollout["next_value"][step] - rollout["value"][step]
        )
        later = found[step] = error + decay * (not over[step]) * later
    return found


def advantages(own: Own) -> Iterator[Finding]:
    """Those of a made rollout of one game, against their definition (Schulman et al. 2016, equation 16)."""
    rng, told = np.random.default_rng(4), own.settings
    rollout = {name: rng.normal(size=STEPS).astype(np.float32) for name in ("reward", "value", "next_value")}
    terminated, truncated = np.zeros(STEPS, bool), np.zeros(STEPS, bool)
    terminated[[7, 23]], truncated[[15, 31]] = True, True
    given = (rollout["reward"], rollout["value"], rollout["next_value"], terminated, truncated)
    found = own.array("advantages", own.call("advantages", *(part.copy() for part in given))).astype(np.float64)
    own.shaped("advantages", found, (STEPS,))
    gamma, ended, goes_on = float(told["gamma"]), terminated | truncated, ~terminated
    decay = gamma * float(told["gae_lambda"])
    wanted = generalised(rollout, gamma, decay, ended, goes_on)
    if np.allclose(found, wanted, rtol=1e-3, atol=1e-3):
        return
    known = {
        "advantages that go on behind an episode's end": generalised(rollout, gamma, decay, 0 * ended, goes_on),
        "no value of what follows where an episode was cut": generalised(rollout, gamma, decay, ended, ~ended),
        "a value of what follows where an episode ended": generalised(rollout, gamma, decay, ended, ended | True),
        "advantages that stop only where an episode ended, not where it was cut": generalised(rollout, gamma, decay, terminated, goes_on),
        "lambda left out": generalised(rollout, gamma, gamma, ended, goes_on),
        "gamma left out": generalised(rollout, 1.0, float(told["gae_lambda"]), ended, goes_on),
        "the wrong sign": -wanted,
        "returns, with the value still in them": wanted + rollout["value"],
    }  # fmt: skip
    like = next((name for name, one in known.items() if np.allclose(found, one, rtol=1e-3, atol=1e-3)), "")
    at = int(np.abs(found - wanted).argmax())
    like = f"; they are what comes of {like}" if like else ""
    yield Finding(signals.ADVANTAGES, f"{found[at]:.5g} at step {at} of {STEPS}{like}", f"{wanted[at]:.5g}")
