"""`triptych show`: one recipe as three plain files, a framework each, that run without Triptych.

What is shown is what runs: the losses, the frameworks' operations, the batch and the drawing of weights are
copied from the shipped source; network, optimiser and update come from `frameworks/*/source.py`, from the
same spec, and a test runs each file beside the learner. No framework is imported here.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from dataclasses import dataclass, fields
from math import prod
from pathlib import Path
from types import ModuleType
from typing import Any

from triptych import envs, frameworks, seeds, weights
from triptych.algorithms import ALGORITHMS, dqn
from triptych.checks import InputError
from triptych.data import Transition
from triptych.files import write_whole
from triptych.losses import value
from triptych.recipes import Recipe
from triptych.spec import Network, Placed, dtypes

WRITTEN_BY = "Written by `triptych show`."  # in the first lines of each file
LOSSES = {"double_q_learning", "q_learning", "huber", "squared", "check_shapes"}


@dataclass(frozen=True)
class Source:
    """One framework's file, in the parts that are shown side by side."""

    framework: str
    title: str
    network: str
    operations: str
    loss: str
    update: str
    file: str  # all of it, and what it needs to run by itself


def show(recipe: Recipe, network: Network, name: str) -> list[Source]:
    """The sources of a recipe's agent, one a framework, in the order torch, jax, keras."""
    return [source(framework, recipe, network, name) for framework in frameworks.FRAMEWORKS]


def network_of(recipe: Recipe) -> Network:
    """The network that a recipe trains.

    Raises:
        InputError: the environment cannot be made, or the network does not fit it.
    """
    games = envs.make(recipe.env, 1)
    games.close()
    return recipe.make_network(games.observation, games.num_actions)


def write(sources: list[Source], folder: Path) -> list[Path]:
    """Writes `dqn_torch.py`, `dqn_jax.py` and `dqn_keras.py`, each whole or not at all.

    Raises:
        InputError: one of these names belongs to a file that somebody else wrote.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"dqn_{found.framework}.py" for found in sources]
    for path in paths:
        if path.exists() and WRITTEN_BY not in path.read_text(encoding="utf-8", errors="replace")[:1_000]:
            raise InputError(f"{path} exists and was not written by triptych; allowed: another folder")
    for path, found in zip(paths, sources, strict=True):
        write_whole(path, lambda temporary, text=found.file: temporary.write_text(text, encoding="utf-8"))  # type: ignore[misc]
    return paths


def source(framework: str, recipe: Recipe, network: Network, name: str) -> Source:
    text = importlib.import_module(f"triptych.frameworks.{framework}.source")
    folder = Path(str(text.__file__)).parent
    loss = loss_source(recipe)
    operations = copied(folder / "ops.py", used_operations(loss, folder / "ops.py"))
    learner = copied(folder / "learner.py", list(text.COPIED))
    net, update = text.network(network, recipe.precision), text.update(recipe.optimiser, recipe.precision)
    parts = [
        header(name, text), imports(text, loss + operations), settings(recipe, network), "# Operations of the loss", operations,
        "xp = sys.modules[__name__]  # the loss finds them here", "# Loss", inspect.getsource(Transition), loss,
        "loss = make_loss(config)", "# Network", net, "# Weights: from a file, or drawn from the recipe's seed",
        drawing(recipe), "# Optimiser and update", learner, update, MAIN,
    ]  # fmt: skip
    file = "\n\n\n".join(part.strip("\n") for part in parts if part) + "\n"
    return Source(framework, text.TITLE, net, operations, loss, f"{learner}\n\n\n{update}", file)


def header(name: str, text: ModuleType) -> str:
    return f'''"""{name} in {text.TITLE}: network, loss, optimiser and one update. {WRITTEN_BY}

python FILE [weights.safetensors] prints the Q values of one batch and the loss of one update.
"""

from __future__ import annotations

import json
import sys
import zlib
from functools import partial
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
from safetensors.numpy import load_file

{text.IMPORTS}'''


def imports(text: ModuleType, using: str) -> str:
    """The operations that the framework's own module offers under their shipped names, as far as they are used."""
    module, names = text.OPERATIONS
    used = [name for name in names if re.search(rf"\b(xp\.)?{name}\(", using) and f"def {name}(" not in using]
    return f"from {module} import {', '.join(used)}" if used else ""


