"""CleanRL's PPO agents, made on the spot: by the mappings that ship they choose here what they choose there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from torch import nn

import triptych
from triptych.experiments.importing import import_agent
from triptych.experiments.load import load_agent
from triptych.utils.seeds import game_seeds

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "cleanrl"
ACTIONS = 6  # Space Invaders'


def nature(pictures: int) -> nn.Sequential:
    """What ppo_atari.py calls `network`."""
    convolutions = [
        nn.Conv2d(pictures, 32, 8, 4),
        nn.ReLU(),
        nn.Conv2d(32, 64, 4, 2),
        nn.ReLU(),
        nn.Conv2d(64, 64, 3, 1),
    ]
    return nn.Sequential(*convolutions, nn.ReLU(), nn.Flatten(), nn.Linear(64 * 7 * 7, 512), nn.ReLU())


class Alone(nn.Module):
    """The agent of ppo.py: policy and value share nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.critic, self.actor = (
            nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, outputs))
            for outputs in (1, 2)
        )


class Seeing(nn.Module):
    """The agent of ppo_atari.py, and with an LSTM that of ppo_atari_lstm.py."""

    def __init__(self, remembers: bool) -> None:
        super().__init__()
        self.network = nature(1 if remembers else 4)
        self.lstm = nn.LSTM(512, 128) if remembers else None
        size = 128 if remembers else 512
        self.actor, self.critic = nn.Linear(size, ACTIONS), nn.Linear(size, 1)

    def step(self, obs: np.ndarray, state: Any, starts: bool) -> tuple[np.ndarray, Any]:
        """Logits and value of one game's observation, and the LSTM's state after it."""
        with torch.no_grad():
            hidden = self.network(torch.from_numpy(obs)[None] / 255.0)
            if self.lstm is not None:
                hidden, state = self.lstm(hidden[None], None if starts else state)
                hidden = hidden[0]
            return torch.cat([self.actor(hidden), self.critic(hidden)], dim=1).numpy()[0], state


def drawn(logits: np.ndarray, chance: float) -> int:
    chances = np.exp(logits) / np.exp(logits).sum()
    return int(np.searchsorted(chances.cumsum()[:-1], chance))


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(1)


def test_the_agent_of_ppo_ends_its_games_as_there(tmp_path: Path) -> None:
    agent, file = Alone(), tmp_path / "ppo.cleanrl_model"
    torch.save(agent.state_dict(), file)
    found = import_agent(file, recipe=str(EXAMPLES / "cartpole_ppo.py"), mapping=EXAMPLES / "ppo.toml")
    score = triptych.evaluate(found.path, games=20, seed=0, policy="greedy")
    env, lengths = gymnasium.make("CartPole-v1"), []
    for seed in game_seeds(0, "evaluate", 0, 20):
        obs, ends, steps = env.reset(seed=int(seed))[0], False, 0
        while not ends:
            with torch.no_grad():
                action = int(agent.actor(torch.from_numpy(obs)).argmax())
            obs, _, terminated, truncated, _ = env.step(action)
            ends, steps = terminated or truncated, steps + 1
        lengths.append(steps)
    assert score.lengths == lengths
    assert len(set(lengths)) > 1
    rows = np.random.default_rng(0).standard_normal((20, 4)).astype(np.float32)
    with torch.no_grad():
        values = agent.critic(torch.from_numpy(rows)).numpy()[:, 0]
    assert np.allclose(load_agent(found.path).act(rows)[0][:, -1], values, atol=1e-5)


@pytest.mark.parametrize(
    ("mapping", "recipe"),
    [("ppo_atari.toml", "space-invaders-ppo"), ("ppo_atari_lstm.toml", str(EXAMPLES / "atari_lstm.py"))],
)
def test_agents_that_see_choose_what_they_choose_there(mapping: str, recipe: str, tmp_path: Path) -> None:
    """Through the first 60 steps of a game, with actions drawn by the same chances."""
    agent, file = Seeing("lstm" in mapping), tmp_path / "ppo.pt"
    torch.save(agent.state_dict(), file)
    found = import_agent(file, recipe=recipe, mapping=EXAMPLES / mapping)
    mine, env, rng = load_agent(found.path), triptych.make_env(found.path), np.random.default_rng(0)
    obs, _ = env.reset(seed=3)
    ours, theirs = None, None
    chosen = set()
    for step in range(60):
        wanted, theirs = agent.step(obs, theirs, step == 0)
        given, ours = mine.act(obs[None], ours, np.array([step == 0]))
        assert np.allclose(given[0], wanted, atol=1e-4)
        chance = rng.random()
        action = drawn(wanted[:-1], chance)
        assert drawn(given[0, :-1], chance) == action
        chosen.add(action)
        obs, *_ = env.step(action)
    env.close()
    assert len(chosen) > 3


def test_the_agent_of_flax_gives_the_same_logits_and_value(tmp_path: Path) -> None:
    """Its file holds the arguments of its training beside the weights."""
    import jax
    from flax import linen, serialization

    class Seen(linen.Module):
        @linen.compact
        def __call__(self, x: Any) -> Any:
            x = x.transpose(0, 2, 3, 1) / 255.0
            for filters, kernel, stride in ((32, 8, 4), (64, 4, 2), (64, 3, 1)):
                x = linen.relu(linen.Conv(filters, (kernel, kernel), (stride, stride), "VALID")(x))
            return linen.relu(linen.Dense(512)(x.reshape(len(x), -1)))

    class Head(linen.Module):
        outputs: int

        @linen.compact
        def __call__(self, x: Any) -> Any:
            return linen.Dense(self.outputs)(x)

    rng = np.random.default_rng(0)
    obs = rng.integers(0, 256, (5, 4, 84, 84), dtype=np.uint8)

    def parameters(module: Any, given: Any) -> Any:
        shapes = jax.eval_shape(module.init, jax.random.PRNGKey(0), given)
        return jax.tree.map(lambda leaf: rng.normal(0, 0.05, leaf.shape).astype(np.float32), shapes)

    network = parameters(Seen(), obs)
    hidden = jax.jit(Seen().apply)(network, obs)
    heads = [parameters(Head(outputs), hidden) for outputs in (ACTIONS, 1)]
    arguments = {"exp_name": "ppo", "seed": 1, "gamma": 0.99, "track": False, "target_kl": None}
    file = tmp_path / "ppo.cleanrl_model"
    file.write_bytes(serialization.to_bytes([arguments, [network, *heads]]))
    found = import_agent(file, recipe="space-invaders-ppo", mapping=EXAMPLES / "ppo_atari_jax.toml")
    theirs = [np.asarray(Head(size).apply(head, hidden)) for size, head in zip((ACTIONS, 1), heads, strict=True)]
    wanted = np.concatenate(theirs, axis=1)
    assert np.allclose(load_agent(found.path).act(obs)[0], wanted, rtol=1e-4, atol=1e-4)
    assert np.ptp(wanted, axis=0).min() > 1e-2
