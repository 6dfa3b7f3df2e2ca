"""An actor-critic with memory: which state is stored, learned from and played on with, from one rollout to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.buffers.test_rollout import advantage_of
from tests.training.test_on_policy import make
from triptych.buffers.rollout import RolloutBuffer
from triptych.envs.play import play_games
from triptych.training.agent import Agent
from triptych.training.loop import run_loop
from triptych.training.on_policy import OnPolicy

STEPS, GAMES, PARTS, EPOCHS = 24, 4, 2, 3


def check_rollouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rollouts, each followed by its updates, are what one memory sees that is carried from step 0 on."""
    training = make(
        memory="lstm",
        **{"algorithm.rollout_steps": STEPS, "algorithm.minibatches": PARTS, "algorithm.epochs": EPOCHS},
    )
    buffer, learner = training.rollout, training.learner
    weights: list[Any] = []
    batches: list[Any] = []
    after: list[Any] = []
    close, update = buffer.close, learner.update

    def closing(*given: Any) -> None:
        weights.append(learner.get_weights())
        after.append((training.obs.copy(), training.started.copy()))
        close(*given)

    monkeypatch.setattr(buffer, "close", closing)
    monkeypatch.setattr(learner, "update", lambda batch, rate: batches.append(batch) or update(batch, rate))
    player = make(memory="lstm").agent  # plays the same again, with the weights of that time
    state, loop = np.zeros((GAMES, training.state_size)), run_loop(training)
    for number in range(3):
        for _ in range(STEPS):
            next(loop)
        player.learner.set_weights(weights[number])
        assert buffer.state == pytest.approx(state), "stored before the rollout's first step"
        values = np.zeros((STEPS + 1, GAMES))
        for t in range(STEPS):
            outputs, state = player.act(buffer.obs[t], state, buffer.reset[t])
            values[t] = outputs[:, -1]
        values[STEPS] = player.act(after[number][0], state, after[number][1])[0][:, -1]
        assert buffer.value == pytest.approx(values[:-1])
        check_advantages(training, values)
        check_batches(buffer, batches[number * EPOCHS * PARTS :])
    assert buffer.state.any()
    assert buffer.reset.any(), "an episode began within"


def check_advantages(training: OnPolicy, values: np.ndarray) -> None:
    config, buffer = training.recipe.algorithm, training.rollout
    for t, game in zip(*np.nonzero(buffer.mask), strict=True):
        told = (array[:, game] for array in (buffer.reward, values, buffer.terminated, buffer.truncated))
        wanted = advantage_of(t, *told, config.gamma, config.gae_lambda)
        assert buffer.advantage[t, game] == pytest.approx(wanted, abs=1e-10)


def check_batches(buffer: RolloutBuffer, batches: list[Any]) -> None:
    """Each epoch has every game's whole sequence once, with its state before it, and cuts them otherwise."""
    assert len(batches) == EPOCHS * PARTS
    cuts = []
    for epoch in range(EPOCHS):
        games: list[int] = []
        for batch in batches[epoch * PARTS : (epoch + 1) * PARTS]:
            assert batch.obs.shape[:2] == (STEPS, GAMES // PARTS)
            for place in range(GAMES // PARTS):
                [game] = [n for n in range(GAMES) if np.array_equal(buffer.obs[:, n], batch.obs[:, place])]
                assert np.array_equal(batch.state[place], buffer.state[game])
                for name in ("reset", "action", "log_prob", "advantage", "returns", "mask"):
                    assert np.array_equal(getattr(batch, name)[:, place], getattr(buffer, name)[:, game]), name
                games.append(game)
        assert sorted(games) == list(range(GAMES))
        cuts.append(tuple(games))
    assert len(set(cuts)) > 1, "each epoch draws anew what goes together"


def single_steps(keep: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, rng, count, whole, **scalars: keep(self, rng, count, False, **scalars)


def cut_once(keep: Callable[..., Any]) -> Callable[..., Any]:
    """The batches of a rollout's first epoch for all of them."""
    made: list[Any] = []

    def minibatches(self: RolloutBuffer, *given: Any, **scalars: Any) -> Any:
        if not made or len(made) % EPOCHS == 0:
            made.append(keep(self, *given, **scalars))
        else:
            made.append(made[-1])
        return made[-1]

    return minibatches


def a_step_late(keep: Callable[..., Any]) -> Callable[..., Any]:
    def stored(self: OnPolicy, choice: Any, *given: Any) -> None:
        before, self.state = self.state, choice.state
        keep(self, choice, *given)
        self.state = before

    return stored


def forgotten_at_the_end(keep: Callable[..., Any]) -> Callable[..., Any]:
    def update_after_step(self: OnPolicy) -> Any:
        before, self.state = self.state, None
        updates = keep(self)
        self.state = before
        return updates

    return update_after_step


MUTATIONS: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "single steps in place of sequences": (RolloutBuffer, "minibatches", single_steps),
    "batches cut once for all epochs": (RolloutBuffer, "minibatches", cut_once),
    "state stored a step late": (OnPolicy, "observe", a_step_late),
    "value after the rollout from an empty memory": (OnPolicy, "update_after_step", forgotten_at_the_end),
}


def test_memory_goes_on_from_rollout_to_rollout(monkeypatch: pytest.MonkeyPatch) -> None:
    check_rollouts(monkeypatch)


@pytest.mark.parametrize("name", MUTATIONS)
def test_memory_that_goes_on_wrongly_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place, attribute, mutant = MUTATIONS[name]
    monkeypatch.setattr(place, attribute, mutant(getattr(place, attribute)))
    with pytest.raises(AssertionError):
        check_rollouts(monkeypatch)


def test_a_test_game_is_played_with_its_memory() -> None:
    """What `predict` returned comes back with the next observation; only a game's first one starts an episode."""
    training = make(memory="lstm", num_envs=2, **{"algorithm.minibatches": 1})
    seen: list[tuple[Any, Any, np.ndarray]] = []

    class Player:
        def predict(self, observation: np.ndarray, state: Any = None, episode_start: Any = None) -> Any:
            actions, after = training.agent.predict(observation, state, episode_start)
            seen.append((state, after, episode_start))
            return actions, after

    played = play_games(Player(), training.games, np.arange(4))
    batches = [index for index, (state, _, _) in enumerate(seen) if state is None]
    assert batches == [0, max(game.length for game in played[:2])], "every batch of games begins with no state"
    for index, (state, _, starts) in enumerate(seen):
        assert starts.all() == starts.any() == (index in batches)
        assert index in batches or state is seen[index - 1][1]


def test_told_to_be_deterministic_a_policy_is_not_drawn_from() -> None:
    training = make()
    network = training.recipe.make_network(training.games.observation, training.games.num_actions)
    agent = Agent(training.learner, network, "sample")
    obs = np.random.default_rng(0).standard_normal((200, 4))
    best = training.learner.act(obs)[0][:, :-1].argmax(axis=1)
    assert (agent.predict(obs, deterministic=True)[0] == best).all()
    assert (agent.predict(obs)[0] != best).any()
