"""Probes of a user's network, target and environment: what they say of inputs that are made for it."""

from __future__ import annotations

from collections.abc import Iterator

import gymnasium
import numpy as np

from triptych.checkup.checker import judge_by_gymnasium
from triptych.checkup.findings import Finding
from triptych.checkup.own import signals
from triptych.checkup.own.beginning import awaken
from triptych.checkup.own.made import made, made_batch
from triptych.checkup.own.memory.protocol import Recurrent
from triptych.checkup.own.protocol import Own
from triptych.utils.checks import InputError, check

INPUTS = 64
STEPS, SCALED = 1_000, 20.0  # random steps in an environment; numbers beyond that range are not scaled


def network(own: Own) -> Iterator[Finding]:
    """The head's range, and whether each input is judged by itself."""
    obs, size = made(own, INPUTS), int(own.settings["batch_size"])
    found = awaken(own, lambda: own.values(obs), lambda seed: own.learn(made_batch(own, size, seed)))
    if not np.isfinite(found).all():
        yield Finding(signals.NOT_FINITE, f"{int((~np.isfinite(found)).sum())} of {found.size} values", "numbers")
        return
    moved = (
        found[:, np.ptp(found, axis=0) > 0] if own.updates else found
    )  # an action that no update met says nothing yet
    if moved.size and (moved >= 0).all() and (moved == 0).any():
        measured = f"{found.size} values from 0 to {found.max():.3g}, {np.mean(found == 0):.0%} of them exactly 0"
        yield Finding(signals.NOT_NEGATIVE, measured, "negative ones too, of random weights and inputs")
    elif (found >= 0).all() and np.allclose(found.sum(axis=1), 1, atol=1e-4):
        yield Finding(signals.SUMS_TO_ONE, f"{INPUTS} inputs, each with a sum of 1", "any sum")
    elif np.ptp(found, axis=0).max() < 1e-6:
        after = f", after {own.updates} updates too" if own.updates else ""
        spread = f"a spread of {np.ptp(found, axis=0).max():.1e} over {INPUTS} inputs{after}"
        yield Finding(signals.IGNORES, spread, "more")
    if own.dtype.kind == "f" and not isinstance(own, Recurrent):  # whose memory is bounded itself
        large = np.abs(own.values((obs * 1e4).astype(own.dtype)))
        if np.isfinite(large).all() and (large <= 1).all() and (large > 0.999).any():
            yield Finding(signals.BOUNDED, f"{large.max():.4f} at most, of inputs 10,000 times as large", "no bound")
    alone = np.concatenate([own.values(obs[index : index + 1]) for index in range(4)])
    apart = float(np.abs(alone - found[:4]).max())
    if apart > 1e-3 * max(1.0, float(np.abs(found).max())):
        yield Finding(signals.BATCH, f"values {apart:.3g} apart, alone and among {INPUTS}", "the same ones")


def target(own: Own) -> Iterator[Finding]:
    """The target begins as a copy of the online network."""
    obs = made(own, INPUTS)
    apart = float(np.abs(own.values(obs, "target_values") - own.values(obs)).max())
    if apart > 1e-4:
        yield Finding(signals.NOT_COPIED, f"values that differ by up to {apart:.3g}", "the same ones at step 0")


def copies(own: Own) -> Iterator[Finding]:
    """The target stays where it is until it is copied anew."""
    obs = made(own, INPUTS)
    begun = own.values(obs, "target_values")
    for seed in range(3):
        own.learn(made_batch(own, int(own.settings["batch_size"]), seed))
    moved, learned = own.values(obs, "target_values"), own.values(obs)
    if np.abs(moved - begun).max() > 1e-7 and np.abs(moved - learned).max() < 1e-6:
        yield Finding(signals.ONLINE, "it is the online network after 3 updates too", "as it was at the last copy")
    if "sync_target" in own.has:
        own.call("sync_target")
        apart = float(np.abs(own.values(obs, "target_values") - own.values(obs)).max())
        if apart > 1e-4:
            yield Finding(signals.NOT_SYNCED, f"values still differ by up to {apart:.3g} after it", "the same ones")


def environment(own: Own) -> Iterator[Finding]:
    """A thousand random steps of the user's environment."""
    env, rng = own.env, np.random.default_rng(0)
    first = reset(own, 0)
    again = reset(own, 0)
    if not np.array_equal(first, again):
        yield Finding(signals.RESTARTS, "two resets with seed 0 differ", "the same first observation")
    seen, rewards, ends = [first], [], 0
    for _ in range(STEPS):
        try:
            answer = env.step(int(rng.integers(own.actions)))
        except Exception as error:
            raise InputError(f"{own.name}: the environment's step fails: {type(error).__name__}: {error}") from error
        allowed = "obs, reward, terminated, truncated, info"
        check(isinstance(answer, tuple) and len(answer) == 5, f"{own.name}: what step returns", type(answer), allowed)
        seen.append(observed(own, answer[0], "step"))
        rewards.append(float(answer[1]))
        if answer[2] or answer[3]:
            ends += 1
            seen.append(reset(own, None))
    stack = np.stack(seen[:200]).astype(np.float64)
    if np.ptp(stack, axis=0).max() == 0:
        yield Finding(signals.FLAT, f"the same one {len(stack)} times under random play", "others")
    categories = isinstance(env.observation_space, gymnasium.spaces.Discrete | gymnasium.spaces.MultiDiscrete)
    if own.dtype != np.uint8 and not categories and np.abs(stack).max() > SCALED:
        yield Finding(signals.UNSCALED, f"numbers up to {np.abs(stack).max():.4g}", f"within about {SCALED:g}")
    if not ends:
        yield Finding(signals.ENDLESS, f"no end in {STEPS:,} steps", "one, or a time limit")
    if not np.any(rewards):
        yield Finding(signals.REWARDLESS, f"a reward of 0 in {STEPS:,} steps", "others, sooner or later")
    if isinstance(env, gymnasium.Env):
        yield from judge_by_gymnasium(env)


def reset(own: Own, seed: int | None) -> np.ndarray:
    try:
        answer = own.env.reset(seed=seed)
    except Exception as error:
        raise InputError(f"{own.name}: the environment's reset fails: {type(error).__name__}: {error}") from error
    good = isinstance(answer, tuple) and len(answer) == 2
    check(good, f"{own.name}: what reset returns", type(answer).__name__, "obs and info")
    return observed(own, answer[0], "reset")


def observed(own: Own, obs: object, what: str) -> np.ndarray:
    found = np.asarray(obs)
    check(found.shape == own.shape, f"{own.name}: shape of an observation from {what}", found.shape, f"{own.shape}")
    return found
