"""`triptych show`: one recipe as three plain files, a framework each, that run without Triptych.

What is shown is what runs: the losses, the frameworks' operations, the batch and the drawing of weights are
copied from the shipped source; network, optimiser and update come from this folder's text of each framework, from the
same spec, and a test runs each file beside the learner. No framework is imported here.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import prod
from pathlib import Path
from types import ModuleType
from typing import Any

from triptych import envs, frameworks
from triptych.algorithms import definition
from triptych.recipes import Recipe
from triptych.report.show.copying import copied, definitions, names_in, needed, operations
from triptych.report.show.examples import RANDOM, RANDOM_PARTS, ROLLOUTS, SEQUENCES, TRANSITIONS
from triptych.report.show.loops.allowed import check_allowed
from triptych.report.show.loops.build import loop_file
from triptych.report.show.loops.own_games import Own
from triptych.report.show.own import alias_of, check_names, layers_text, loss_text
from triptych.report.show.text import LAYERS, class_of, folder_of, literal
from triptych.report.show.tidy import tidied
from triptych.spec import Network, Placed, dtypes, weights
from triptych.spec.batches import Rollout, Transition
from triptych.spec.batches import Sequence as Sequences
from triptych.spec.weights import to_draw
from triptych.utils import seeds
from triptych.utils.checks import InputError, check
from triptych.utils.files import write_whole

TEXTS = "triptych.report.show"  # its module of a framework's name writes that framework's text
WRITTEN_BY = "Written by `triptych show`."  # in the first lines of each file


@dataclass(frozen=True)
class Source:
    """One framework's file, in the parts that are shown side by side."""

    framework: str
    algorithm: str
    title: str
    network: str
    operations: str
    loss: str
    update: str
    file: str  # all of it, and what it needs to run by itself


def show(recipe: Recipe, network: Network, name: str) -> list[Source]:
    """The sources of a recipe's agent, one a framework, in the order torch, jax, keras.

    Raises:
        InputError: layers are frozen, which the texts do not say.
    """
    check(not recipe.freeze, "freeze", list(recipe.freeze), "none, as the shown update is of all layers")
    check(not recipe.teacher, "teacher", recipe.teacher, "none, as the shown update has no teacher")
    return [source(framework, recipe, network, name) for framework in shown()]


def loops(recipe: Recipe, network: Network, name: str) -> list[Source]:
    """The same with files that train by themselves.

    Raises:
        InputError: the recipe has what no file can do; names it.
    """
    check_allowed(recipe, network)
    return [
        dataclasses.replace(
            one, file=loop_file(recipe, network, one.framework, name, text_of(one.framework), WRITTEN_BY)
        )
        for one in show(recipe, network, name)
    ]


def shown() -> list[str]:
    """The frameworks that can be shown as text: those with a module here."""
    return [name for name in frameworks.FRAMEWORKS if importlib.util.find_spec(f"{TEXTS}.{name}")]


def network_of(recipe: Recipe) -> Network:
    """The network that a recipe trains.

    Raises:
        InputError: the environment cannot be made, or the network does not fit it.
    """
    games = envs.make(recipe.env, 1)
    games.close()
    return recipe.make_network(games.observation, games.num_actions)


def write(sources: list[Source], folder: Path, own: Sequence[Own] = ()) -> list[Path]:
    """Writes `dqn_torch.py`, `dqn_jax.py` and `dqn_keras.py` (or `drqn_...`), each whole or not at all, and copies the user's own files.

    Returns:
        all that the folder now holds of them.

    Raises:
        InputError: one of these names belongs to a file that somebody else wrote.
    """
    paths = [folder / f"{found.algorithm}_{found.framework}.py" for found in sources]
    for path in paths:
        if path.exists() and WRITTEN_BY not in path.read_text(encoding="utf-8", errors="replace")[:1_000]:
            raise InputError(f"{path} exists and was not written by triptych; allowed: another folder")
    copies = [one for one in own if one.needs_copy(folder)]
    folder.mkdir(parents=True, exist_ok=True)
    for one in copies:
        one.copy(folder)
    for path, found in zip(paths, sources, strict=True):
        write_whole(path, lambda temporary, text=found.file: temporary.write_text(text, encoding="utf-8"))  # type: ignore[misc]
    return [*paths, *(folder / one.name for one in own)]


def source(framework: str, recipe: Recipe, network: Network, name: str) -> Source:
    text = text_of(framework)
    folder = folder_of(framework)
    losses, own = loss_text(recipe), layers_text(framework, network)
    loss = losses.text + alias_of(recipe)
    used = copied(folder / "ops.py", needed(folder / "ops.py", operations(loss)))
    learner = copied(folder / "learner.py", list(text.COPIED[recipe.optimiser.kind]))
    net = "\n\n\n".join(filter(None, [ours(framework, network), own.text, text.network(network, recipe.precision)]))
    update = text.update(recipe.optimiser, recipe.precision, network.unrolls)
    parts = [
        settings(recipe, network, loss), "# Operations of the loss", used,
        operations_of(loss), "# Loss", inspect.getsource(definition(recipe.algorithm).batch), loss,
        "loss = make_loss(config)", "# Network", net, "# Weights: from a file, or drawn from the recipe's seed",
        drawing(network), "# Optimiser and update", learner, update, main(network, recipe.algorithm),
    ]  # fmt: skip
    body = "\n\n\n".join(part.strip("\n") for part in parts if part)
    lines = [IMPORTS, text.IMPORTS, text.LAYERS_IMPORTS, *losses.imports, *own.imports]
    file = tidied(HEADER.format(name=name, title=text.TITLE, by=WRITTEN_BY), body, *lines, imports(text, loss + used))
    check_names(file, [losses, own], operations(loss))
    return Source(framework, recipe.algorithm.kind, text.TITLE, net, used, loss, f"{learner}\n\n\n{update}", file)


