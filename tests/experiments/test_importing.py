"""Agents of Stable-Baselines3's: they play here as they do there, and nothing of their files is unpickled."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import stable_baselines3
import torch
from gymnasium import spaces
from sb3_contrib import RecurrentPPO

from triptych import InputError, evaluate
from triptych.__main__ import main
from triptych.experiments.importing import import_agent
from triptych.experiments.load import load_agent
from triptych.utils.seeds import game_seeds


class Pictures(gymnasium.Env):
    """Pictures as Atari's are, channels first; nothing happens in it."""

    observation_space = spaces.Box(0, 255, (4, 84, 84), np.uint8)
    action_space = spaces.Discrete(4)

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        return np.zeros((4, 84, 84), np.uint8), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        return np.zeros((4, 84, 84), np.uint8), 0.0, True, False, {}


class Floating(Pictures):
    """Pictures that a wrapper has divided by 255 already."""

    observation_space = spaces.Box(0, 1, (4, 84, 84), np.float32)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DQN of CartPole, trained for a moment."""
    path = tmp_path_factory.mktemp("theirs") / "dqn.zip"
    settings: dict[str, Any] = {"learning_starts": 100, "buffer_size": 2_000, "policy_kwargs": {"net_arch": [32, 16]}}
    stable_baselines3.DQN("MlpPolicy", "CartPole-v1", seed=1, device="cpu", **settings).learn(1_500).save(path)
    return path


def changed(path: Path, to: Path, **entries: Any) -> Path:
    """A zip with other entries: bytes, or what is done with the JSON of `data`; None: without it."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(to, "w") as new:
        for name in old.namelist():
            change = entries.get(name.replace(".", "_"), old.read(name))
            if callable(change):
                change = json.dumps(change(json.loads(old.read(name)))).encode()
            if change is not None:
                new.writestr(name, change)
    return to


class Seeded(gymnasium.Wrapper):
    """Begins each episode with the next of some seeds."""

    def __init__(self, env: gymnasium.Env, seeds: np.ndarray) -> None:
        super().__init__(env)
        self.seeds: Iterator[int] = iter(
            [*map(int, seeds), 0]
        )  # after the last game one more begins, which nobody counts

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        return self.env.reset(seed=next(self.seeds))


@pytest.fixture(scope="module")
def trained_ppo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PPO of CartPole with MlpPolicy as it comes: tanh, layers of its own for policy and value."""
    path = tmp_path_factory.mktemp("theirs") / "ppo.zip"
    settings: dict[str, Any] = {"n_steps": 512, "batch_size": 128, "n_epochs": 4}
    stable_baselines3.PPO("MlpPolicy", "CartPole-v1", seed=1, device="cpu", **settings).learn(1_024).save(path)
    return path


@pytest.fixture(scope="module")
def trained_recurrent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """sb3-contrib's recurrent PPO of CartPole: an LSTM for the policy and one for the value."""
    path = tmp_path_factory.mktemp("theirs") / "recurrent.zip"
    settings: dict[str, Any] = {"n_steps": 128, "batch_size": 128, "n_epochs": 4, "learning_rate": 2e-3}
    settings["policy_kwargs"] = {"lstm_hidden_size": 16, "net_arch": [16]}
    RecurrentPPO("MlpLstmPolicy", "CartPole-v1", seed=1, device="cpu", **settings).learn(1_024).save(path)
    return path


@pytest.mark.parametrize("kind", ["DQN", "PPO", "RecurrentPPO"])
def test_a_hundred_games_end_as_in_the_library_that_trained_it(
    kind: str, trained: Path, trained_ppo: Path, trained_recurrent: Path, tmp_path: Path
) -> None:
    """Its own `evaluate_policy`, on games of the same seeds."""
    from stable_baselines3.common.evaluation import evaluate_policy
    from stable_baselines3.common.monitor import Monitor

    file = {"DQN": trained, "PPO": trained_ppo, "RecurrentPPO": trained_recurrent}[kind]
    found = import_agent(file, env="CartPole-v1", out=tmp_path / "mine.safetensors")
    score = evaluate(found.path, games=100, seed=0, policy="greedy")
    env = Monitor(Seeded(gymnasium.make("CartPole-v1"), game_seeds(0, "evaluate", 0, 100)))
    library = RecurrentPPO if kind == "RecurrentPPO" else getattr(stable_baselines3, kind)
    model = library.load(file, device="cpu")
    rewards, lengths = evaluate_policy(model, env, n_eval_episodes=100, return_episode_rewards=True)
    assert (score.rewards, score.lengths) == (rewards, lengths)
    assert score.mean == np.mean(rewards)
    assert len(set(rewards)) > 1


