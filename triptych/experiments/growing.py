"""`grow`: the weights of a larger network that computes what a run's does (Net2Net)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from triptych import envs
from triptych.experiments.load import find_weights
from triptych.recipes.serialise import to_dict
from triptych.runs.names import check_links
from triptych.runs.records import Named
from triptych.runs.trust import Allowed
from triptych.spec import Network
from triptych.spec.grow import Growth, check_head, grown_body, renamed
from triptych.spec.grown import Grown
from triptych.spec.weights import Weights, check_numbers, check_weights, save_weights
from triptych.utils.checks import InputError, check
from triptych.utils.files import check_new_file, read_tensors

NAME = "grown.safetensors"  # in a run's checkpoints/


@dataclass(frozen=True)
class Larger:
    """What `grow` wrote."""

    path: Path
    source: Path  # the weights that grew
    network: Network
    origins: dict[str, str]  # of each tensor, in words
    before: int  # numbers in the smaller network's weights
    after: int


def grow(
    run: Named,
    wider: Mapping[str, int] | None = None,
    deeper: Iterable[str] = (),
    *,
    noise: float = 0.0,
    seed: int = 0,
    out: str | Path | None = None,
    runs_dir: str | Path = "runs",
    recipe: str | None = None,
    trust: bool = False,
) -> Larger:
    """Writes weights of a larger network that computes the same function as a run's best ones.

    Args:
        wider: the layers that get more units (convolutions: filters), and how many they have then.
        deeper: the layers behind which one is put that gives what it gets.
        noise: by which the copies of a unit part, as a share of a tensor's standard deviation; the function stays.
        seed: decides which units are copied, and the noise.
        out: the file; None: grown.safetensors beside the weights. What is there is replaced, such as what grew before.
        recipe: a Python file of the user's to run first, which registers what the run needs.
        trust: run what the run names.

    Raises:
        InputError: no such run or layer, the layer cannot grow that way, or the file is the one that grows; nothing is written then.
    """
    deeper = (deeper,) if isinstance(deeper, str) else tuple(deeper)
    growth = Growth(
        {name.replace("-", "_"): size for name, size in (wider or {}).items()},
        tuple(name.replace("-", "_") for name in deeper),
        noise,
        seed,
    )
    source = find_weights(run, "best", None, runs_dir, Allowed(recipe, trust))
    path = source.file.with_name(NAME) if out is None else Path(out)
    check(path.suffix == ".safetensors", "out", str(path), "a file that ends on .safetensors")
    if out is not None:
        check_new_file(path)
    if path.exists() and path.samefile(source.file):
        raise InputError(
            f"out is {str(path)!r}, the weights that grow; allowed: another file, with --out FILE.safetensors"
        )
    small = source.trained
    games = envs.make(small.env, 1)
    games.close()
    old = small.make_network(games.observation, games.num_actions)
    check_weights(source.tensors, old, str(source.file))
    check_numbers(source.tensors, str(source.file))
    check_head(small.network, old.layers[-1], growth)
    large = dataclasses.replace(
        small, network=grown_body(small.network, growth), freeze=renamed(small.freeze, small.network, growth)
    )
    new = large.make_network(games.observation, games.num_actions)
    grown = Grown(old, new, small.network, growth)
    weights = grown.weights(source.tensors)
    _, metadata = read_tensors(source.file)
    record = dataclasses.asdict(growth) | {"wider": dict(growth.wider), "body": to_dict(small.network)}
    told = {name: (metadata or {}).get(name) for name in ("steps", "updates")}
    if out is None and (path.parent.parent / "config.json").is_file():
        check_links(path.parent.parent)
    save_weights(path, weights, {"recipe": to_dict(large), **told, "growth": record})
    return Larger(path, source.file, new, grown.origins(), count(source.tensors), count(weights))


def count(weights: Weights) -> int:
    return sum(array.size for array in weights.values())


def sizes_of(words: Iterable[str]) -> dict[str, int]:
    """`dense_1=1024` as a layer and its units.

    Raises:
        InputError: a word says neither.
    """
    found = {}
    for word in words:
        name, _, size = word.partition("=")
        if not (name and size.replace("_", "").isdecimal()):
            raise InputError(f"wider is {word!r}; allowed: LAYER=UNITS, such as dense_1=1024")
        found[name] = int(size)
    return found
