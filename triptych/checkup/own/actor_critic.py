"""A user's actor-critic: what its policy and value say, the loss of a batch, and the advantages of a rollout, against float64 NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from triptych.checkup.findings import Finding
from triptych.checkup.own import signals
from triptych.checkup.own.probes import INPUTS, made
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
    found = own.array("values", own.call("values", obs.copy())).astype(np.float64)
    own.shaped("values", found, (len(obs),), (len(obs), 1))
    return found.reshape(-1)


def logits(own: Own, obs: np.ndarray) -> np.ndarray:
    """[N, A] of observations."""
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
        found = ask(own, obs)
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


def made_experience(own: Own, count: int, seed: int) -> Experience:
    """Steps whose log probabilities are a little off those of now, as of a policy of some updates ago."""
    rng, obs = np.random.default_rng(seed), made(own, count, seed + 1)
    action = rng.integers(own.actions, size=count)
    now = log_softmax(logits(own, obs))[np.arange(count), action]
    numbers = rng.normal(size=(3, count)).astype(np.float32)
    return Experience(obs, action, numbers[0] + 0.5, numbers[1], (now + 0.1 * numbers[2]).astype(np.float32))


class Terms(NamedTuple):
    """What a loss is made of."""

    gain: np.ndarray  # [B], of the policy
    error: np.ndarray  # [B], of the value, through its loss
    entropy: np.ndarray  # [B]


def terms(own: Own, batch: Experience, ddof: int = 0) -> Terms:
    """Of a batch; `ddof` as in NumPy's standard deviation: 1 is torch's default."""
    told, log_probs = own.settings, log_softmax(logits(own, batch.obs))
    taken = log_probs[np.arange(len(batch.action)), batch.action]
    advantage = batch.advantage.astype(np.float64)
    if told["normalise_advantages"]:
        advantage = (advantage - advantage.mean()) / (advantage.std(ddof=ddof) + 1e-8)
    gain = advantage * taken
    if told["clip"] is not None:
        ratio = np.exp(taken - batch.log_prob)
        gain = np.minimum(ratio * advantage, np.clip(ratio, 1 - told["clip"], 1 + told["clip"]) * advantage)
    off = np.abs(batch.returns - state_values(own, batch.obs))
    delta = told["delta"]
    size = {"squared": off**2, "absolute": off, "huber": np.where(off <= delta, off**2 / 2, delta * (off - delta / 2))}
    return Terms(gain, size[told["loss"]], -(np.exp(log_probs) * log_probs).sum(axis=1))


def loss(own: Own) -> Iterator[Finding]:
    """What `learn` returns against the loss of the batch."""
    told = own.settings
    for seed in range(ROUNDS):
        batch = made_experience(own, int(told["batch_size"]), 10 * seed)
        found_terms, value = terms(own, batch), state_values(own, batch.obs)
        other = -terms(own, batch, ddof=1).gain.mean()  # with torch's deviation in place of NumPy's
        before = own.weights() if "weights" in own.has else {}
        found = own.learn(batch)
        still = [name for name, array in before.items() if np.array_equal(array, own.weights()[name])]
        if still:
            yield Finding(
                signals.STILL,
                f"{len(still)} of {len(before)} tensors unchanged ({', '.join(still[:4])})",
                "all of them moved",
            )
            return
        if found is None:
            return
        policy, error, entropy = -found_terms.gain.mean(), found_terms.error.mean(), found_terms.entropy.mean()
        weight, bonus = float(told["value_weight"]), float(told["entropy_weight"])
        wanted = policy + weight * error - bonus * entropy
        factors = (1.0, 0.5) if told["loss"] == "squared" else (1.0,)
        policies = (policy, other) if told["normalise_advantages"] else (policy,)
        allowed = [one + weight * factor * error - bonus * entropy for one in policies for factor in factors]
        if any(near(found, one) for one in allowed):
            continue
        crossed = ((batch.returns[None] - value[:, None]) ** 2).mean()
        known = {
            "the wrong sign of the entropy's bonus": policy + weight * error + bonus * entropy,
            "no bonus for entropy": policy + weight * error,
            "no value loss": policy - bonus * entropy,
            "a value loss that is not weighed": policy + error - bonus * entropy,
            "the wrong sign of the policy's gain": -policy + weight * error - bonus * entropy,
            "values [B, 1] against returns [B], which makes [B, B]": policy + weight * crossed - bonus * entropy,
            "a sum over the batch in place of its mean": wanted * len(value),
        }
        like = next((name for name, one in known.items() if near(found, one)), "")
        like = f"; it is what comes of {like}" if like else ""
        yield Finding(signals.POLICY_LOSS, f"update {seed + 1} returns a loss of {found:.6g}{like}", f"{wanted:.6g}")
        return


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
