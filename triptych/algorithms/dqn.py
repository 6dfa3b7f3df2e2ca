"""DQN (Mnih et al. 2015): Q-learning from a replay buffer with a target network."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar, Literal, Self

from triptych.algorithms import base
from triptych.algorithms.schedules import exponential_schedule, linear_schedule
from triptych.losses.shapes import check_arrays
from triptych.losses.value import LOSSES, Loss, loss_of_error, temporal_difference
from triptych.spec import Dense, Dueling, Layer, Memory, Network, Observation
from triptych.spec.batches import Array, LossFunction, Transition
from triptych.utils.checks import Period, at_least, check, one_of, period, positive, within

# What a proof is cut down to: more would leave it without updates, without choices of the network, or without target copies.
MOST_WARM_UP, MOST_EPSILON, MOST_TARGET = 1_000, 0.1, 500


@dataclass(frozen=True)
class Config(base.Config):
    """DQN's settings. A step is one agent decision in one game; an update is one optimiser step."""

    batch_size: int = 32  # transitions that an update learns from
    gamma: float = 0.99  # discount of a reward one step later
    loss: Loss = "huber"  # how the TD error is measured
    delta: float = 1.0  # where the Huber loss turns from squared to linear, in units of Q
    dueling: bool = False  # the last dense layer becomes two streams, of a state's value and the actions' advantages
    double: bool = False  # the online network chooses the action that the target network values
    n_step: int = 1  # rewards summed up before bootstrapping; not corrected for the older policy that acted
    prioritised: bool = False  # draw transitions with a large TD error more often, and weigh the loss to make up for it
    alpha: float = 0.6  # how much priorities matter: 0 not at all, 1 in proportion to the TD error
    beta_start: float = 0.4  # how much of that preference the loss makes up for at step 0; all of it from beta_steps on
    beta_steps: int = 1_000_000  # step from which all of it is made up for
    reward: Literal["raw", "sign"] = "raw"  # what is learned from; logs always show the raw reward
    life_loss_reward: float | None = None  # the reward to learn from where a life is lost (Atari); None: the step's own
    replay_size: int = 1_000_000  # observations kept (one a step, and the last one of each episode)
    compress: bool = True  # keep pictures compressed in memory, exact to the byte; else 10 to 30 times as large
    replay_on_device: bool = False  # keep pictures uncompressed where the network is (a GPU with room for them)
    update_every: int = 4  # steps between updates
    skip_first: int = 0  # steps at the start of each episode that do not count for updates
    target_every: Period = (10_000, "steps")  # how often the online network is copied into the target network
    warm_up: int = 50_000  # steps of random play at the start
    learn_from: int | None = None  # transitions stored before the first update; None: the warm-up's end
    epsilon_start: float = 1.0  # share of random actions at step 0
    epsilon_end: float = 0.1  # share of random actions from epsilon_steps on
    epsilon_shape: Literal["linear", "exponential"] = "linear"  # how it falls from the one to the other
    epsilon_steps: int = 1_000_000  # steps of the linear fall; of the exponential one to 1/e
    epsilon_from: int = 0  # the step from which the fall is counted

    kind: ClassVar[str] = "dqn"
    family: ClassVar[base.Family] = "off-policy"
    policy: ClassVar[base.Policy] = "greedy"
    metrics: ClassVar[tuple[str, ...]] = ("q_mean", "td_error_mean")
    may_remember: ClassVar[bool] = False
    has_target: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive(self, "batch_size", "delta", "replay_size", "update_every", "learn_from", "n_step")
        at_least(self, 0, "warm_up", "epsilon_steps", "epsilon_from", "skip_first", "beta_steps")
        at_least(self, -1e300, "life_loss_reward")
        within(self, 0, 1, "gamma", "epsilon_start", "epsilon_end", "alpha", "beta_start")
        one_of(self, "reward", ("raw", "sign"))
        one_of(self, "loss", LOSSES)
        one_of(self, "epsilon_shape", ("linear", "exponential"))
        period(self, "target_every")
        allowed = f"at most replay_size ({self.replay_size})"
        check(self.batch_size <= self.replay_size, "batch_size", self.batch_size, allowed)
        half = self.replay_size // 2  # final observations take room too, so a full buffer may never hold more
        check((self.learn_from or 0) <= half, "learn_from", self.learn_from, f"at most half of replay_size ({half})")

    def epsilon(self, step: int) -> float:
        """The share of random actions at `step`: 1 during the warm-up, the schedule's value after it."""
        if step < self.warm_up:
            return 1.0
        schedule = linear_schedule if self.epsilon_shape == "linear" else exponential_schedule
        return schedule(max(0, step - self.epsilon_from), self.epsilon_start, self.epsilon_end, self.epsilon_steps)

    def beta(self, step: int) -> float:
        """How much of what priorities distort is corrected at `step`."""
        return linear_schedule(step, self.beta_start, 1.0, self.beta_steps)

    def learns(self, step: int, stored: int) -> bool:
        """Whether updates are made at `step` with `stored` transitions to sample from."""
        if self.learn_from is None:
            return step >= self.warm_up and stored > 0
        return stored >= self.learn_from

    def check(self, num_envs: int, has_memory: bool) -> None:
        """Refuses a replay that is too small for what is drawn from it."""
        self.check_kept("n_step", self.n_step, self.n_step, num_envs)

    def check_kept(self, name: str, value: int, steps: int, num_envs: int) -> None:
        """Refuses a setting that makes a sample reach over more steps than half of what is kept of each game."""
        half = self.replay_size // num_envs // 2
        check(steps <= max(1, half), name, value, f"at most half of what the replay keeps of each game ({half})")

    def warnings(self, steps: int, num_envs: int) -> list[str]:
        lines = [line] if (line := self.unreached(steps, num_envs)) else []
        if self.n_step > 1:
            lines.append(
                f"n_step is {self.n_step}: returns from replay are those of the older policies that acted, not corrected"
            )
        return lines

    def unreached(self, steps: int, num_envs: int) -> str:
        begins, ends = self.steps_before_updates(num_envs), f"the run only {steps:,}: it ends before the first update"
        if begins >= steps:
            name, unit = ("warm_up", "steps") if self.learn_from is None else ("learn_from", "transitions")
            return f"{name} is {begins:,} {unit}, {ends}"
        if steps - begins < self.update_every:
            return f"update_every is {self.update_every:,} steps, counted from step {begins:,}, {ends}"
        return ""

    def steps_before_updates(self, num_envs: int) -> int:
        return self.warm_up if self.learn_from is None else self.learn_from

    def ranges(self) -> dict[str, str]:
        number, unit = self.target_every
        return {
            "gamma": base.spread(self.gamma, 0.95, 0.999),
            "n_step": f"1..{max(5, 2 * self.n_step)}",
            "batch_size": ",".join(map(str, base.around(self.batch_size, 2))),
            "target_every": ",".join(f"{one} {unit}" for one in base.around(number, 4)),
        }

    @property
    def steps_before_learning(self) -> int:
        return self.warm_up

    def provable(self) -> Self:
        number, unit = self.target_every
        changes: dict[str, Any] = {
            "warm_up": min(self.warm_up, MOST_WARM_UP),
            "epsilon_start": min(self.epsilon_start, MOST_EPSILON),
            "epsilon_end": min(self.epsilon_end, MOST_EPSILON),
            "learn_from": None if self.learn_from is None else min(self.learn_from, MOST_WARM_UP),
            "target_every": (min(number, MOST_TARGET) if unit == "steps" else MOST_TARGET, "steps"),
        }
        return dataclasses.replace(self, **changes)

    def smallest(self, num_envs: int) -> Self:
        size = 4 * self.longest_sample * num_envs
        return dataclasses.replace(self, replay_size=size, replay_on_device=False, learn_from=None, n_step=1)

    @property
    def samples_on_device(self) -> bool:
        return self.replay_on_device

    @property
    def stores_state(self) -> bool:
        """Whether the replay keeps the agent's states at which samples begin."""
        return False

    @property
    def states_kept(self) -> tuple[int, int]:
        """Of those: one in so many steps of an episode, and how many steps before a multiple of that."""
        return 1, 0

    @property
    def longest_sample(self) -> int:
        """Observations that a replay must hold for one batch or one sample, whichever is longer."""
        return self.batch_size


