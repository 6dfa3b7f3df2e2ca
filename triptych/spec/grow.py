"""Net2Net (Chen et al. 2016): a larger network that computes what a smaller one does.

*Wider*: units are copied, and what goes out of them is divided among the copies. *Deeper*: a layer that gives what it gets, behind
another one. Copies learn alike as long as they are alike; noise parts them: it moves what goes out of the copies of a unit, its sum
over them being 0, so that the function stays.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from triptych.spec.layers import Conv, Dense, Dueling
from triptych.spec.memory import GRU, LSTM, RNN
from triptych.spec.network import Layer, layer_names
from triptych.utils.checks import check

SIZES: dict[type, str] = {
    Conv: "filters",
    Dense: "units",
    RNN: "units",
    GRU: "units",
    LSTM: "units",
}  # what grows wider


@dataclass(frozen=True)
class Growth:
    """How a network's body grows; layers are named as in the smaller one."""

    wider: Mapping[str, int]  # layer -> its units, or a convolution's filters
    deeper: tuple[str, ...] = ()  # layers behind which one is put that gives what it gets
    noise: float = 0.0  # share of a tensor's standard deviation by which copies part
    seed: int = 0  # decides which units are copied, and the noise

    def __post_init__(self) -> None:
        check(bool(self.wider or self.deeper), "grow", "nothing", "--wider LAYER=UNITS, --deeper LAYER")
        check(0 <= self.noise <= 1, "noise", self.noise, "0 to 1")
        check(self.seed >= 0, "seed", self.seed, "0 or more")


def size_of(layer: Any) -> int:
    return int(getattr(layer, SIZES[type(layer)]))


def grown_body(body: tuple[Layer, ...], growth: Growth) -> tuple[Layer, ...]:
    """The layers of the larger network.

    Raises:
        InputError: there is no such layer, it cannot grow that way, or it would not be larger.
    """
    names = layer_names(body)
    wide = [name for name, layer in zip(names, body, strict=True) if type(layer) in SIZES]
    deep = [name for name, layer in zip(names, body, strict=True) if type(layer) in (Conv, Dense)]
    for name, size in growth.wider.items():
        check(name in wide, "wider", name, f"a layer that can be wider: {', '.join(wide) or 'there is none'}")
        now = size_of(body[names.index(name)])
        check(size > now, "wider", f"{name}={size}", f"more than {now}, which it has")
    for name in growth.deeper:
        check(
            name in deep, "deeper", name, f"a layer behind which one can be put: {', '.join(deep) or 'there is none'}"
        )
    found: list[Layer] = []
    for name, layer in zip(names, body, strict=True):
        if name in growth.wider:
            changes: dict[str, Any] = {SIZES[type(layer)]: growth.wider[name]}
            layer = dataclasses.replace(layer, **changes)
        found += [layer, same_again(layer)] if name in growth.deeper else [layer]
    return tuple(found)


def same_again(layer: Any) -> Layer:
    """A layer that can give what it gets from that one: a ReLU leaves what is not negative as it is; tanh changes everything, so that
    behind it the layer is linear."""
    changes: dict[str, Any] = {"kernel": 1, "stride": 1} if isinstance(layer, Conv) else {}
    if layer.activation != "relu":
        changes["activation"] = "linear"
    found: Layer = dataclasses.replace(layer, **changes)
    return found


def renamed(words: tuple[str, ...], body: tuple[Layer, ...], growth: Growth) -> tuple[str, ...]:
    """Words that mean layers, as the same layers are called in the larger network; kinds of layers stay."""
    names, places = layer_names(body), inserted(body, growth)
    kept = [name for place, name in enumerate(layer_names(grown_body(body, growth))) if place not in places]
    now = dict(zip(names, kept, strict=True))

    def called(word: str) -> str:
        layer, slash, tensor = word.replace("-", "_").partition("/")
        return f"{now[layer]}{slash}{tensor}" if layer in now else word

    return tuple(map(called, words))


def check_head(body: tuple[Layer, ...], head: Any, growth: Growth) -> None:
    """Refuses to put a layer behind the one that a dueling head takes the place of."""
    name = layer_names(body)[-1] if body else ""
    consumed = isinstance(head, Dueling) and isinstance(body[-1], Dense)
    allowed = "another layer, as the two streams of the dueling head are in its place"
    check(not (consumed and name in growth.deeper), "deeper", name, allowed)


def inserted(body: tuple[Layer, ...], growth: Growth) -> set[int]:
    """The places of the layers that were put in, in the larger network."""
    places, at = set(), 0
    for name in layer_names(body):
        at += 1
        if name in growth.deeper:
            places.add(at)
            at += 1
    return places
