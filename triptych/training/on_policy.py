"""On-policy training: actor-critics, which learn from what they have just played and then forget it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import numpy as np

from triptych.algorithms import a2c
from triptych.buffers.rollout import Played, RolloutBuffer
from triptych.envs import Step
from triptych.spec import dtypes
from triptych.spec.batches import Rollout, Taught, Told
from triptych.training.agent import draw
from triptych.training.base import Choice
from triptych.training.playing import Playing
from triptych.utils.state import State


class OnPolicy(Playing):
    """A2C and PPO: a rollout of every game, its updates, the next rollout."""

    @property
    def config(self) -> a2c.Config:
        return cast(a2c.Config, self.recipe.algorithm)

    def make_buffer(self) -> None:
        recipe, config = self.recipe, self.config
        self.epochs, self.minibatches = config.passes()
        self.rollout_start = (
            0  # steps when the rollout began; the schedules are read there, so that the last one learns too
        )
        shape = (config.rollout_steps, recipe.num_envs, self.games.observation)
        self.rollout = RolloutBuffer(*shape, self.state_size, dtypes(recipe.precision)[0])

    def keep_teacher(self, actions: int, precision: str) -> None:
        self.rollout.keep_teacher(actions, precision)

    def select_actions(self) -> Choice:
        """Draws from the policy."""
        outputs, state = self.agent.act(self.obs, self.state, self.started)
        logits, said = outputs[:, :-1], self.said()
        if self.teacher is not None and self.steps_of_run < self.recipe.teacher_plays:
            values = self.teacher.outputs(self.obs) if said is None else said.outputs
            logits = values / self.teacher.temperature
        actions, log_prob = draw(logits, self.rngs["explore"])
        return Choice(actions, np.ones(len(actions), bool), state, 0.0, log_prob, outputs[:, -1], said)

    def observe(self, choice: Choice, step: Step, mask: np.ndarray) -> None:
        assert choice.log_prob is not None
        assert choice.value is not None
        if not self.rollout.filled:
            self.rollout_start = self.steps_of_run
        if step.broken is not None:  # what came before it bootstraps from what it began with
            self.rollout.cut(step.broken)
        played = Played(
            self.obs, self.started, choice.actions, choice.log_prob, choice.value, self.config.learned_reward(step.reward),
            step.terminated, step.truncated, mask, None if choice.teacher is None else choice.teacher.outputs,
        )  # fmt: skip
        self.rollout.add(played, self.state)

    def cut(self) -> list[dict[str, Any]]:
        """Adds the games' last observations to a rollout that has begun; where that fills it, it is learned from."""
        if not self.rollout.filled:
            return []
        everywhere = np.ones(self.recipe.num_envs, bool)
        self.rollout.cut(everywhere)
        none = np.zeros(self.recipe.num_envs, bool)
        self.observe(self.select_actions(), Step(self.obs, np.zeros(self.recipe.num_envs), none, none), none)
        return self.update_after_step()

    def update_after_step(self) -> list[dict[str, Any]]:
        """Makes the updates of a rollout when it is full."""
        if not self.rollout.full:
            return []
        updates = []
        for batch in self.batches():
            updates.append(self.update(batch))
            self.counters.updates += 1
        return updates

    def batches(self) -> Iterator[Rollout | Taught]:
        """What is learned from a full rollout, which is empty then."""
        recipe, config = self.recipe, self.config
        outputs, _ = self.agent.act(self.obs, self.state, self.started)
        self.rollout.close(outputs[:, -1], config.gamma, config.gae_lambda)
        scalars = config.coefficients(self.rollout_start, recipe.steps)
        for _ in range(self.epochs):
            for batch in self.rollout.minibatches(self.rngs["sample"], self.minibatches, recipe.has_memory, **scalars):
                played = batch.batch if isinstance(batch, Told) else batch
                # Where all of it are episodes' last observations, there is no mean to learn from.
                if played.mask[config.burn_in :].any():
                    yield self.taught(batch)

    @property
    def schedules_at(self) -> int:
        return self.rollout_start

    @property
    def can_checkpoint(self) -> bool:
        return self.rollout.filled == 0

    def get_state(self, here: bool = False, torn: bool = False) -> State:
        state = super().get_state(here, torn)
        if not self.rollout.filled:
            return state
        return state.with_part("rollout", self.rollout.get_state()).with_part(
            "begun", State({}, {"at": self.rollout_start})
        )

    def set_state(self, state: State) -> None:
        super().set_state(state)
        if "rollout" in state.json:
            self.rollout.set_state(state.part("rollout"))
            self.rollout_start = state.json["begun"]["at"]

    def example(self) -> Any:
        self.rollout.mask[:] = True  # a batch without an action has no mean
        if self.rollout.teacher is not None:
            self.rollout.teacher[:] = 0
        rng = np.random.default_rng(0)
        return self.rollout.minibatches(rng, self.minibatches, self.recipe.has_memory, 0.0, 0.1)[0]

    def row_bytes(self) -> float:
        return 0

    def profiled(self) -> list[tuple[Any, str, str]]:
        return [
            (self.rollout, "add", "store"),
            (self.rollout, "close", "store"),
            (self.rollout, "minibatches", "sample"),
        ]