def network(config: Config, observation: Observation, body: tuple[Layer, ...], num_actions: int) -> Network:
    """The body with a linear head, one Q value an action; a ReLU there would hide every negative value."""
    memory = next((layer.kind for layer in body if isinstance(layer, Memory)), None)
    check(
        memory is None or config.may_remember,
        "memory",
        memory,
        "none with the algorithm dqn; drqn learns with one, and so do the actor-critics: `triptych train drqn-cartpole` or `memory-chain-ppo`, with --env",
    )
    if not config.dueling:
        return Network(observation, (*body, Dense(num_actions, "linear")))
    last: Any = body[-1] if body else None
    check(hasattr(last, "units"), "dueling", True, "False, or a network that ends in a layer of units")
    head = Dueling(num_actions, last.units, last.initialiser)
    return Network(observation, (*(body[:-1] if isinstance(last, Dense) else body), head))


def make_loss(config: Config) -> LossFunction:
    """Closes over the settings and returns `loss(xp, online, target, batch) -> (scalar, (td error [B], scalars))`."""

    def loss(
        xp: ModuleType, online: Any, target: Any, batch: Transition
    ) -> tuple[Array, tuple[Array, dict[str, Array]]]:
        q_tm1 = online(batch.obs)  # [B, A]
        q_t = target(batch.next_obs)  # [B, A]
        selector = xp.stop_gradient(online(batch.next_obs)) if config.double else None  # [B, A]
        td_error = temporal_difference(xp, q_tm1, batch.action, batch.reward, batch.discount, q_t, selector)  # [B]
        check_arrays(td_error=(td_error, "B", "float"), weight=(batch.weight, "B", "float"))
        scalars = {"q_mean": xp.mean(xp.max(q_tm1, axis=1)), "td_error_mean": xp.mean(xp.abs(td_error))}
        error = loss_of_error(xp, td_error, config.loss, config.delta)  # [B]
        return xp.mean(batch.weight * error), (td_error, scalars)

    return loss


algorithm = base.Algorithm(Config, network, make_loss, Transition)
