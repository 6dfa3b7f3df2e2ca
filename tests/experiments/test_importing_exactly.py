"""Agents of Stable-Baselines3's: what this network cannot compute is refused, and vectors of bytes mean what they mean there."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import stable_baselines3
import torch
from gymnasium import spaces
from sb3_contrib import RecurrentPPO
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor

from tests.experiments.test_importing import Seeded, changed, outputs, outputs_of
from triptych import InputError, evaluate
from triptych.__main__ import main
from triptych.experiments.importing import import_agent
from triptych.experiments.load import load_agent
from triptych.utils.seeds import game_seeds

SETTINGS: dict[str, dict[str, Any]] = {
    "DQN": {"buffer_size": 10},
    "A2C": {},
    "PPO": {"n_steps": 8, "batch_size": 8},
    "RecurrentPPO": {"n_steps": 8, "batch_size": 8},
}


class Bytes(gymnasium.Env):
    """Shows 128 bytes that are no picture, as Atari's memory is."""

    observation_space = spaces.Box(0, 255, (128,), np.uint8)
    action_space = spaces.Discrete(3)

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        return self.observation_space.sample(), 0.0, True, False, {}


class Side(gymnasium.Env):
    """A picture, bright at its left or at its right; the side's action pays 1, and the picture changes at every step."""

    observation_space = spaces.Box(0, 255, (2, 84, 84), np.uint8)
    action_space = spaces.Discrete(2)

    def __init__(self) -> None:
        self.step_number, self.right = 0, 0

    def show(self) -> np.ndarray:
        self.right = int(self.np_random.integers(2))
        picture = self.np_random.integers(0, 120, (2, 84, 84), dtype=np.uint8)
        picture[:, :, 42 * self.right : 42 * (self.right + 1)] += np.uint8(30)
        return picture

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.step_number = 0
        return self.show(), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        reward = float(int(action) == self.right)
        self.step_number += 1
        return self.show(), reward, self.step_number == 6, False, {}


class Scaled(BaseFeaturesExtractor):
    """Features without a tensor: nothing in the state dict tells of them."""

    def __init__(self, observation_space: spaces.Box) -> None:
        super().__init__(observation_space, 4)

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        return observations / 10


class Mixed(BaseFeaturesExtractor):
    """As many features as the observation has numbers: the layers behind it fit either."""

    def __init__(self, observation_space: spaces.Box) -> None:
        super().__init__(observation_space, 4)
        self.net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU())

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        mixed: torch.Tensor = self.net(observations)
        return mixed


class Own(stable_baselines3.dqn.MlpPolicy):
    """A policy that may do anything with the same tensors."""


gymnasium.register("exact/Bytes-v0", entry_point=Bytes)
gymnasium.register("exact/Side-v0", entry_point=Side)


def made(kind: str, policy: Any, env: Any, **kwargs: Any) -> Any:
    library = RecurrentPPO if kind == "RecurrentPPO" else getattr(stable_baselines3, kind)
    return library(policy, env, device="cpu", seed=5, policy_kwargs=kwargs, **SETTINGS[kind])


