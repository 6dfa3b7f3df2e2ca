"""Games that play from a script, a learner that computes by rule, and both write down what they are told.

A name (game, episode, step) says all of a step: the functions here are the script, and share no code with the package.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from triptych.envs import Step
from triptych.spec import ActorCritic, Observation

Name = tuple[int, int, int]  # game, episode, step
GAMES, ACTIONS, STATE = 3, 4, 4
STRIDE = 37  # between the first episodes of two restarts: no name comes twice


def length(game: int, episode: int) -> int:
    """Steps of an episode: 1 to 8, other ones in each game."""
    return 1 + (2 * game + 3 * episode) % 8


def ending(game: int, episode: int) -> tuple[bool, bool]:
    """Whether an episode's last step terminates it, and whether a time limit cuts it there; some are both."""
    kind = (game + episode) % 3
    return kind != 1, kind != 0


def reward(game: int, episode: int, step: int) -> float:
    """From -2.75 to 2.75 in quarters: signs and cuts to 1 differ from it, and so do its neighbours of every kind."""
    return ((7 * game + 5 * episode + 3 * step) % 23 - 11) / 4


def lost_life(game: int, episode: int, step: int) -> bool:
    return (game + episode + step) % 3 == 0


def preferred(game: int, episode: int, step: int, seen: int) -> int:
    """The action of the largest output, where the memory has seen so many steps of the episode."""
    return (game + 2 * episode + step + 2 * seen) % ACTIONS


def logits(game: int, episode: int, step: int, seen: int) -> list[float]:
    """Or Q values: 0 for the preferred action, less and less for those that follow it."""
    best = preferred(game, episode, step, seen)
    return [-float((action - best) % ACTIONS) for action in range(ACTIONS)]


def value(game: int, episode: int, step: int, seen: int) -> float:
    return ((3 * game + episode + 2 * step + seen) % 11) / 8 - 0.5


def error(game: int, episode: int, step: int) -> float:
    """The TD error of an update from that step on."""
    return ((game + 3 * episode + 5 * step) % 7) / 2 - 1


def names_of(obs: np.ndarray) -> list[Name]:
    return [(int(game), int(episode), int(step)) for game, episode, step in np.asarray(obs).reshape(-1, 3)]


class ScriptedGames:
    """The script's games in NEXT_STEP order; an observation is its name."""

    observation = Observation((3,), "float32")
    num_actions, frames_per_step, typical_episode = ACTIONS, 1, 5

    def __init__(self, saves: bool = False, num_envs: int = GAMES):
        self.saves, self.num_envs = saves, num_envs
        self.episode, self.step = np.zeros((2, num_envs), int)
        self.seeds: list[tuple[int, ...]] = []  # of each restart
        self.taken: dict[Name, int] = {}  # the action that was received at each step
        self.at: dict[Name, int] = {}  # how many steps of all games came before it
        self.cuts: dict[tuple[int, int], int] = {}  # the step at which a restart cut an episode
        self.ticks = 0  # steps of all games
        self.closed = False

    def standing(self) -> list[Name]:
        """What the games show now."""
        return [(game, int(self.episode[game]), int(self.step[game])) for game in range(self.num_envs)]

    def end(self, game: int, episode: int) -> int:
        """The step of an episode's last observation."""
        return self.cuts.get((game, episode), length(game, episode))

    def look(self) -> np.ndarray:
        return np.array(self.standing(), np.float32)

    def reset(self, seeds: np.ndarray) -> np.ndarray:
        if self.seeds:
            self.cuts |= {(game, episode): step for game, episode, step in self.standing()}
        self.episode[:], self.step[:] = STRIDE * len(self.seeds), 0
        self.seeds.append(tuple(seeds.tolist()))
        return self.look()

    def send(self, actions: np.ndarray) -> None:
        self.sent = np.array(actions)

    def recv(self) -> Step:
        rewards = np.zeros(self.num_envs)
        terminated, truncated, lost = np.zeros((3, self.num_envs), bool)
        for game, episode, step in self.standing():
            if step == length(game, episode):  # only a restart
                self.episode[game], self.step[game] = episode + 1, 0
                continue
            name = (game, episode, step)
            self.taken[name], self.at[name] = int(self.sent[game]), self.ticks
            rewards[game], lost[game] = reward(*name), lost_life(*name)
            self.step[game] += 1
            if step + 1 == length(game, episode):
                terminated[game], truncated[game] = ending(game, episode)
        self.ticks += 1
        return Step(self.look(), rewards, terminated, truncated, lost)

    def get_state(self) -> dict[str, Any]:
        return {"standing": self.standing()}

    def close(self) -> None:
        self.closed = True