def outputs_of(kind: str, weights: Path, model: Any, obs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Q values, or log probabilities and the value, of an imported agent and of theirs."""
    mine = load_agent(weights).act(obs)[0]
    with torch.no_grad():
        given = torch.from_numpy(obs)
        if kind == "DQN":
            theirs = model.q_net(given).numpy()
        else:
            logits = model.policy.get_distribution(given).distribution.logits.numpy()
            theirs = np.concatenate([logits, model.policy.predict_values(given).numpy()], axis=1)
            mine[:, :-1] -= np.log(np.exp(mine[:, :-1]).sum(axis=1, keepdims=True))
    return mine, theirs


def test_its_values_are_the_same_in_each_framework(trained: Path, tmp_path: Path, framework: str) -> None:
    found = import_agent(trained, env="CartPole-v1", out=tmp_path / "mine.safetensors")
    obs = np.random.default_rng(0).standard_normal((50, 4)).astype(np.float32)
    with torch.no_grad():
        theirs = stable_baselines3.DQN.load(trained, device="cpu").q_net(torch.from_numpy(obs)).numpy()
    mine = load_agent(found.path, framework=framework).act(obs)[0]
    assert np.allclose(mine, theirs, rtol=1e-5, atol=1e-6)
    assert np.array_equal(mine.argmax(1), theirs.argmax(1))


@pytest.mark.parametrize("kind", ["DQN", "PPO", "A2C"])
def test_convolutions_give_what_they_give_there(kind: str, tmp_path: Path) -> None:
    """Channels come first there and last here, before and behind the flattening."""
    settings = {"DQN": {"buffer_size": 10}, "PPO": {"n_steps": 8, "batch_size": 8}, "A2C": {}}[kind]
    model = getattr(stable_baselines3, kind)("CnnPolicy", Pictures(), device="cpu", seed=2, **settings)
    model.save(tmp_path / "theirs.zip")
    found = import_agent(tmp_path / "theirs.zip", env="BreakoutNoFrameskip-v4")
    assert (found.path, found.algorithm) == (tmp_path / "theirs.safetensors", kind.lower())
    obs = np.random.default_rng(0).integers(0, 256, (6, 4, 84, 84), dtype=np.uint8)
    mine, theirs = outputs_of(kind, found.path, model, obs)
    assert np.allclose(mine, theirs, atol=1e-5)
    assert np.abs(theirs).max() > 1e-3


def test_the_last_line_is_the_weights_file(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "mine.safetensors"
    with pytest.raises(SystemExit) as stop:
        main(["import", str(trained), "--env", "CartPole-v1", "--out", str(out)])
    assert stop.value.code == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(out)
    assert out.is_file()


def test_a_recipe_with_the_same_layers_takes_it(trained: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.py"
    recipe.write_text(
        "from triptych import load_recipe, override\n"
        "from triptych.spec import Dense\n"
        "recipe = override(load_recipe('cartpole'), {'network': (Dense(32), Dense(16))})\n"
    )
    found = import_agent(trained, recipe=str(recipe), out=tmp_path / "mine.safetensors")
    assert found.env == "CartPole-v1"
    assert load_agent(found.path, recipe=str(recipe)).act(np.zeros((1, 4), np.float32))[0].shape == (1, 2)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "env is missing"),
        (
            {"recipe": "cartpole"},
            "as is 'cartpole', whose layers are dense-256-relu, dense-256-relu; allowed: those of",
        ),
        ({"recipe": "cartpole-ppo"}, "a recipe of dqn"),
        ({"env": "Acrobot-v1"}, "observations of 'Acrobot-v1' is (6,); allowed: (4,)"),
        ({"env": "CartPole-v1", "out": "mine.pth"}, "a file that ends on .safetensors"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_line(trained: Path, settings: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError) as error:
        import_agent(trained, **settings)
    assert told in str(error.value)
    assert not trained.with_suffix(".safetensors").exists()


class Trap:
    """Whoever unpickles it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def in_torchs_form(trap: Trap) -> bytes:
    content = io.BytesIO()
    torch.save({"q_net.q_net.0.weight": trap}, content)
    return content.getvalue()


@pytest.mark.parametrize("written", [in_torchs_form, pickle.dumps])  # PyTorch warns of the second one: no line of ours
def test_a_pickle_that_would_run_code_does_not(written: Callable[[Trap], bytes], trained: Path, tmp_path: Path) -> None:
    mark = tmp_path / "was-run"
    bad = changed(trained, tmp_path / "bad.zip", policy_pth=written(Trap(mark)))
    with pytest.raises(InputError, match="or holds more than tensors, which may be code"):
        import_agent(bad, env="CartPole-v1")
    assert not mark.exists()
    assert not bad.with_suffix(".safetensors").exists()


def test_pickles_beside_the_plain_entries_are_never_read(trained: Path, tmp_path: Path) -> None:
    import base64

    mark = tmp_path / "was-run"
    serialized = base64.b64encode(pickle.dumps(Trap(mark))).decode()

    def trapped(data: dict[str, Any]) -> dict[str, Any]:
        return {
            k: v | {":serialized:": serialized} if isinstance(v, dict) and ":serialized:" in v else v
            for k, v in data.items()
        }

    found = import_agent(changed(trained, tmp_path / "trap.zip", data=trapped), env="CartPole-v1")
    assert found.path.is_file()
    assert not mark.exists()


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({"data": None}, "holds no data"),
        ({"policy_pth": None}, "holds no policy.pth"),
        ({"data": b"{"}, "data"),
        ({"data": b"[]"}, "data is no object"),
        (
            {"policy_pth": b"nonsense"},
            "is damaged, no file of PyTorch's, or holds more than tensors, which may be code",
        ),
        ({"data": lambda data: data | {"observation_space": 7}}, "its observations have shape"),
        ({"data": lambda data: data | {"action_space": {"_shape": "[2]"}}}, "its actions are no single choice"),
        (
            {
                "data": lambda data: (
                    data | {"policy_kwargs": {"activation_fn": "<class 'torch.nn.modules.activation.ELU'>"}}
                )
            },
            "its layers have the activation ELU; allowed: ReLU, Tanh",
        ),
    ],
)
def test_a_zip_of_something_else_is_refused_in_a_line(
    trained: Path, tmp_path: Path, entries: dict[str, Any], told: str
) -> None:
    bad = changed(trained, tmp_path / "bad.zip", **entries)
    with pytest.raises(InputError) as error:
        import_agent(bad, env="CartPole-v1")
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.zip").write_text("no zip")
    with pytest.raises(InputError, match="is damaged, or no zip"):
        import_agent(tmp_path / "model.zip", env="CartPole-v1")
    with pytest.raises(InputError, match="no such file"):
        import_agent(tmp_path / "other.zip", env="CartPole-v1")


