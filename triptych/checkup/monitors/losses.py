"""Whether an update learns what its batch says: TD errors and losses, worked out again in float64 from the network's own answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.monitors.base import Monitor
from triptych.spec import each, first_of
from triptych.training.callbacks.base import Run

TD = Signal(
    "td-error-wrong",
    "stop",
    "an update's TD errors are not those of its batch",
    (
        "a target that is bootstrapped from another network, of another action, or of another sign",
        "a discount that is applied twice, not at all, or beyond an episode's end",
        "shapes that broadcast: [B] against [B, 1]",
    ),
    "the loss: how the target is made, and which network it asks",
)
LOSS = Signal(
    "loss-wrong",
    "stop",
    "an update's loss is not that of its batch",
    (
        "a term with another sign or weight than the settings say",
        "importance weights, a mask or advantages that are left out, or broadcast",
        "a Huber loss that turns elsewhere, or a mean over the wrong axis",
    ),
    "the loss: its terms and their weights",
)
ANOTHER = Signal(
    "rollout-of-another-policy",
    "stop",
    "a rollout was played by another policy than the one that learns from it",
    (
        "weights that change while a rollout is played: a worker that takes new ones in its middle",
        "log probabilities of another game or action, or worked out after an update",
    ),
    "when a worker takes weights; what is stored of a step's log probability",
)
FIRST, SELDOM = 6, 10  # rounds in which it is worked out: the first ones with an update, then one in so many
SURE = 2  # times that it is worked out whatever that costs
MOST_CALLS = 400  # of the network
TOLERANCE = 5e-3  # of a number's size, in float32
Numbers = dict[str, np.ndarray]


def elementwise(config: Any, error: np.ndarray) -> np.ndarray:
    """Huber, squared or absolute."""
    size = np.abs(error)
    if config.loss == "huber":
        return np.where(size <= config.delta, 0.5 * size**2, config.delta * (size - 0.5 * config.delta))
    return size**2 if config.loss == "squared" else size


def td_errors(config: Any, batch: Any, now: np.ndarray, later: np.ndarray, selector: np.ndarray) -> np.ndarray:
    """[...] of values [..., A] at the actions, of the target network later, and of the online network there."""
    best = (selector if config.double else later).argmax(axis=-1)
    bootstrapped = np.take_along_axis(later, best[..., None], axis=-1)[..., 0]
    chosen = np.take_along_axis(now, np.asarray(batch.action, np.int64)[..., None], axis=-1)[..., 0]
    return np.asarray(batch.reward, np.float64) + np.asarray(batch.discount, np.float64) * bootstrapped - chosen


class Losses(Monitor):
    """Asks the network itself, as it is before an update, and puts its answers into the definitions."""

    def __init__(self) -> None:
        self.run: Any = None
        self.rounds = self.due = self.looks = 0
        self.wanted: Numbers = {}
        self.wrong: dict[str, tuple[int, str, str]] = {}
        self.count: dict[str, int] = {}

    def begin(self, run: Run) -> None:
        recipe = run.recipe
        fits = recipe.precision != "bfloat16" and not recipe.algorithm.samples_on_device and not recipe.teacher
        if fits and recipe.algorithm.kind in (*FORMULAS, "a3c") and run.training.players():
            self.run = run

    def fed(self, player: int, batch: Any) -> None:
        if self.run is None or self.rounds < self.due or self.wrong:
            return
        self.wanted = {}
        if self.looks >= SURE and not self.budget.affords():
            return
        shape = np.shape(batch.reset) if hasattr(batch, "reset") else (1, len(first_of(batch.obs)))
        if shape[0] * -(-shape[1] // self.run.recipe.num_envs) <= MOST_CALLS:
            asked, kind = Asked(self.run, player), self.run.recipe.algorithm.kind
            if kind in ON_ITS_OWN:
                self.compare(
                    "log_prob", *(each_part[np.asarray(batch.mask) > 0] for each_part in drawn_by(asked, batch))
                )
            if kind in FORMULAS:
                self.wanted = FORMULAS[kind](asked, batch)
            else:
                self.put_off()

    def learned(self, player: int, batch: Any, rate: float, scalars: dict[str, Any]) -> None:
        if not self.wanted:
            return
        wanted, self.wanted = self.wanted, {}
        self.put_off()
        learner = self.run.training.learner
        for name, expected in wanted.items():
            if not self.compare(name, np.asarray(learner.to_numpy(scalars[name]), np.float64), expected):
                return  # what follows from it is wrong too

    def put_off(self) -> None:
        """Nothing more is worked out before the next round, or for some rounds."""
        self.looks += 1
        self.due = self.rounds + (1 if self.rounds < FIRST else SELDOM)

    def compare(self, name: str, found: np.ndarray, expected: np.ndarray) -> bool:
        """Whether a number or array is as expected; twice in a row not, it is told."""
        if found.shape == expected.shape and close(found, expected):
            self.count[name] = 0
            return True
        self.count[name] = self.count.get(name, 0) + 1
        if self.count[name] > 1:
            self.wrong[name] = (self.run.counters.steps, *told(found, expected))
        return False

    def judge(self, run: Run) -> Iterator[Finding]:
        self.rounds += 1
        for name, (step, found, expected) in self.wrong.items():
            signal = {"td_error": TD, "log_prob": ANOTHER}.get(name, LOSS)
            yield Finding(signal, f"{name} is {found}", expected, step)


def close(found: np.ndarray, expected: np.ndarray) -> bool:
    """Whether all numbers are the same but for float32's rounding, and a few that lie at a tie."""
    scale = np.abs(expected).mean() + np.abs(expected) + 0.02
    return bool((np.abs(found - expected) > TOLERANCE * scale).mean() <= 0.02)