class Update(NamedTuple):
    """What an update was made from, and where the games stood."""

    batch: Any
    standing: list[Name]
    taken: int  # actions before it
    ticks: int  # steps of all games before it


class OnDevice(NamedTuple):
    """What only `to_numpy` may look into."""

    array: np.ndarray


class ScriptedLearner:
    """Its outputs are the script's; its weights count the updates, its state the steps since the last reset."""

    device = "cpu"
    games: ScriptedGames | None = None  # which it looks at while it is updated
    frozen: tuple[str, ...] = ()
    burn_in = ahead = 0  # steps of a sequence before and beyond those that are learned from

    def __init__(self, network: Any, loss: Any, adam: Any, weights: Any, precision: str):
        self.precision = precision
        self.remembers = sum(network.state_sizes) > 0
        self.is_actor = isinstance(network.layers[-1], ActorCritic)
        self.online = self.target = 0
        self.given = {name: np.array(array) for name, array in weights.items()}
        self.acts: list[tuple[list[Name], Any, Any]] = []  # names, states before them, whether they begin an episode
        self.updates: list[Update] = []

    def act(self, obs: np.ndarray, state: Any = None, reset: Any = None) -> tuple[np.ndarray, Any]:
        names = names_of(obs)
        self.acts.append((names, np.array(state), np.array(reset)))
        seen = [step for _, _, step in names]
        if self.remembers:
            seen = np.where(reset, 0, state[:, 3]).astype(int).tolist()
            state = np.array(
                [(*name[:2], name[2] + 1, count + 1) for name, count in zip(names, seen, strict=True)], float
            )
        rows = [
            logits(*name, count) + [value(*name, count)] * self.is_actor
            for name, count in zip(names, seen, strict=True)
        ]
        return np.array(rows), state

    def update(self, batch: Any, learning_rate: float) -> dict[str, Any]:
        if self.games is not None:
            self.updates.append(Update(batch, self.games.standing(), len(self.games.taken), self.games.ticks))
        self.online += 1
        scalars = (
            "loss",
            "q_mean",
            "td_error_mean",
            "policy_loss",
            "value_loss",
            "entropy",
            "approx_kl",
            "clip_fraction",
        )
        return dict.fromkeys((*scalars, "gradient_norm"), 0.5) | {"td_error": OnDevice(self.errors(batch))}

    def errors(self, batch: Any) -> np.ndarray:
        first = batch.obs[self.burn_in] if batch.obs.ndim == 3 else batch.obs
        return np.array([error(*name) for name in names_of(first)])

    def to_numpy(self, array: OnDevice) -> np.ndarray:
        return array.array

    def sync_target(self) -> None:
        self.target = self.online

    def get_weights(self) -> dict[str, np.ndarray]:
        return {name: np.full_like(array, self.online) for name, array in self.given.items()}

    def get_state(self) -> dict[str, np.ndarray]:
        counts = {"online": self.online, "target": self.target}
        return {
            f"{of}/{name}": np.full_like(array, count)
            for of, count in counts.items()
            for name, array in self.given.items()
        }

    def set_state(self, state: dict[str, np.ndarray]) -> None:
        self.online, self.target = (
            next(int(array.flat[0]) for name, array in state.items() if name.startswith(of))
            for of in ("online", "target")
        )
