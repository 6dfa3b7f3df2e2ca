"""Weights of other programs, by a mapping file: they compute here what they computed there, and nothing is unpickled."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from triptych import InputError
from triptych.experiments.importing import import_agent
from triptych.experiments.load import load_agent
from triptych.experiments.mapping import MappingFile, mapped, read_mapping
from triptych.spec.weights import Weights

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "cleanrl"
RECIPE = str(EXAMPLES / "cartpole.py")
OBS = np.random.default_rng(0).standard_normal((20, 4)).astype(np.float32)


def torch_network() -> Any:
    """The network of CleanRL's dqn.py, under the names that it has there."""
    import torch

    torch.manual_seed(0)

    class QNetwork(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            sizes = (4, 120, 84, 2)
            layers = [torch.nn.Linear(before, after) for before, after in pairwise(sizes)]
            self.network = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1], torch.nn.ReLU(), layers[2])

    return QNetwork()


def state_of(network: Any) -> dict[str, np.ndarray]:
    return {name: tensor.detach().numpy() for name, tensor in network.state_dict().items()}


def imported(file: Path, mapping: str = "dqn.toml") -> Weights:
    found = import_agent(file, recipe=RECIPE, mapping=EXAMPLES / mapping, out=file.parent / "mine.safetensors")
    values: Weights = load_agent(found.path, recipe=RECIPE).act(OBS)[0]
    return values


@pytest.mark.parametrize("kind", ["cleanrl_model", "npz", "safetensors"])
def test_a_torch_agent_of_cleanrl_gives_the_same_values(kind: str, tmp_path: Path) -> None:
    import torch
    from safetensors.numpy import save_file

    network, file = torch_network(), tmp_path / f"dqn.{kind}"
    if kind == "cleanrl_model":
        torch.save(network.state_dict(), file)
    elif kind == "npz":
        np.savez(file, **state_of(network))
    else:
        save_file(state_of(network), file)
    with torch.no_grad():
        theirs = network.network(torch.from_numpy(OBS)).numpy()
    assert np.allclose(imported(file), theirs, atol=1e-6)


def test_a_flax_agent_of_cleanrl_gives_the_same_values(tmp_path: Path) -> None:
    import flax
    import jax
    from flax import linen, serialization

    class QNetwork(linen.Module):
        @linen.compact
        def __call__(self, x: Any) -> Any:
            x = linen.relu(linen.Dense(120)(x))
            x = linen.relu(linen.Dense(84)(x))
            return linen.Dense(2)(x)

    assert flax.__version__
    parameters = QNetwork().init(jax.random.PRNGKey(0), OBS)
    file = tmp_path / "dqn_jax.cleanrl_model"
    file.write_bytes(serialization.to_bytes(parameters))
    theirs = np.asarray(QNetwork().apply(parameters, OBS))
    assert np.allclose(imported(file, "dqn_jax.toml"), theirs, atol=1e-5)


def test_a_flattening_with_channels_first_is_turned(tmp_path: Path) -> None:
    """Rows of the kernel behind it come in the order rows, columns, channels."""
    said = read_mapping(EXAMPLES / "dqn_atari.toml")
    entry = {"dense_1/kernel": said.tensors["dense_1/kernel"]}
    theirs = np.arange(2 * 64 * 7 * 7, dtype=np.float32).reshape(2, -1)  # (out, in)
    ours = mapped(MappingFile(entry), {"network.7.weight": theirs}, tmp_path)["dense_1/kernel"]
    picture = np.random.default_rng(1).standard_normal((64, 7, 7)).astype(np.float32)
    assert np.allclose(picture.transpose(1, 2, 0).ravel() @ ours, theirs @ picture.ravel(), rtol=1e-4)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("layout = ", "is no TOML"),
        ("[tensors]\n'dense_1/kernel' = 3", "tensors"),
        ("layout = 'tf'\n[tensors]", "layout"),
        (
            "[tensors]\n'dense_1/kernel' = 'network.9.weight'",
            "tensor network.9.weight, for dense_1/kernel, is not there",
        ),
        ("[tensors]\n'dense_1/kernel' = {name = 'network.0.weight', transpose = [0, 0]}", "each of its axes once"),
        ("[tensors]\n'dense_1/kernel' = {name = 'network.0.weight', flattened = [3, 3, 3]}", "channels, rows, columns"),
        ("[tensors]\n'dense_1/kernel' = {name = 'network.0.weight', flattened = [-2, -2, 1]}", "each above 0"),
        ("layout = 'pytorch'\n[tensors]", "layout is 'pytorch'; allowed: torch, flax"),
        ("[tensors]\n'dense_1/kernel' = 'network.0.weight'", "mapping.toml has no line for dense_1/bias, "),
        (
            "[tensors]\n'dense_1/bias' = {name = 'network.0.bias', plus = 'network.2.bias'}",
            "shape is (84,); allowed: (120,)",
        ),
        (
            "[tensors]\n'dense_1/bias' = {name = 'network.0.bias', plus = 'more'}",
            "tensor more, for dense_1/bias, is not there",
        ),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_in_a_line(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text(text)
    np.savez(tmp_path / "dqn.npz", **state_of(torch_network()))
    with pytest.raises(InputError) as error:
        import_agent(tmp_path / "dqn.npz", recipe=RECIPE, mapping=tmp_path / "mapping.toml")
    assert told in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "dqn.safetensors").exists()


def test_arrays_of_objects_are_not_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "dqn.npz", **{"network.0.weight": np.array([{}], object)})
    with pytest.raises(InputError, match="holds more than arrays"):
        import_agent(tmp_path / "dqn.npz", recipe=RECIPE, mapping=EXAMPLES / "dqn.toml")


def test_bytes_that_are_no_tree_of_flax_are_refused(tmp_path: Path) -> None:
    for content in (b"", b"nonsense", b"\x80", b"\x81\xa1a\x01", b"\x81\xa1a\xc7\x03\x01\x93\x91\x01"):
        (tmp_path / "dqn.cleanrl_model").write_bytes(content)
        with pytest.raises(InputError, match=r"is no tree of arrays of Flax's"):
            import_agent(tmp_path / "dqn.cleanrl_model", recipe=RECIPE, mapping=EXAMPLES / "dqn_jax.toml")


def test_a_mapping_needs_a_recipe(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="as is missing"):
        import_agent(tmp_path / "dqn.npz", mapping=EXAMPLES / "dqn.toml")


def test_the_file_that_is_read_is_never_the_one_that_is_written(tmp_path: Path) -> None:
    (tmp_path / "dqn.safetensors").write_bytes(b"theirs")
    with pytest.raises(InputError, match="another file than the one that is read"):
        import_agent(tmp_path / "dqn.safetensors", recipe=RECIPE, mapping=EXAMPLES / "dqn.toml")
    assert (tmp_path / "dqn.safetensors").read_bytes() == b"theirs"
