"""What acts: a network's weights and a policy."""

from __future__ import annotations

import copy
from typing import Any, Literal

import numpy as np

from triptych.algorithms import definition
from triptych.algorithms.teaching import Lesson, taught
from triptych.envs import Games
from triptych.frameworks import Learner, numpy_ops
from triptych.recipes import Recipe
from triptych.spec import ActorCritic, Network, each, first_of, parts_of, whole_of
from triptych.spec.weights import Weights, initial_weights
from triptych.utils.checks import check
from triptych.utils.seeds import generator

Policy = Literal["greedy", "sample"]


def draw(logits: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Actions [N] drawn from the policies with these logits [N, A], and their log probabilities [N].

    The largest of the log probabilities with Gumbel noise (Gumbel 1954) is a draw: one number an action, always.
    """
    log_probs = numpy_ops.log_softmax(logits)
    actions = np.argmax(log_probs - np.log(-np.log(rng.random(logits.shape))), axis=1)
    return actions, numpy_ops.select(log_probs, actions)


def make_learner(
    recipe: Recipe,
    games: Games,
    learner_class: type[Learner],
    weights: Weights | None = None,
    lesson: Lesson | None = None,
) -> Learner:
    """A learner at step 0.

    Args:
        weights: to begin with, by neutral name; None: they are drawn.
        lesson: how it learns from a teacher, where one looks on.
    """
    network = recipe.make_network(games.observation, games.num_actions)
    weights = weights or initial_weights(network, generator(recipe.seed, "weights"))
    loss = definition(recipe.algorithm).make_loss(recipe.algorithm)
    if lesson is not None:
        loss = taught(loss, lesson)
    learner = learner_class(network, loss, recipe.optimiser, weights, recipe.precision)
    if frozen := recipe.frozen(network):
        learner.freeze(frozen)
    return learner


class Agent:
    """Plays by the largest Q value or logit, or by drawing from the policy, and at random with chance `epsilon`.

    Args:
        learner: whose `act` gives the Q values, or an actor-critic's logits and value.
        network: what it takes and carries: [*observation], or [N, *observation] for N games; of several parts a dict of them.
        policy: "sample" draws, which only an actor-critic can; told to be deterministic, it does not.
        epsilon: share of random actions.
        rng: draws all of these; None: a generator of its own.

    Raises:
        InputError: there is no policy to draw from.
    """

    def __init__(
        self,
        learner: Learner,
        network: Network,
        policy: str = "greedy",
        epsilon: float = 0.0,
        rng: np.random.Generator | None = None,
    ):
        self.learner = learner
        self.is_actor = bool(network.layers) and isinstance(network.layers[-1], ActorCritic)
        allowed = "greedy, sample" if self.is_actor else "greedy, as Q values are no policy to draw from"
        check(policy in ("greedy", "sample")[: 1 + self.is_actor], "policy", policy, allowed)
        self.policy = policy
        self.observation = network.observation
        self.state_size = sum(network.state_sizes) if network.unrolls else None
        self.epsilon = epsilon
        self.rng = rng or np.random.default_rng(0)

    def initial_state(self, games: int) -> np.ndarray | None:
        """The state [N, S] of a network with memory before it has seen anything; None: it has none."""
        return None if self.state_size is None else np.zeros((games, self.state_size), self.learner.precision)

    def act(
        self, obs: Any, state: np.ndarray | None = None, started: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Q values [N, A], or logits and value [N, A + 1], of the observations [N, *observation], and the state [N, S] after them.

        Args:
            state: before them; None: there is no memory, or nothing was seen.
            started: [N] bool, where an episode begins and the state is zeroed; None: nowhere.
        """
        return self.learner.act(*self.taken(obs, state, started))

    def taken(self, obs: Any, state: np.ndarray | None, started: np.ndarray | None) -> tuple[Any, ...]:
        """What the learner takes: the observations in its dtypes and, of a network with memory, the state and where it is zeroed."""
        precision, given = self.learner.precision, parts_of(obs)
        taken = {name: np.ascontiguousarray(given[name], p.taken(precision)) for name, p in self.observation.named}
        obs, games = whole_of(taken), len(first_of(taken))
        if self.state_size is None:
            return (obs,)
        state = self.initial_state(games) if state is None else state
        return obs, state, np.zeros(games, bool) if started is None else started

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = False,
    ) -> tuple[np.ndarray, Any]:
        """Actions for one observation or a batch, and the state of a network with memory (None: it has none).

        Of several parts an observation is a dict of arrays. `episode_start` [N] zeroes the state where an episode begins.

        This is what Stable-Baselines3's `evaluate_policy` calls.

        Raises:
            InputError: the observation has another shape, or other parts, than the network takes.
        """
        obs = self.checked(observation)
        single = first_of(obs).ndim == len(self.observation.named[0][1].shape)
        batch = each(lambda part: part[None], obs) if single else obs
        starts = None if episode_start is None else np.atleast_1d(np.asarray(episode_start, bool))
        outputs, state = self.act(batch, state, starts)
        actions = self.choose(outputs, deterministic)
        return (actions[0] if single else actions), state

    def choose(self, outputs: np.ndarray, deterministic: bool = False) -> np.ndarray:
        """Actions [N] for what `act` gave of N observations."""
        values = outputs[:, :-1] if self.is_actor else outputs
        drawn = self.policy == "sample" and not deterministic
        actions = draw(values, self.rng)[0] if drawn else np.argmax(values, axis=1)
        if not deterministic and self.epsilon > 0:
            random = self.rng.random(len(actions)) < self.epsilon
            actions = np.where(random, self.rng.integers(values.shape[1], size=len(actions)), actions)
        return actions

    def checked(self, observation: Any) -> Any:
        """An observation, or a batch, as arrays, refused where it does not fit the network."""
        given, wanted = {name: np.asarray(part) for name, part in parts_of(observation).items()}, self.observation.parts
        names = sorted(given) if isinstance(observation, dict) else "one array"
        allowed = f"a dict of {', '.join(wanted)}" if self.observation.is_several else "one array"
        check(given.keys() == wanted.keys(), "the observation's parts", names, allowed)
        ranks = set()
        for name, part in self.observation.named:
            shape, what = given[name].shape, f"observation shape{f' of {name}' if name else ''}"
            ranks.add(len(shape) - len(part.shape))
            check(shape[-len(part.shape) :] == part.shape, what, shape, f"{part.shape}")
        allowed = "each part of one observation, or of as many as the others"
        check(ranks in ({0}, {1}), "the observation's dimensions", {n: a.shape for n, a in given.items()}, allowed)
        return whole_of({name: given[name] for name in wanted})

    def drawing_from(self, rng: np.random.Generator) -> Agent:
        """The same agent, with another generator: what it draws leaves this one's numbers as they are."""
        other = copy.copy(self)
        other.rng = rng
        return other
