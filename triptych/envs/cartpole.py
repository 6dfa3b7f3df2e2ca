"""CartPole: Gymnasium's own, with its whole state as JSON, so that a checkpoint need not cut an episode."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import gymnasium
import numpy as np
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
from gymnasium.wrappers import TimeLimit

from triptych.envs.config import Kind
from triptych.envs.games import Step
from triptych.envs.gym import Gym, GymGames, pictures
from triptych.spec import Observation
from triptych.utils.checks import check, one_of

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # it draws the screen, and would greet on standard output


@dataclass(frozen=True)
class CartPole(Gym):
    """CartPole, seen whole or in part."""

    kind: ClassVar[str] = "cartpole"

    observe: Literal["all", "positions", "speeds"] = "all"  # which of its four numbers are seen

    @property
    def place_hint(self) -> str:
        return ""  # nothing of theirs says it

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of(self, "observe", ("all", "positions", "speeds"))


class WideCartPole(CartPoleEnv):
    """CartPole whose pole may fall to 160 degrees before the episode ends, so that a slip can be made good."""

    def __init__(self, **options: Any):
        super().__init__(**options)
        self.theta_threshold_radians = math.radians(160)
        # Gymnasium's own bound of the angle is twice the threshold.
        high = np.array([2 * self.x_threshold, np.inf, 2 * self.theta_threshold_radians, np.inf], np.float32)
        self.observation_space = gymnasium.spaces.Box(-high, high)


WIDE = "triptych/CartPoleWide-v0"  # v0 as the original's CartPole-v0, and without a time limit
gymnasium.register(WIDE, entry_point=WideCartPole)


class OtherCartPole(CartPoleEnv):
    """CartPole whose physics can be said; without a word it is Gymnasium's.

    Args:
        gravity: in metres per second squared.
        length: from the hinge to the pole's middle, in metres.
        mass: of the pole, in kilograms; the cart has one.
        force: of a push, in newtons.
    """

    def __init__(
        self, gravity: float = 9.8, length: float = 0.5, mass: float = 0.1, force: float = 10.0, **options: Any
    ):
        super().__init__(**options)
        given = {"gravity": gravity, "length": length, "mass": mass, "force": force}
        for name, value in given.items():
            check(math.isfinite(value) and value > 0, f"kwargs: {name}", value, "a number above 0")
        self.gravity, self.length, self.masspole, self.force_mag = gravity, length, mass, force
        self.total_mass = mass + self.masscart
        self.polemass_length = mass * length


OTHER = "triptych/CartPolePhysics-v0"
gymnasium.register(OTHER, entry_point=OtherCartPole, max_episode_steps=500)


def plays(spec: Any) -> bool:
    return spec.entry_point in ("gymnasium.envs.classic_control.cartpole:CartPoleEnv", WideCartPole, OtherCartPole)


def time_limit(env: gymnasium.Env) -> TimeLimit | None:
    """The wrapper that counts an episode's steps, if there is one."""
    while isinstance(env, gymnasium.Wrapper):
        if isinstance(env, TimeLimit):
            return env
        env = env.env
    return None


SEEN = {"positions": [0, 2], "speeds": [1, 3]}  # of cart, its speed, pole, its speed


class CartPoleGames(GymGames):
    """N CartPole games that can be saved, and seen in part."""

    saves = True

    def __init__(self, config: CartPole, spec: Any, num_envs: int, threads: int):
        super().__init__(config, spec, num_envs, threads)
        check(config.observe == "all" or not self.stacked, "observe", config.observe, "all, where the screen is seen")
        self.seen = SEEN.get(config.observe)
        if self.seen:
            self.observation = Observation((len(self.seen),), self.observation.dtype)

    def reset(self, seeds: np.ndarray) -> np.ndarray:
        return self.part(super().reset(seeds))

    def recv(self) -> Step:
        step = super().recv()
        return step._replace(obs=self.part(step.obs))

    def part(self, obs: np.ndarray) -> np.ndarray:
        return obs[:, self.seen] if self.seen else obs

    def get_state(self) -> dict[str, Any]:
        games = []
        for env in self.envs:
            pole, limit = env.unwrapped, time_limit(env)
            games.append(
                {
                    "state": [float(x) for x in pole.state],  # type: ignore[attr-defined]
                    "steps_beyond_terminated": pole.steps_beyond_terminated,  # type: ignore[attr-defined]
                    "elapsed": limit._elapsed_steps if limit else None,
                    "rng": pole.np_random.bit_generator.state,
                }
            )
        return {"games": games, "ended": self.ended.tolist(), "obs": self.obs.tolist()}

    def set_state(self, state: dict[str, Any]) -> None:
        for env, game in zip(self.envs, state["games"], strict=True):
            env.reset(seed=0)
            pole, limit = env.unwrapped, time_limit(env)
            pole.state = np.array(game["state"], np.float64)  # type: ignore[attr-defined]
            pole.steps_beyond_terminated = game["steps_beyond_terminated"]  # type: ignore[attr-defined]
            pole.np_random.bit_generator.state = game["rng"]
            if limit:
                limit._elapsed_steps = game["elapsed"]
        self.ended = np.array(state["ended"], bool)
        self.obs = np.array(state["obs"], self.obs.dtype)


def unread(spec: Any) -> set[str]:
    """The fields of a config that these games never read: what they show is known."""
    return {"layout", "drop"}


KIND = Kind(CartPole, plays, CartPoleGames, unread, pictures=pictures)
