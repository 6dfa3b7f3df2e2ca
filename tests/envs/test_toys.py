"""The tasks that need memory: their rules by hand, their seeds, their states; flicker; CartPole seen in part."""

from __future__ import annotations

import json
from typing import Any

import gymnasium
import numpy as np
import pytest

from triptych import envs
from triptych.envs import EnvConfig
from triptych.utils.checks import InputError

TOYS = {
    "chain": EnvConfig("triptych/MemoryChain-v0", length=3),
    "repeat": EnvConfig("triptych/RepeatPrevious-v0", length=2),
    "catch": EnvConfig("triptych/Catch-v0", blind=4),
    "positions": EnvConfig("CartPole-v1", observe="positions", flicker=0.3),
}


def play(games: Any, actions: Any, steps: int) -> list[envs.Step]:
    """`steps` steps; `actions` is a function of the last observations [N, ...]."""
    found = []
    for _ in range(steps):
        games.send(actions(found[-1].obs if found else None))
        found.append(games.recv())
    return found


def test_memory_chain_by_hand() -> None:
    games = envs.make(TOYS["chain"], 4)
    first = games.reset(np.arange(4))
    signs = first[:, 2]
    assert set(np.abs(signs)) == {1}
    steps = play(games, lambda obs: (signs > 0).astype(int), 4)
    np.testing.assert_allclose([step.obs[0, 0] for step in steps[:3]], [2 / 3, 1 / 3, 0], 1e-6)
    assert [step.obs[0, 1] for step in steps[:3]] == [0, 0, 1], "asked three steps after the sign"
    assert not any(step.obs[:, 2].any() for step in steps), "shown once"
    assert [step.terminated.all() for step in steps] == [False, False, False, True]
    assert (steps[3].reward == 1).all()
    games.reset(np.arange(4))
    assert (play(games, lambda obs: (signs < 0).astype(int), 4)[3].reward == -1).all()


def test_repeat_previous_by_hand() -> None:
    games = envs.make(TOYS["repeat"], 3)
    cards = [games.reset(np.arange(3)).argmax(axis=1)]
    total = np.zeros(3)
    for step in range(52):
        games.send(cards[step - 2] if step >= 2 else np.zeros(3, int))
        found = games.recv()
        cards.append(found.obs.argmax(axis=1))
        total += found.reward
        assert found.terminated.all() == (step == 51)
    np.testing.assert_allclose(total, 1)
    games.reset(np.arange(3))
    wrong = sum(step.reward for step in play(games, lambda obs: np.full(3, 5), 52))
    np.testing.assert_allclose(wrong, -1)


def test_catch_by_hand() -> None:
    games = envs.make(TOYS["catch"], 5)
    board = games.reset(np.arange(5)).reshape(5, 10, 5)
    ball = board[:, 0].argmax(axis=1)
    paddle = np.full(5, 2)
    for step in range(9):
        games.send(np.sign(ball - paddle) + 1)
        paddle += np.sign(ball - paddle)
        found = games.recv()
        board = found.obs.reshape(5, 10, 5)
        assert (board[:, -1].argmax(axis=1) == paddle).all()
        seen = board[:, :-1].sum(axis=(1, 2))
        assert (seen == (step + 1 < 5)).all(), "the last 4 rows before the paddle's are blind"
    assert (found.reward == 1).all()


@pytest.mark.parametrize("name", TOYS)
def test_seeds_states_and_other_numbers_of_games(name: str) -> None:
    """A game depends on its seed alone; one that was saved goes on as it would have."""
    seeds = np.array([5, 6, 7])
    one, all_three = envs.make(TOYS[name], 1), envs.make(TOYS[name], 3)
    rng = np.random.default_rng(0)
    actions = rng.integers(one.num_actions, size=(80, 3))
    assert np.array_equal(one.reset(seeds[1:2])[0], all_three.reset(seeds)[1])
    saved = None
    for step, action in enumerate(actions):
        if step == 40:
            saved = json.loads(json.dumps(all_three.get_state()))
        one.send(action[1:2])
        all_three.send(action)
        ours, theirs = one.recv(), all_three.recv()
        assert np.array_equal(ours.obs[0], theirs.obs[1])
        assert ours.reward[0] == theirs.reward[1]
    again = envs.make(TOYS[name], 3)
    again.reset(np.zeros(3, int))
    again.set_state(saved)
    for action in actions[40:]:
        again.send(action)
        last = again.recv()
    assert np.array_equal(last.obs, theirs.obs)


def test_flicker_hides_pictures_one_by_one() -> None:
    """A picture that was hidden when it was new stays hidden while it is in the stack, and no longer."""
    config = EnvConfig("SpaceInvadersNoFrameskip-v4", flicker=0.5, noop_max=0)
    games, plain = envs.make(config, 2), envs.make(EnvConfig("SpaceInvadersNoFrameskip-v4", noop_max=0), 2)
    obs, clear = games.reset(np.arange(2)), plain.reset(np.arange(2))
    hidden = ~obs.any(axis=(2, 3)) & clear.any(axis=(2, 3))
    drawn = 0
    for _ in range(60):
        for each in (games, plain):
            each.send(np.zeros(2, np.int64))
        obs, clear = games.recv().obs, plain.recv().obs
        now = ~obs.any(axis=(2, 3)) & clear.any(axis=(2, 3))
        assert np.array_equal(now[:, :-1], hidden[:, 1:])
        assert np.array_equal(obs[~now], clear[~now])
        hidden, drawn = now, drawn + now[:, -1].sum()
    assert 40 < drawn < 80
    games.close()
    plain.close()


def test_cartpole_in_part() -> None:
    whole = envs.make(EnvConfig("CartPole-v1"), 1)
    for observe, columns in (("positions", [0, 2]), ("speeds", [1, 3])):
        part = envs.make(EnvConfig("CartPole-v1", observe=observe), 1)  # type: ignore[arg-type]
        assert part.observation.shape == (2,)
        assert np.array_equal(part.reset(np.arange(1)), whole.reset(np.arange(1))[:, columns])
    with pytest.raises(InputError, match="observe is 'speeds'; allowed: all"):
        envs.make(EnvConfig("CartPole-v1", observe="speeds", render=True), 1)


def test_toys_are_gymnasium_environments() -> None:
    env = gymnasium.make("triptych/MemoryChain-v0", length=4)
    obs, _ = env.reset(seed=1)
    assert env.observation_space.contains(obs)
    rewards = [env.step(int(obs[2] > 0))[1] for _ in range(5)]
    assert rewards == [0, 0, 0, 0, 1]
    with pytest.raises(InputError, match="blind is 9; allowed: less than 9"):
        envs.make(EnvConfig("triptych/Catch-v0", blind=9), 1)