def operations_of(loss: str) -> str:
    """The operations under one name, by which the loss calls them."""
    lines = "".join(f"    {name}={name},\n" for name in sorted(operations(loss)))
    return f"xp = SimpleNamespace(\n{lines})"


def text_of(framework: str) -> Any:
    """The module here that writes a framework's text."""
    return importlib.import_module(f"{TEXTS}.{framework}")


HEADER = '''"""{name} in {title}: network, loss, optimiser and one update. {by}

python FILE [weights.safetensors] prints what the network gives for one batch, and the loss of one update.
"""'''

IMPORTS = """import json
import os
import sys
import zlib
from functools import partial
from types import SimpleNamespace
from typing import NamedTuple
import numpy as np
from safetensors.numpy import load_file"""


def imports(text: ModuleType, using: str) -> str:
    """The operations that the framework's own module offers under their shipped names, as far as they are used."""
    module, names = text.OPERATIONS
    used = [name for name in names if re.search(rf"\b(xp\.)?{name}\(", using) and f"def {name}(" not in using]
    return f"from {module} import {', '.join(used)}" if used else ""


def settings(recipe: Recipe, network: Network, loss: str) -> str:
    """The algorithm's settings that the loss reads, and the shapes."""
    config: Any = recipe.algorithm
    (given, *_) = inspect.signature(definition(config).make_loss).parameters
    read = set(re.findall(rf"\b(?:config|{given})\.(\w+)", loss)) | {"gamma"}
    names = [field.name for field in fields(config)]
    names += sorted(name for name in read - set(names) if name in dir(config) and not callable(getattr(config, name)))
    listed = ", ".join(f"{name}={literal(getattr(config, name))}" for name in names if name in read)
    layers = ",\n        ".join(
        f'("{n}", {kind}, {literal(shapes)}, {literal(factors)}, {literal(offsets)})'
        for n, kind, shapes, factors, offsets in to_draw(network)
    )
    stored, _ = dtypes(recipe.precision)
    head = list(network.placed())[-1]
    actions = getattr(head.layer, "actions", head.output_shape[0])
    return f'''config = SimpleNamespace({listed})
PRECISION, SEED, BATCH_SIZE = "{stored}", {recipe.seed}, {batch_size(recipe)}
ACTIONS = {actions}
{observations(network, stored)}


def layers_to_draw():  # name, initialiser, shapes, factors, what is added to a part
    return [
        {layers},
    ]'''


def observations(network: Network, stored: str) -> str:
    """What an observation looks like, and random ones."""
    observation = network.observation
    shown = {name: (part.shape, part.taken(stored)) for name, part in observation.named}
    if not observation.is_several:
        return f"OBSERVATION = {literal(shown[observation.main_name])}  # shape, dtype\n\n\n{RANDOM.strip()}"
    return f"OBSERVATION = {literal(shown)}  # shape and dtype of each part\n\n\n{RANDOM_PARTS.strip()}"


def drawing(network: Network) -> str:
    """How a recipe's first weights are drawn."""
    kinds = {initialiser for _, initialiser, *_ in to_draw(network)}
    shipped = Path(str(weights.__file__))
    functions = copied(shipped, sorted(kinds | {"glorot_uniform", "orthogonal_blocks", "draw"}))
    return f"""{functions.replace("shape: Shape", "shape")}


{inspect.getsource(seeds.generator).strip()}


weights = draw(layers_to_draw(), generator(SEED, "weights"))
if {{"-h", "--help"}} & set(sys.argv):
    print(__doc__)
    sys.exit()
if len(sys.argv) > 1:
    if not os.path.isfile(sys.argv[1]):
        sys.exit(f"{{sys.argv[1]}}: no such file; allowed: weights of this network, or nothing")
    drawn, weights = weights, load_file(sys.argv[1])
    for name in {{**drawn, **weights}}:
        there, here = (str(found[name].shape) if name in found else "missing" for found in (weights, drawn))
        if there != here:
            sys.exit(f"{{sys.argv[1]}}: tensor {{name}} is {{there}} there, {{here}} here; allowed: weights of this network")
weights = {{name: np.asarray(array, PRECISION) for name, array in weights.items()}}"""


def ours(framework: str, network: Network) -> str:
    """The shipped source of the layers that the framework has not as we need them: memory, and the dueling head."""
    used = {name for placed in network.placed() if (name := class_of(framework, placed.layer))}
    texts: list[str] = []
    for file in (folder_of(framework) / name for name in reversed(LAYERS)):  # the later ones use the first
        names = needed(file, used)
        used |= {name for one in names for name in names_in(definitions(file)[one])}
        texts = [copied(file, names), *texts]
    return "\n\n\n".join(filter(None, texts))


def main(network: Network, config: Any) -> str:
    """A batch of random numbers, and what is printed of it."""
    batch = definition(config).batch
    if batch is Transition:
        return TRANSITIONS
    if batch is Sequences:
        return SEQUENCES.format(**lengths(network, config))
    return ROLLOUTS.format(steps=config.rollout_steps, state=sum(network.state_sizes))


def batch_size(recipe: Recipe) -> int:
    """Samples of the example's batch; of rollouts, games."""
    config: Any = recipe.algorithm
    return recipe.num_envs if definition(config).batch is Rollout else config.batch_size


def lengths(network: Network, config: Any) -> dict[str, int]:
    learned = config.sequence_length - config.burn_in
    return {"steps": config.sequence_length + config.n_step, "learned": learned, "state": sum(network.state_sizes)}


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
    called = [importlib.import_module(f"{TEXTS}.{name}").NAMES for name in shown()]
    return [(thing, *(names[thing] for names in called)) for thing in called[0]]
