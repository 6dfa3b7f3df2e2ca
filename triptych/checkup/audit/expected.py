"""What a recipe makes of the games' stream: worked out here once more, from the definitions alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from triptych.checkup.stream import Stream

REWARDS = ("raw", "sign", "clip")  # ways to learn from a reward


@dataclass(frozen=True)
class Makes:
    """The settings by which rewards are learned from."""

    gamma: float
    reward: str = "raw"  # one of REWARDS
    scale: float = 1.0  # before that
    life: float | None = None  # in place of the reward of a step that lost a life
    n_step: int = 1
    gae_lambda: float = 1.0

    @classmethod
    def of(cls, config: Any) -> Makes:
        """Of an algorithm's settings."""
        found = {"scale": "reward_scale", "life": "life_loss_reward", "n_step": "n_step", "gae_lambda": "gae_lambda"}
        given = {mine: getattr(config, theirs) for mine, theirs in found.items() if hasattr(config, theirs)}
        return cls(config.gamma, config.reward, **given)

    def learned(self, raw: np.ndarray, lost_life: np.ndarray) -> np.ndarray:
        """What is learned from, of raw rewards."""
        scaled = self.scale * raw.astype(np.float64)
        made = {"raw": scaled, "sign": np.sign(scaled), "clip": np.minimum(1.0, np.maximum(-1.0, scaled))}[self.reward]
        return made if self.life is None else np.where(lost_life, self.life, made)


def periods(every: tuple[int, str] | None, counters: Any) -> int:
    """How often so many steps, updates or episodes have passed."""
    return 0 if every is None else int(getattr(counters, every[1]) // every[0])


def epsilon_at(config: Any, step: int) -> float:
    """The share of random actions at a step, from the settings. Of an algorithm of the user's, what it says itself."""
    if not type(config).__module__.startswith("triptych."):
        return float(config.epsilon(step))
    if step < config.warm_up:
        return 1.0
    since, steps = max(0, step - config.epsilon_from), config.epsilon_steps
    if config.epsilon_shape == "exponential":
        left = math.exp(-since / steps) if steps else 0.0
    else:
        left = max(0.0, 1 - since / steps) if steps else 0.0
    return float(config.epsilon_end + (config.epsilon_start - config.epsilon_end) * left)


class Outcome(NamedTuple):
    """What a transition must say of steps [...]."""

    acted: np.ndarray  # bool, an action was taken there, and what followed it is stored
    action: np.ndarray
    reward: np.ndarray
    discount: np.ndarray
    ahead: np.ndarray  # rows to the observation to bootstrap from
    following: np.ndarray  # its fingerprint


def outcome(stream: Stream, makes: Makes, rows: np.ndarray, games: np.ndarray, newest: int) -> Outcome:
    """Of the steps at rows and games [...], where `newest` is the last row that a sample may show."""
    offsets = np.arange(makes.n_step).reshape(-1, *[1] * np.ndim(rows))
    reached, first = rows + offsets, stream.at("step", rows, games)
    counts = stream.at("acted", reached, games) & (reached + 1 <= newest)
    counts &= stream.at("step", reached, games) == first + offsets  # the same episode
    counts = np.logical_and.accumulate(counts, axis=0)
    ahead = counts.sum(axis=0)
    learned = makes.learned(stream.at("reward", reached, games), stream.at("lost_life", reached, games))
    terminal = (counts & stream.at("terminated", reached, games)).any(axis=0)
    return Outcome(
        counts[0],
        stream.at("action", rows, games),
        (counts * makes.gamma**offsets * learned).sum(axis=0),
        np.where(terminal, 0.0, makes.gamma**ahead),
        ahead,
        stream.at("prints", rows + ahead, games),
    )


def advantages(
    reward: np.ndarray, value: np.ndarray, terminated: np.ndarray, acted: np.ndarray, gamma: float, decay: float
) -> np.ndarray:
    """Generalised advantages [T, N] (Schulman et al. 2016, equation 16) of a rollout's steps; 0 where nothing was done.

    Args:
        value: [T + 1, N] of what each step showed, and of what is shown after the last one.
        acted: [T, N] whether an action was taken: an episode ends before a step at which none was.
        decay: gamma times lambda.
    """
    steps = len(reward)
    found = np.zeros(value.shape)
    for place in reversed(range(steps)):
        bootstrap = np.where(terminated[place], 0.0, value[place + 1])
        goes_on = acted[place + 1] if place + 1 < steps else False
        found[place] = reward[place] + gamma * bootstrap - value[place] + decay * np.where(goes_on, found[place + 1], 0)
        found[place] *= acted[place]
    return found[:-1]


def close(found: Any, wanted: Any) -> np.ndarray:
    """Whether numbers are the same but for the rounding of float32."""
    return np.isclose(found, wanted, rtol=1e-4, atol=1e-4)


def same(found: Any, wanted: Any) -> np.ndarray:
    """Whether numbers that are copied, or summed over few steps, are the same but for the rounding of float32."""
    return np.isclose(found, wanted, rtol=2e-6, atol=1e-6)