@pytest.mark.parametrize("kind", ["PPO", "A2C"])
@pytest.mark.parametrize(
    "given", [{}, {"net_arch": {"pi": [8, 6], "vf": [5]}, "activation_fn": torch.nn.ReLU}, {"net_arch": []}]
)
def test_policy_and_value_keep_layers_of_their_own(kind: str, given: dict[str, Any], tmp_path: Path) -> None:
    settings = {"n_steps": 8, "batch_size": 8} if kind == "PPO" else {}
    model = getattr(stable_baselines3, kind)(
        "MlpPolicy", "CartPole-v1", device="cpu", seed=3, policy_kwargs=dict(given), **settings
    )
    model.save(tmp_path / "theirs.zip")
    found = import_agent(tmp_path / "theirs.zip", env="CartPole-v1")
    obs = np.random.default_rng(0).standard_normal((30, 4)).astype(np.float32)
    mine = load_agent(found.path).act(obs)[0]
    mine[:, :-1] -= np.log(np.exp(mine[:, :-1]).sum(axis=1, keepdims=True))
    with torch.no_grad():
        logits = model.policy.get_distribution(torch.from_numpy(obs)).distribution.logits.numpy()
        theirs = np.concatenate([logits, model.policy.predict_values(torch.from_numpy(obs)).numpy()], axis=1)
    assert np.allclose(mine, theirs, atol=1e-5)
    assert np.abs(theirs[:, -1]).max() > 1e-3


