"""What the network answers to made observations: is its head linear, does it compute what its layers say, does it remember?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from triptych.checkup.findings import Finding, Signal
from triptych.checkup.probes.oracle import Misfit
from triptych.checkup.probes.subject import Subject
from triptych.spec import ActorCritic, Dense, Dueling, each

PROBED = 32  # observations
TIMES = -3.0  # what a head's weights are multiplied by
ENOUGH = 0.01  # of the largest output: what differs by less does not differ

SHAPE = Signal(
    "outputs-shape", "stop", "the network gives outputs of another shape",
    ("a head of another size than the actions", "a squeezed or a broadcast dimension"), "the network's head",
)  # fmt: skip
BROKEN = Signal(
    "outputs-not-finite", "stop", "the network gives NaN or infinity at its first weights",
    ("weights that were not drawn", "a logarithm, root or division in a layer"), "the network's layers and their first weights",
)  # fmt: skip
BENT = Signal(
    "head-not-linear", "stop", "the head cuts or bends its outputs, so that it cannot say every value",
    ("a ReLU, softmax or tanh on the output layer",), "the network's last layer: it must have no activation",
)  # fmt: skip
OTHER = Signal(
    "outputs-differ", "stop", "the network does not compute what its layers say",
    (
        "pixels not divided by 255, or twice", "other padding, strides or order of axes", "another activation",
        "a mean or a softmax over the batch instead of the actions",
    ),
    "the network as built, its layers and what scales its input",
)  # fmt: skip
WEIGHTS = Signal(
    "weights-differ", "stop", "the network has other weights than its layers say",
    ("other padding, so another number of flat features", "a layer too many or too few"), "the network as built",
)  # fmt: skip
KEPT = Signal(
    "state-not-reset", "warn", "a memory's state outlives its episode",
    ("a reset that is not handed over", "a mask on the wrong axis"), "where the state is zeroed at an episode's start",
)  # fmt: skip
IGNORED = Signal(
    "state-ignored", "warn", "a memory's state changes nothing",
    ("a state that is zeroed at every step", "an output that is not the memory's"), "what is given to the memory as its state",
)  # fmt: skip
LEAKED = Signal(
    "games-leak", "stop", "what one game shows changes the outputs of another",
    ("a state or a mean over the batch", "a reshape that mixes games and steps"), "the network's layers, its memory's state",
)  # fmt: skip


def head(subject: Subject) -> Iterator[Finding]:
    """Shape and range of the outputs; with the head's weights times a number, all of them must be times that number."""
    obs = subject.observations(max(PROBED, subject.games))
    before = subject.outputs(obs)
    (_, *wanted) = (1, *list(subject.network.placed())[-1].output_shape)
    if before.shape[1:] != tuple(wanted):
        yield Finding(SHAPE, f"{before.shape[1:]} an observation", f"{tuple(wanted)}")
        return
    if not np.isfinite(before).all():
        yield Finding(BROKEN, f"{(~np.isfinite(before)).mean():.0%} of {before.size} outputs", "numbers")
        return
    if type(subject.network.layers[-1]) not in (
        Dense,
        Dueling,
        ActorCritic,
    ):  # what another one computes is its own affair
        return
    with subject.restored():
        weights = subject.learner.get_weights()
        ends = [name for name in weights if name.startswith("head/") and "_hidden" not in name]
        subject.learner.set_weights({n: w * (TIMES if n in ends else 1) for n, w in weights.items()})
        after = subject.outputs(obs)
    if ends and not close(after, TIMES * before, subject.close):
        yield Finding(BENT, seen(before, after), f"outputs times {TIMES:g} where the last layer's weights are")


def close(found: np.ndarray, wanted: np.ndarray, share: float) -> bool:
    """Whether no number is further away than a share of the largest."""
    return bool(np.isfinite(found).all()) and float(np.abs(found - wanted).max()) <= share * (
        1e-6 + np.abs(wanted).max()
    )


def seen(before: np.ndarray, after: np.ndarray) -> str:
    """What stands out in the outputs with the head's weights as they are and multiplied."""
    both = np.concatenate([before, after])
    told = []
    if (zeros := (both == 0).mean()) > ENOUGH:
        told.append(f"{zeros:.0%} of them exactly 0")
    if both.min() >= 0:
        told.append("none below 0")
    if np.abs(both.sum(axis=1) - 1).max() < ENOUGH:
        told.append("each row sums to 1")
    told.append(f"{before.min():.3g} to {before.max():.3g} became {after.min():.3g} to {after.max():.3g}")
    return ", ".join(told)


def computes(subject: Subject) -> Iterator[Finding]:
    """The weights' shapes, and the outputs against a forward pass in float64."""
    weights, wanted = subject.learner.get_weights(), subject.network.tensors()
    if {name: array.shape for name, array in weights.items()} != wanted:
        count = sum(array.size for array in weights.values())
        yield Finding(WEIGHTS, f"{count:,} weights", f"{sum(int(np.prod(shape)) for shape in wanted.values()):,}")
        return
    obs = subject.observations(8)
    found = subject.outputs(obs)
    try:
        right = subject.oracle(weights)(each(lambda part: part[None], obs), np.ones((1, 8), bool))[0]
    except Misfit as misfit:
        yield Finding(WEIGHTS, str(misfit), "as many, where convolutions see whole windows alone")
        return
    if not close(found, right, subject.close):
        off = np.abs(found - right).max() / (1e-6 + np.abs(right).max())
        yield Finding(
            OTHER, f"outputs differ by {off:.2g} of the largest one", f"at most {subject.close:g}, as computed in NumPy"
        )


def alone(subject: Subject) -> Iterator[Finding]:
    """Whether games keep apart. Where the agent plays one game, two are asked for."""
    games = max(2, subject.games)
    obs, others = subject.observations(games), subject.observations(games)
    mixed = each(lambda pair: pair, others)
    names = isinstance(obs, dict)
    for part, mine in ((mixed[name], obs[name]) for name in obs) if names else ((mixed, obs),):
        part[0] = mine[0]
    first, second = subject.act(obs)[0][0], subject.act(mixed)[0][0]
    if not close(second, first, subject.close):
        yield Finding(LEAKED, f"by {np.abs(second - first).max():.2g}", "the same outputs, whatever other games show")


def remembers(subject: Subject) -> Iterator[Finding]:
    """A memory's state: zeroed by a reset, of weight without one, and its game's own."""
    if not subject.state_size:
        return
    games = subject.games
    obs = subject.observations(games)
    _, lived = subject.act(subject.observations(games))
    fresh, _ = subject.act(obs)
    zeroed, after = subject.act(obs, lived, np.ones(games, bool))
    kept, _ = subject.act(obs, lived)
    if not close(zeroed, fresh, subject.close):
        yield Finding(
            KEPT, f"outputs differ by {np.abs(zeroed - fresh).max():.2g} after a reset", "those of an episode's start"
        )
    if np.array_equal(kept, fresh):
        yield Finding(IGNORED, "the outputs are the same with any state", "outputs that depend on what was seen before")
    del after