def told(found: np.ndarray, expected: np.ndarray) -> tuple[str, str]:
    """Both in words: a number, or that of the sample that differs most."""
    if found.shape != expected.shape:
        return f"of shape {found.shape}", f"shape {expected.shape}"
    if not found.shape:
        return f"{found:.4g}", f"{expected:.4g}"
    at = np.unravel_index(np.argmax(np.abs(found - expected)), found.shape)
    return f"{found[at]:.4g} for sample {int(at[-1])}", f"{expected[at]:.4g}"


class Asked:
    """A run's online and target network, asked as the run itself asks them; nothing of it changes."""

    def __init__(self, run: Any, player: int = 0):
        own = run.training.players()[player]
        self.config, self.games = run.recipe.algorithm, run.recipe.num_envs
        self.learner, self.agent = own.learner, own.agent

    def step(self, obs: Any, state: Any = None, reset: Any = None) -> tuple[np.ndarray, Any]:
        """[B, ...] of observations [B, ...], so many at a time as there are games: a shape that it knows already."""
        count = len(first_of(obs))
        outputs, states = [], []
        for start in range(0, count, self.games):
            places = np.minimum(np.arange(start, start + self.games), count - 1)
            chosen = (None if state is None else state[places], None if reset is None else reset[places])
            given = self.agent.taken(each(lambda part, at=places: np.asarray(part)[at], obs), *chosen)
            found, after = type(self.learner).act(self.learner, *given)
            outputs.append(np.asarray(found, np.float64))
            states.append(after)
        whole = None if states[0] is None else np.concatenate(states)[:count]
        return np.concatenate(outputs)[:count], whole

    def unrolled(self, batch: Any) -> np.ndarray:
        """[T, B, ...] of a batch's observations [T, B, ...] from its state on."""
        state, found = np.asarray(batch.state), []
        for t in range(len(batch.reset)):
            outputs, state = self.step(each(lambda part, at=t: part[at], batch.obs), state, np.asarray(batch.reset[t]))
            found.append(outputs)
        return np.stack(found)

    def by_target(self, ask: Any) -> np.ndarray:
        """What `ask` gives while the target's weights stand in the online network."""
        state, online = self.learner.get_state(), self.learner.get_weights()
        target = {name.removeprefix("target/"): w for name, w in state.items() if name.startswith("target/")}
        self.learner.set_weights(target)
        try:
            return ask()
        finally:
            self.learner.set_weights(online)


