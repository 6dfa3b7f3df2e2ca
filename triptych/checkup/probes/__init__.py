"""Probes of an agent before its first step: what its network, its loss and its target do with made inputs.

What they need of NumPy they compute themselves (`oracle`, `losses`), from the papers and the spec: they share no code with `frameworks/`
and `losses/`, which they look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from triptych.checkup.findings import Finding
from triptych.checkup.probes import coefficients, initial, learning, network
from triptych.checkup.probes.subject import Subject

Probe = Callable[[Subject], Iterable[Finding]]

MOST = 8_000_000  # numbers in the observations of a batch that is made at the start of a training
ALL: dict[str, Probe] = {
    "the first weights": initial.first_weights,
    "the head": network.head,
    "the outputs, against NumPy": network.computes,
    "games side by side": network.alone,
    "the memory": network.remembers,
    "an update": learning.update,
    "a batch, against NumPy": learning.recomputed,
    "the loss's coefficients": coefficients.coefficients,
}
EQUATIONS = ("a batch, against NumPy",)  # which needs those of the algorithm
EXACT = ("the outputs, against NumPy", "a batch, against NumPy")  # which need a twin of every layer there


def probe_quickly(subject: Subject) -> Iterable[Finding]:
    """What can be told of an agent within a moment: an update is left out where its batch is so large that it takes seconds."""
    yield from network.head(subject)
    if subject.numbers <= MOST:
        yield from learning.update(subject)
