"""`triptych.show`: a recipe's three sources as values in Python, beside each other in a notebook."""

from __future__ import annotations

from pathlib import Path

import pytest

import triptych
from triptych.report.show.beside import Shown
from triptych.utils.checks import InputError


@pytest.fixture(scope="module")
def shown() -> Shown:
    return triptych.show("cartpole")


def test_each_framework_says_its_network(shown: Shown) -> None:
    code = shown.beside("network").code
    assert list(code) == ["PyTorch", "JAX (Flax, optax)", "Keras (TensorFlow)"]
    said = ("nn.Linear(4, 256)", "nn.Dense(256", "layers.Dense(256")
    assert all(words in text for words, text in zip(said, code.values(), strict=True))


def test_layers_have_shapes_and_weights(shown: Shown) -> None:
    assert [(layer.name, layer.output_shape, layer.weights) for layer in shown.layers] == [
        ("dense_1", (256,), 4 * 256 + 256),
        ("dense_2", (256,), 256 * 256 + 256),
        ("head", (2,), 256 * 2 + 2),
    ]


def test_a_notebook_shows_a_column_each_and_escapes_the_code(shown: Shown) -> None:
    page = shown.beside("file")._repr_html_()
    assert page.count('<div class="highlight">') == 3
    assert "->" not in page, "what stands in the code is no part of the page"


def test_the_files_are_written_as_the_command_writes_them(shown: Shown, tmp_path: Path) -> None:
    files = shown.write(tmp_path)
    assert [file.name for file in files] == ["dqn_torch.py", "dqn_jax.py", "dqn_keras.py"]
    assert files[0].read_text(encoding="utf-8") == shown.sources["torch"].file


def test_a_part_that_is_none_is_refused(shown: Shown) -> None:
    with pytest.raises(InputError, match="part is 'net'; allowed: network, operations, loss, update, file"):
        shown.beside("net")
