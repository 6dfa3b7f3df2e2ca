"""Games whose observations are hidden now and then (Hausknecht & Stone 2015): what was seen must be remembered."""

from __future__ import annotations

from typing import Any

import numpy as np

from triptych.envs.games import Games, Step, stage_of
from triptych.spec import parts_of, whole_of


class FlickeringGames:
    """Games of which each observation is all zeros with some chance, all its parts at once; of a stack of pictures each one by itself.

    Where the agent is stays told: zeros would be a place, in which a map would write.

    Args:
        games: the games; everything else is theirs.
        chance: that an observation cannot be seen.
        fill: what stands in the stack before an episode's first picture (`Screen.fill`).
    """

    def __init__(self, games: Games, chance: float, fill: str):
        self.games, self.chance, self.fill = games, chance, fill
        self.observation, self.num_actions, self.num_envs = games.observation, games.num_actions, games.num_envs
        self.frames_per_step, self.typical_episode = games.frames_per_step, games.typical_episode
        self.saves, self.first_action = games.saves, games.first_action
        self.stack = self.observation.main.stack
        self.rngs = [np.random.default_rng(0) for _ in range(self.num_envs)]
        self.hidden = np.zeros((self.num_envs, self.stack), bool)  # of the stack's pictures, the newest last
        self.ended = np.zeros(self.num_envs, bool)

    @property
    def stage(self) -> int:
        return stage_of(self.games)

    def reset(self, seeds: np.ndarray) -> Any:
        # A stream apart from the game's own, which has the plain seed.
        self.rngs = [np.random.default_rng([int(seed), 1]) for seed in seeds]
        self.ended[:] = True
        obs = self.blank(self.games.reset(seeds))
        self.ended[:] = False
        return obs

    def send(self, actions: np.ndarray) -> None:
        self.games.send(actions)

    def recv(self) -> Step:
        step = self.games.recv()
        if step.broken is not None:  # a stack begins anew there, as after an end
            self.ended = self.ended | step.broken
        obs = self.blank(step.obs)
        self.ended = step.terminated | step.truncated
        return step._replace(obs=obs)

    def blank(self, obs: Any) -> Any:
        """The observations with what flickers, the newest picture drawn anew and the older ones as they were."""
        drawn = np.array([rng.random() < self.chance for rng in self.rngs])
        # Before the first picture of an episode stand zeros, or that picture as it was seen.
        self.hidden[self.ended] = drawn[self.ended, None] if self.fill == "first" else False
        self.hidden = np.concatenate([self.hidden[:, 1:], drawn[:, None]], axis=1)
        parts = {name: part.copy() for name, part in parts_of(obs).items()}
        for name, part in self.observation.named:
            if not part.is_place:
                parts[name][self.hidden if part.is_picture else drawn] = 0
        return whole_of(parts)

    def get_state(self) -> dict[str, Any]:
        rngs = [rng.bit_generator.state for rng in self.rngs]
        return {
            "games": self.games.get_state(), "rngs": rngs, "hidden": self.hidden.tolist(), "ended": self.ended.tolist()
        }  # fmt: skip

    def set_state(self, state: dict[str, Any]) -> None:
        self.games.set_state(state["games"])
        self.hidden, self.ended = np.array(state["hidden"], bool), np.array(state["ended"], bool)
        for rng, saved in zip(self.rngs, state["rngs"], strict=True):
            rng.bit_generator.state = saved

    def close(self) -> None:
        self.games.close()