def refused(file: Path, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line and with exit code 2; nothing is written."""
    with pytest.raises(SystemExit) as stop:
        main(["import", str(file), "--env", "CartPole-v1"])
    lines = capsys.readouterr().err.strip().splitlines()
    assert stop.value.code == 2
    assert len(lines) == 1
    assert told in lines[0]
    assert not file.with_suffix(".safetensors").exists()


@pytest.mark.parametrize("kind", ["DQN", "PPO"])
def test_layers_of_its_makers_own_are_refused_by_name(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made(kind, "MlpPolicy", "CartPole-v1", features_extractor_class=Mixed).save(tmp_path / "theirs.zip")
    tensor = ("q_net." if kind == "DQN" else "") + "features_extractor.net.0.weight"
    refused(tmp_path / "theirs.zip", f"nothing here is its tensor {tensor}", capsys)


def test_features_and_policies_that_no_tensor_tells_of_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made("DQN", "MlpPolicy", "CartPole-v1", features_extractor_class=Scaled).save(tmp_path / "scaled.zip")
    refused(tmp_path / "scaled.zip", "its features are those of <class 'tests.experiments", capsys)
    made("DQN", Own, "CartPole-v1").save(tmp_path / "own.zip")
    refused(tmp_path / "own.zip", "its policy is a class of tests.experiments", capsys)


def with_tensors(source: Path, to: Path, **more: Any) -> Path:
    """A zip whose state dict holds further tensors; dots are written as two underscores."""
    import io

    with zipfile.ZipFile(source) as archive:
        state = torch.load(io.BytesIO(archive.read("policy.pth")), weights_only=True)
    content = io.BytesIO()
    torch.save(state | {name.replace("__", "."): tensor for name, tensor in more.items()}, content)
    return changed(source, to, policy_pth=content.getvalue())


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Agents of CartPole as they come, never trained."""
    folder = tmp_path_factory.mktemp("theirs")
    found = {kind: folder / f"{kind}.zip" for kind in ("DQN", "PPO")}
    for kind, file in found.items():
        made(kind, "MlpPolicy", "CartPole-v1").save(file)
    return found


@pytest.mark.parametrize(
    ("kind", "tensor", "told"),
    [
        ("PPO", {"mlp_extractor__shared_net__0__weight": torch.ones(4, 4)}, "mlp_extractor.shared_net.0.weight"),
        ("PPO", {"lstm_critic__weight_ih_l0": torch.ones(4, 4)}, "lstm_critic.weight_ih_l0"),
        ("DQN", {"q_net__q_net__1__running_mean": torch.ones(64)}, "q_net.q_net.1.running_mean"),
        ("DQN", {"q_net_target__value__weight": torch.ones(4, 4)}, "q_net_target.value.weight"),
    ],
)
def test_a_tensor_that_nothing_here_is_is_named(
    kind: str, tensor: dict[str, Any], told: str, plain: dict[str, Path], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    refused(with_tensors(plain[kind], tmp_path / "more.zip", **tensor), f"nothing here is its tensor {told}", capsys)


@pytest.mark.parametrize(
    ("tensor", "told"),
    [
        (torch.ones(2).to(torch.float8_e4m3fn), "float8_e4m3fn, strided, on cpu"),
        (torch.eye(3).to_sparse(), "float32, sparse_coo, on cpu"),
        (torch.ones(2, device="meta"), "float32, strided, on"),
    ],
)
def test_tensors_that_numpy_has_not_are_refused(
    tensor: torch.Tensor, told: str, plain: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = with_tensors(plain["DQN"], tmp_path / "strange.zip", more__weight=tensor)
    refused(file, f"tensor more.weight is of a kind that NumPy has not ({told}", capsys)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_damaged_zip_is_refused_in_a_line_whatever_its_compression(
    compression: int, plain: dict[str, Path], tmp_path: Path
) -> None:
    """A byte is another one, anywhere: refused, or of no meaning."""
    with zipfile.ZipFile(plain["DQN"]) as old, zipfile.ZipFile(tmp_path / "whole.zip", "w", compression) as new:
        for name in ("data", "policy.pth"):
            new.writestr(name, old.read(name))
    whole, rng, lines = (tmp_path / "whole.zip").read_bytes(), np.random.default_rng(0), list[str]()
    for place in rng.integers(len(whole), size=120):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        (tmp_path / "damaged.zip").write_bytes(damaged)
        try:
            import_agent(tmp_path / "damaged.zip", env="CartPole-v1")
        except InputError as error:
            lines.append(str(error))
    assert len(lines) > 60
    assert not any("\n" in line for line in lines)


FIRST: dict[str, tuple[str, str, dict[str, Any]]] = {
    "Q values": ("DQN", "MlpPolicy", {"net_arch": [16]}),
    "Q values without layers": ("DQN", "MlpPolicy", {"net_arch": []}),
    "policy and value apart": ("PPO", "MlpPolicy", {"net_arch": {"pi": [8], "vf": [6]}}),
    "a value without layers": ("A2C", "MlpPolicy", {"net_arch": {"pi": [8], "vf": []}}),
}


@pytest.mark.parametrize("case", FIRST)
def test_a_vector_of_bytes_means_there_what_it_means_here(case: str, tmp_path: Path) -> None:
    """Stable-Baselines3 divides pictures alone by 255, networks here all bytes."""
    kind, policy, kwargs = FIRST[case]
    model = made(kind, policy, Bytes(), **kwargs)
    for name, tensor in model.policy.named_parameters():
        if name.endswith("weight"):
            tensor.data *= 0.1 if "net.0" in name else 10  # tanh that is not at its ends, outputs that differ
    model.save(tmp_path / "theirs.zip")
    found = import_agent(tmp_path / "theirs.zip", env="exact/Bytes-v0")
    obs = np.random.default_rng(0).integers(0, 256, (40, 128), dtype=np.uint8)
    mine, theirs = outputs_of(kind, found.path, model, obs)
    assert np.allclose(mine, theirs, rtol=1e-4, atol=1e-4 * np.abs(theirs).max())
    assert np.ptp(theirs, axis=0).min() > 0.01


@pytest.mark.parametrize(
    "memory", [{}, {"enable_critic_lstm": False}, {"enable_critic_lstm": False, "n_lstm_layers": 2, "net_arch": []}]
)
def test_a_memory_of_bytes_remembers_what_it_remembers_there(memory: dict[str, Any], tmp_path: Path) -> None:
    model = made("RecurrentPPO", "MlpLstmPolicy", Bytes(), lstm_hidden_size=6, **memory)
    for name, tensor in model.policy.named_parameters():
        first = "weight_ih_l0" in name or name == "critic.weight"
        tensor.data *= 0.02 if first else 300 if name == "action_net.weight" else 3
    model.save(tmp_path / "theirs.zip")
    agent = load_agent(import_agent(tmp_path / "theirs.zip", env="exact/Bytes-v0").path)
    obs = np.random.default_rng(1).integers(0, 256, (9, 128), dtype=np.uint8)
    started, state, rows = np.arange(9) % 5 == 0, None, []
    for row, starts in zip(obs, started, strict=True):
        output, state = agent.act(row[None], state, np.array([starts]))
        rows.append(output[0])
    mine, theirs = np.stack(rows), outputs(model, obs, started)
    mine[:, :-1] -= np.log(np.exp(mine[:, :-1]).sum(axis=1, keepdims=True))
    assert np.allclose(mine, theirs, rtol=1e-4, atol=1e-4 * np.abs(theirs).max())
    assert np.ptp(theirs, axis=0).min() > 0.01


def takes_either(model: Any, kind: str) -> None:
    """Moves the head's biases so that the pictures decide which action is taken."""
    game = Side()
    obs = torch.from_numpy(np.stack([game.reset(seed=seed)[0] for seed in range(20)]))
    head = model.q_net.q_net[-1] if kind == "DQN" else model.policy.action_net
    with torch.no_grad():
        values = model.q_net(obs) if kind == "DQN" else model.policy.get_distribution(obs).distribution.logits
        head.bias -= values.mean(dim=0)
    assert len({int(model.predict(one.numpy(), deterministic=True)[0]) for one in obs}) == 2


@pytest.mark.parametrize(("kind", "policy"), [("A2C", "MlpPolicy"), ("DQN", "CnnPolicy"), ("PPO", "CnnPolicy")])
def test_games_end_as_in_the_library_that_trained_it(kind: str, policy: str, tmp_path: Path) -> None:
    """A hundred, with its own `evaluate_policy` on the same seeds; pictures are of this file's own game."""
    from stable_baselines3.common.evaluation import evaluate_policy
    from stable_baselines3.common.monitor import Monitor

    env = "CartPole-v1" if policy == "MlpPolicy" else "exact/Side-v0"
    model = made(kind, policy, gymnasium.make(env))
    model.learn(600 if policy == "MlpPolicy" else 40)
    if policy == "CnnPolicy":
        takes_either(model, kind)
    model.save(tmp_path / "theirs.zip")
    found = import_agent(tmp_path / "theirs.zip", env=env)
    score = evaluate(found.path, games=100, seed=0, policy="greedy")
    games = Monitor(Seeded(gymnasium.make(env), game_seeds(0, "evaluate", 0, 100)))
    rewards, lengths = evaluate_policy(
        getattr(stable_baselines3, kind).load(tmp_path / "theirs.zip", device="cpu"),
        games,
        n_eval_episodes=100,
        return_episode_rewards=True,
    )
    assert (score.rewards, score.lengths) == (rewards, lengths)
    assert len(set(rewards)) > 1
