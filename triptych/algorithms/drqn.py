"""DRQN (Hausknecht & Stone 2015): Q-learning of a network with memory, from sequences, as R2D2 has them (Kapturowski et al. 2019)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

from triptych.algorithms import base, dqn
from triptych.losses.shapes import check_arrays, steps_of
from triptych.losses.value import loss_of_error, sequence_priority, temporal_difference
from triptych.spec import Layer, Network, Observation
from triptych.spec.batches import Array, LossFunction, Sequence
from triptych.utils.checks import at_least, check, positive


@dataclass(frozen=True)
class Config(dqn.Config):
    """DQN's settings, and the sequences'. The batch is one of sequences; the replay still counts observations."""

    sequence_length: int = 20  # steps of a sequence, burn-in included
    burn_in: int = 0  # its first steps, which only bring the state up to date; no gradient
    stored_state: bool = False  # begin a sequence with the state that the agent had there; else with zeros

    kind: ClassVar[str] = "drqn"
    may_remember: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "sequence_length")
        at_least(self, 0, "burn_in")
        length = self.sequence_length
        check(self.burn_in < length, "burn_in", self.burn_in, f"less than sequence_length ({length})")
        half = self.replay_size // 2
        check(
            length + self.n_step <= half, "sequence_length", length, f"with n_step at most half of replay_size ({half})"
        )
        check(not self.replay_on_device, "replay_on_device", True, "False, as sequences are put together in memory")

    def check(self, num_envs: int, has_memory: bool) -> None:
        super().check(num_envs, has_memory)
        length = self.sequence_length
        self.check_kept("sequence_length", length, length + self.n_step, num_envs)

    @property
    def unlearned_steps(self) -> int:
        return self.burn_in

    @property
    def stores_state(self) -> bool:
        return self.stored_state

    @property
    def states_kept(self) -> tuple[int, int]:
        return self.sequence_length - self.burn_in, self.burn_in

    @property
    def longest_sample(self) -> int:
        return max(self.batch_size, self.sequence_length)


def network(config: Config, observation: Observation, body: tuple[Layer, ...], num_actions: int) -> Network:
    """As DQN's; the body may hold a memory."""
    return dataclasses.replace(dqn.network(config, observation, body, num_actions), unrolls=True)


def make_loss(config: Config) -> LossFunction:
    """Closes over the settings; see `dqn.make_loss`. The TD error that comes back is a sequence's priority [B]."""

    def unrolled(xp: ModuleType, network: Any, batch: Sequence) -> Array:
        """Q values [L + n, B, A] of the steps after the burn-in, through which no gradient passes."""
        start, state = config.burn_in, batch.state
        if start:
            state = xp.stop_gradient(network(steps_of(batch.obs, 0, start), state, batch.reset[:start])[1])
        return network(steps_of(batch.obs, start), state, steps_of(batch.reset, start))[0]

    def loss(xp: ModuleType, online: Any, target: Any, batch: Sequence) -> tuple[Array, tuple[Array, dict[str, Array]]]:
        check_arrays(
            obs=(batch.obs, "SB...", "any"),  # S: T + n
            reset=(batch.reset, "SB", "bool"),
            state=(batch.state, "BN", "float"),
            ahead=(batch.ahead, "LB", "int"),
            action=(batch.action, "LB", "int"),
            weight=(batch.weight, "B", "float"),
            **{name: (getattr(batch, name), "LB", "float") for name in ("reward", "discount", "mask")},
        )
        q, q_target = unrolled(xp, online, batch), unrolled(xp, target, batch)  # [L + n, B, A]
        shape, actions = tuple(batch.action.shape), q.shape[-1]  # (L, B)
        steps = shape[0]

        def flat(values: Array) -> Array:
            """[L, B, A] as [L * B, A]."""
            return xp.reshape(values, (-1, actions))

        def bootstrapped(values: Array) -> Array:
            """The values [L + n, B, A] at the observation that each step bootstraps from."""
            found = values[1 : 1 + steps]
            for ahead in range(2, config.n_step + 1):
                found = xp.where((batch.ahead == ahead)[..., None], values[ahead : ahead + steps], found)
            return flat(found)

        action, reward, discount = (xp.reshape(x, (-1,)) for x in (batch.action, batch.reward, batch.discount))
        selector = xp.stop_gradient(bootstrapped(q)) if config.double else None  # [L * B, A]
        taken = (flat(q[:steps]), action, reward, discount)
        td_error = xp.reshape(temporal_difference(xp, *taken, bootstrapped(q_target), selector), shape)
        living = xp.sum(batch.mask)
        scalars = {
            "q_mean": xp.sum(batch.mask * xp.max(q[:steps], axis=2)) / living,
            "td_error_mean": xp.sum(batch.mask * xp.abs(td_error)) / living,
        }
        error = batch.mask * loss_of_error(xp, td_error, config.loss, config.delta)  # [L, B]
        total = xp.sum(batch.weight * xp.sum(error, axis=0))
        return total / living, (sequence_priority(xp, td_error, batch.mask), scalars)

    return loss


algorithm = base.Algorithm(Config, network, make_loss, Sequence)