def settings(recipe: Recipe, network: Network) -> str:
    """The algorithm's settings that the loss reads, and the shapes."""
    config = recipe.algorithm
    values = {field.name: getattr(config, field.name) for field in fields(config)}
    read = {name: value for name, value in values.items() if f"config.{name}" in inspect.getsource(dqn.make_loss)}
    listed = ", ".join(f"{name}={value!r}" for name, value in {**read, "gamma": config.gamma}.items())
    kernels = ",\n    ".join(
        f'("{placed.name}", {placed.layer.initialiser}, {placed.tensors()[placed.name + "/kernel"]})'
        for placed in network.placed()
        if placed.tensors()
    )
    stored, _ = dtypes(recipe.precision)
    dtype = "uint8" if network.observation.dtype == "uint8" else stored
    return f'''config = SimpleNamespace({listed})
PRECISION, SEED, BATCH_SIZE = "{stored}", {recipe.seed}, {config.batch_size}
OBSERVATION, OBSERVATION_DTYPE, ACTIONS = {network.observation.shape}, "{dtype}", {list(network.placed())[-1].output_shape[0]}


def kernels():  # layer, initialiser, shape
    return [
    {kernels},
    ]'''.replace("    return [\n    (", "    return [\n        (").replace(",\n    (", ",\n        (")


def loss_source(recipe: Recipe) -> str:
    """The shipped loss and the functions that it calls."""
    main = inspect.getsource(ALGORITHMS[recipe.algorithm.kind].make_loss)
    called = [name for name in LOSSES if f"{name}(" in main] + ["check_shapes"]
    shipped = Path(str(value.__file__))
    return copied(shipped, called) + "\n\n\n" + main.strip("\n")


def used_operations(text: str, file: Path) -> list[str]:
    """The functions of an ops.py that a loss uses as `xp.name`, and those that they use."""
    defined = {node.name: node for node in functions(file)}
    wanted = {node.attr for node in ast.walk(ast.parse(text)) if is_operation(node)}  # type: ignore[attr-defined]
    found: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in defined and name not in found:
            found.add(name)
            wanted |= {node.id for node in ast.walk(defined[name]) if isinstance(node, ast.Name)}
    return [name for name in defined if name in found]


def is_operation(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "xp"


def functions(file: Path) -> list[Any]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def copied(file: Path, names: list[str]) -> str:
    """The source of some functions and classes of a file, comments included, in the file's order."""
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines()
    found = [node for node in functions(file) if node.name in names]
    return "\n\n\n".join("\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in found)


def drawing(recipe: Recipe) -> str:
    """How the recipe's first weights are drawn."""
    needed = {layer.initialiser for layer in recipe.network if hasattr(layer, "initialiser")} | {"glorot_uniform"}
    shipped = Path(str(weights.__file__))
    return f"""{copied(shipped, sorted(needed)).replace("shape: Shape", "shape")}


{inspect.getsource(seeds.generator).strip()}


def initial_weights():
    rng = generator(SEED, "weights")
    drawn = {{}}
    for name, initialiser, shape in kernels():
        drawn[f"{{name}}/kernel"], drawn[f"{{name}}/bias"] = initialiser(rng, shape)
    return drawn


weights = load_file(sys.argv[1]) if len(sys.argv) > 1 else initial_weights()
weights = {{name: np.asarray(array, PRECISION) for name, array in weights.items()}}"""


MAIN = '''def example_batch():
    """Random observations, actions, rewards; a fifth of the transitions end their episode."""
    rng, floats = generator(SEED, "example"), PRECISION

    def observations():
        shape = (BATCH_SIZE, *OBSERVATION)
        if OBSERVATION_DTYPE == "uint8":
            return rng.integers(0, 256, shape, dtype=np.uint8)
        return rng.standard_normal(shape).astype(floats)

    discount = config.gamma * (rng.random(BATCH_SIZE) < 0.8)
    return Transition(
        obs=observations(),
        action=rng.integers(ACTIONS, size=BATCH_SIZE, dtype=np.int32),
        reward=rng.standard_normal(BATCH_SIZE).astype(floats),
        discount=discount.astype(floats),
        next_obs=observations(),
        weight=np.ones(BATCH_SIZE, floats),
    )


if __name__ == "__main__":
    batch = example_batch()
    print("Q", json.dumps(q_values(batch.obs).tolist()))
    print("loss", json.dumps(update(batch).tolist()))'''


def layer_table(network: Network) -> list[tuple[str, str, Any, int]]:
    """Each layer's name, settings, output shape and number of weights."""
    return [(placed.name, describe(placed), placed.output_shape, count(placed)) for placed in network.placed()]


def describe(placed: Placed) -> str:
    settings = ", ".join(f"{field.name} {getattr(placed.layer, field.name)}" for field in fields(placed.layer))
    return f"{placed.layer.kind}({settings})" if settings else placed.layer.kind


def count(placed: Placed) -> int:
    return sum(prod(shape) for shape in placed.tensors().values())


def names_table() -> list[tuple[str, ...]]:
    """What each thing is called: (thing, torch, jax, keras)."""
    called = [importlib.import_module(f"triptych.frameworks.{name}.source").NAMES for name in frameworks.FRAMEWORKS]
    return [(thing, *(names[thing] for names in called)) for thing in called[0]]