def outputs(model: Any, obs: np.ndarray, started: np.ndarray) -> np.ndarray:
    """Log probabilities and value of a recurrent agent of theirs, step by step, for one game: [T, A + 1]."""
    from sb3_contrib.common.recurrent.type_aliases import RNNStates

    zeros = torch.zeros(model.policy.lstm_hidden_state_shape)
    states, found = RNNStates((zeros, zeros), (zeros, zeros)), []
    for row, starts in zip(torch.from_numpy(obs), torch.from_numpy(started), strict=True):
        begun = torch.tensor([float(starts)])
        with torch.no_grad():
            logits = model.policy.get_distribution(row[None], states.pi, begun)[0].distribution.logits
            _, value, _, states = model.policy(row[None], states, begun)
        found.append(torch.cat([logits[0], value[0]]).numpy())
    return np.stack(found)


MEMORIES: dict[str, dict[str, Any]] = {
    "one each": {},
    "two each, one above the other": {"n_lstm_layers": 2},
    "shared": {"shared_lstm": True, "enable_critic_lstm": False},
    "the value without": {"enable_critic_lstm": False},
    "the value without, no layers behind two": {"enable_critic_lstm": False, "n_lstm_layers": 2, "net_arch": []},
}


@pytest.mark.parametrize(
    ("policy", "memory"), [*(("MlpLstmPolicy", name) for name in MEMORIES), ("CnnLstmPolicy", "one each")]
)
def test_recurrent_agents_remember_what_they_remember_there(policy: str, memory: str, tmp_path: Path) -> None:
    """Step by step, with an episode that begins within."""
    pictures = policy == "CnnLstmPolicy"
    settings = {"lstm_hidden_size": 6, **MEMORIES[memory]}
    model = RecurrentPPO(
        policy, Pictures() if pictures else "CartPole-v1",
        n_steps=8, batch_size=8, device="cpu", seed=3, policy_kwargs=settings,
    )  # fmt: skip
    for name, tensor in model.policy.named_parameters():
        if "lstm" in name or "action_net" in name:
            tensor.data *= 3  # far from the start's near uniform policy
    model.save(tmp_path / "theirs.zip")
    found = import_agent(tmp_path / "theirs.zip", env="BreakoutNoFrameskip-v4" if pictures else "CartPole-v1")
    agent, rng = load_agent(found.path), np.random.default_rng(0)
    obs = (
        rng.integers(0, 256, (9, 4, 84, 84), dtype=np.uint8)
        if pictures
        else rng.standard_normal((9, 4)).astype(np.float32)
    )
    started, state, mine = np.arange(9) % 5 == 0, None, []
    for row, starts in zip(obs, started, strict=True):
        output, state = agent.act(row[None], state, np.array([starts]))
        mine.append(output[0])
    ours, theirs = np.stack(mine), outputs(model, obs, started)
    ours[:, :-1] -= np.log(np.exp(ours[:, :-1]).sum(axis=1, keepdims=True))
    assert np.allclose(ours, theirs, atol=2e-5)
    assert np.ptp(theirs, axis=0).min() > 1e-3


@pytest.mark.parametrize(
    ("policy", "settings", "told"),
    [
        (
            "MlpLstmPolicy",
            {"lstm_kwargs": {"bias": False}},
            "lstm_actor has no lstm_actor.bias_ih_l0; allowed: nn.LSTM with",
        ),
        ("CnnLstmPolicy", {"normalize_images": False}, "its pictures are not divided by 255 (normalize_images)"),
    ],
)
def test_recurrent_agents_of_other_kinds_are_refused(
    policy: str, settings: dict[str, Any], told: str, tmp_path: Path
) -> None:
    env = Floating() if policy == "CnnLstmPolicy" else "CartPole-v1"
    RecurrentPPO(
        policy, env, n_steps=8, batch_size=8, device="cpu", policy_kwargs={"lstm_hidden_size": 4} | settings
    ).save(tmp_path / "theirs.zip")  # fmt: skip
    with pytest.raises(InputError) as error:
        import_agent(tmp_path / "theirs.zip", env="CartPole-v1")
    assert told in str(error.value)
    assert not (tmp_path / "theirs.safetensors").exists()
