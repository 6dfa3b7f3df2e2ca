"""Puts a file together that trains a recipe's agent by itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from triptych.recipes import Recipe
from triptych.report.show.copying import Text, gather
from triptych.report.show.loops.choose import chosen, features
from triptych.report.show.loops.flags import parse_args, unit_of, with_constants
from triptych.report.show.loops.games import IMPORTS, games_text
from triptych.report.show.own import bindings
from triptych.report.show.text import constructor, folder_of, literal
from triptych.report.show.tidy import tidied
from triptych.spec import GRU, LSTM, RNN, ActorCritic, Network, dtypes
from triptych.spec.weights import INITIALISERS, to_draw

HERE = Path(__file__).parent
OURS = "import argparse"
AGENTS = {"dqn": "DQN", "drqn": "DRQN", "a2c": "ActorCritic", "ppo": "ActorCritic"}
PLAIN: dict[type, str] = {RNN: "Memory", GRU: "Memory", LSTM: "Memory", ActorCritic: "ActorCriticHead"}


HEADER = '''"""{name}: {kind} in {title}, in one file that trains by itself. {by}

`python FILE --help` lists the settings. The same seed gives the run that Triptych gives, up to its first checkpoint
where that cuts games which cannot be saved (Atari's). Not in here: checkpoints, videos, the best weights."""'''


def loop_file(recipe: Recipe, network: Network, framework: str, name: str, text: ModuleType, by: str) -> str:
    """The whole file.

    Args:
        name: of the recipe.
        text: the framework's module of `report.show`.
        by: who wrote the file.
    """
    kind, plain, has = recipe.algorithm.kind, folder_of(framework) / "plain.py", features(recipe, network)
    into = Text()

    def copied(file: Path, *names: str) -> str:
        """The definitions, with what they use and is not there yet."""
        before = set(into.parts)
        gather(file, set(names), into)
        parts = [chosen(part, has) for key, part in into.parts.items() if key not in before]
        return "\n\n\n".join(short(part) for part in parts if part)

    off_policy = recipe.algorithm.family == "off-policy"
    own = sorted({PLAIN[type(placed.layer)] for placed in network.placed() if type(placed.layer) in PLAIN})
    net = plain_layers(text.network(network, recipe.precision), network, framework, recipe.precision)
    parts = [
        games_text(recipe.env),
        in_one_class(copied(plain, *own), "Tensors", own[0], own[0]) if len(own) == 1 else copied(plain, *own),
        net,
        copied(HERE / "seeds.py", "generator", "game_seeds", *INITIALISERS, "orthogonal_blocks"),
        first_weights(network, recipe.precision),
        in_one_class(copied(plain, AGENTS[kind]), "Agent", AGENTS[kind], "Agent"),
        copied(HERE / "replay.py", "Replay") if off_policy else "",
        copied(HERE / "log.py", "Log"),
        copied(HERE / f"{'off' if off_policy else 'on'}_policy.py", "train"),
        main(recipe, network, net),
    ]
    body = "\n\n\n".join(part.strip("\n") for part in parts if part)
    for period in ("target", "evaluate"):
        body = body.replace(f"log.{period.upper()}_UNIT", f"log.{unit_of(recipe, period)}")
    body = with_constants(recipe, without_unused(body))
    body = f"{parse_args(recipe, body)}\n\n\n{body}"
    lines = [OURS, text.IMPORTS, text.LAYERS_IMPORTS, IMPORTS, *into.imports]
    header = HEADER.format(name=name, title=text.TITLE, kind=kind.upper(), by=by)
    return tidied(header, body, *lines, future=False)


def plain_layers(net: str, network: Network, framework: str, precision: str) -> str:
    """The text of a network with the layers of `plain.py` in place of those of `layers.py`."""
    stored, _ = dtypes(precision)
    for placed in network.placed():
        if type(placed.layer) in PLAIN:
            name, shapes = placed.name, literal(placed.layer.tensors(placed.input_shape))
            given, more = {
                "torch": ((), ""),
                "jax": ((f'"{stored}"', f'name="{name}"'), f', name="{name}"'),
                "keras": ((f'"{stored}"', f'"{name}"'), f', dtype="{stored}", name="{name}"'),
            }[framework]
            call = constructor(framework, placed, given)
            assert call in net, call
            net = net.replace(call, f"{PLAIN[type(placed.layer)]}({shapes}{more})")
    return with_one_state(net)


def with_one_state(net: str) -> str:
    """The text of a network without what splits the states of several memories: there is one at most."""
    net = re.sub(r" *states = .*\n", "", net)
    net = re.sub(r"(\w+)\.(cat|concat|concatenate)\(\[after_0\], \w+=1\)", "state", net)
    return net.replace("states[0]", "state").replace("after_0", "state")


def in_one_class(text: str, parent: str, child: str, name: str) -> str:
    """The text with a class and the only one that inherits from it as one class."""
    return text.replace(f"\n\n\nclass {child}({parent}):\n", "\n\n").replace(f"class {parent}", f"class {name}")


def without_unused(text: str) -> str:
    """Without the functions and classes that nothing in the text uses."""
    while True:
        tree, lines = ast.parse(text), text.splitlines()
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        unused = [node for node in tree.body if not set(bindings(node)) & used and bindings(node)]
        if not unused:
            return text
        for node in reversed(unused):
            del lines[node.lineno - 1 : node.end_lineno]
        text = re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines))