def transitions(asked: Asked, batch: Any) -> Numbers:
    config = asked.config
    now, later = asked.step(batch.obs)[0], asked.step(batch.next_obs)[0]
    target = asked.by_target(lambda: asked.step(batch.next_obs)[0])
    error = td_errors(config, batch, now, target, later)
    weighed = np.asarray(batch.weight, np.float64) * elementwise(config, error)
    return {"td_error": error, "loss": np.asarray(weighed.mean())}


def sequences(asked: Asked, batch: Any) -> Numbers:
    config, steps = asked.config, len(batch.action)
    online, target = asked.unrolled(batch), asked.by_target(lambda: asked.unrolled(batch))
    later = (config.burn_in + np.arange(steps))[:, None] + np.asarray(batch.ahead)
    games = np.arange(later.shape[1])
    now = online[config.burn_in :][:steps]
    error = td_errors(config, batch, now, target[later, games], online[later, games])
    mask = np.asarray(batch.mask, np.float64)
    size, living = np.abs(error) * mask, mask.sum()
    priority = 0.9 * size.max(axis=0) + 0.1 * size.sum(axis=0) / mask.sum(axis=0)
    total = (np.asarray(batch.weight, np.float64) * (mask * elementwise(config, error)).sum(axis=0)).sum()
    return {"td_error": priority, "loss": np.asarray(total / living)}


def rollout(asked: Asked, batch: Any) -> Numbers:
    """The terms of an actor-critic's loss, and the whole."""
    config = asked.config
    outputs = asked.unrolled(batch)[config.burn_in :]
    logits, values = outputs[..., :-1], outputs[..., -1]
    part: Mapping[str, np.ndarray] = {
        name: np.asarray(getattr(batch, name), np.float64)[config.burn_in :]
        for name in ("mask", "advantage", "returns", "log_prob")
    }
    mask, advantage = part["mask"], part["advantage"]

    def mean(x: np.ndarray) -> Any:
        return (x * mask).sum() / mask.sum()

    if config.normalise_advantages:
        centred = advantage - mean(advantage)
        advantage = centred / (np.sqrt(mean(centred**2)) + 1e-8)
    log_probs = normalised(logits)
    taken = taken_of(log_probs, np.asarray(batch.action)[config.burn_in :])
    if hasattr(config, "clip"):
        ratio, clip = np.exp(taken - part["log_prob"]), float(batch.clip)
        gain = np.minimum(ratio * advantage, np.clip(ratio, 1 - clip, 1 + clip) * advantage)
    else:
        gain = advantage * taken
    found = {
        "policy_loss": -mean(gain),
        "value_loss": mean(elementwise(config, part["returns"] - values)),
        "entropy": mean(-(np.exp(log_probs) * log_probs).sum(axis=-1)),
    }
    found["loss"] = (
        found["policy_loss"]
        + config.value_weight * found["value_loss"]
        - float(batch.entropy_weight) * found["entropy"]
    )
    return {name: np.asarray(number) for name, number in found.items()}


def normalised(logits: np.ndarray) -> np.ndarray:
    """Log probabilities [..., A]."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def taken_of(log_probs: np.ndarray, action: np.ndarray) -> np.ndarray:
    """Those of the actions taken [...]."""
    return np.take_along_axis(log_probs, action.astype(np.int64)[..., None], axis=-1)[..., 0]


def drawn_by(asked: Asked, batch: Any) -> tuple[np.ndarray, np.ndarray]:
    """Log probabilities [T, B] as the rollout has them, and by the policy that learns from it."""
    now = taken_of(normalised(asked.unrolled(batch)[..., :-1]), np.asarray(batch.action))
    return np.asarray(batch.log_prob, np.float64), now


ON_ITS_OWN = ("a2c", "a3c")  # learn from a rollout once, with the weights that played it
FORMULAS: dict[str, Any] = {"dqn": transitions, "drqn": sequences, "a2c": rollout, "ppo": rollout}