def short(part: str) -> str:
    """A definition with only the first lines of its docstrings."""
    lines = part.splitlines()
    for node in ast.walk(ast.parse(part)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            said = node.body[0]
            assert said.end_lineno is not None
            if said.end_lineno > said.lineno and '"""' in lines[said.lineno - 1]:
                first = lines[said.lineno - 1].rstrip()
                lines[said.lineno - 1] = f'{first}"""'
                lines[said.lineno : said.end_lineno] = ["\0"] * (said.end_lineno - said.lineno)
    return "\n".join(line for line in lines if line != "\0")


def first_weights(network: Network, precision: str) -> str:
    """The function that draws the first weights, layer by layer."""
    lines = [f"    {line}" for layer in to_draw(network) for line in drawn_lines(*layer)]
    return "\n".join(
        [
            "def initial_weights(seed):",
            '    """The first weights, by name. Kernels are (in, out); those of convolutions (height, width, in, out)."""',
            '    rng, weights = generator(seed, "weights"), {}',
            *lines,
            f'    return {{name: array.astype("{dtypes(precision)[0]}") for name, array in weights.items()}}',
        ]
    )


def drawn_lines(layer: str, initialiser: str, shapes: Any, factors: Any, offsets: Any) -> Iterator[str]:
    """The lines that draw a layer's tensors, in the order in which `spec.weights.draw` does."""
    behind: dict[str, str] = {}  # a kernel's bias
    last = ""
    for key, shape in shapes.items():
        if key.endswith("kernel") and not key.endswith("recurrent_kernel"):
            last = key
        elif last and not key.endswith(("kernel", "scale")):
            if shape == shapes[last][-1:]:
                behind[last] = key
            last = ""
    for key, shape in shapes.items():
        tensor = f'weights["{layer}/{key}"]'
        if key.endswith("recurrent_kernel"):
            yield f"{tensor} = orthogonal_blocks(rng, {shape})"
        elif key.endswith("kernel"):
            bias = f'weights["{layer}/{behind[key]}"]' if key in behind else "_"
            yield f"{tensor}, {bias} = {initialiser}(rng, {shape})"
        elif key.endswith("scale"):
            yield f"{tensor} = np.ones({shape})"
        elif key not in behind.values():
            yield f"{tensor} = np.zeros({shape})"
    for key, factor in factors.items():
        yield f'weights["{layer}/{key}"] *= {factor!r}'
    for key, (part, more) in offsets.items():
        yield f'weights["{layer}/{key}"][{part.start}:{part.stop}] += {more!r}'


def main(recipe: Recipe, network: Network, text: str) -> str:
    """The end of the file, which makes everything and trains; `text` is that of the network."""
    net = "make_net" if "def make_net" in text else "Net"
    kind, observation = recipe.algorithm.kind, network.observation.main
    memory = f", {sum(network.state_sizes)}" if network.unrolls else ""
    lines = [
        "args = parse_args()",
        f"agent = Agent(args, {net}, initial_weights(args.seed){memory})",
    ]
    replay = ""
    if recipe.algorithm.family == "off-policy":
        shown = f"{observation.shape}, {literal(observation.dtype)}"
        more = ", agent.state_size, agent.floats" if kind == "drqn" else ""
        lines.append(f"replay = Replay(args, {shown}{more})")
        replay = "replay, "
    lines.append(f"train(args, make_games, agent, {replay}Log(args))")
    return "\n".join(['if __name__ == "__main__":', *(f"    {line}" for line in lines)])
