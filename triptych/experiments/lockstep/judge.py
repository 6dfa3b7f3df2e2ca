"""The judge of a proof: compares the frameworks' logs."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from triptych.utils.tables import read_rows

RELATIVE, ABSOLUTE = 1e-9, 1e-12  # how far values may lie apart and still be the same


class Row(TypedDict):
    """A step, of one game's action and the update after it."""

    step: int
    game: int
    action: int
    loss: float | None
    epsilon: float | None


class TensorRow(TypedDict):
    """What a tensor came to after some updates."""

    step: int
    updates: int
    tensor: str
    norm: float
    product: float
    scale: float


@dataclasses.dataclass
class Verdict:
    """What a comparison of two frameworks' logs found."""

    worst: float = 0.0  # relative difference, as long as they take the same actions
    first: dict[str, Any] | None = None
    parted: float = math.inf  # step at which an action or a game differs: nothing after it compares

    def differ(self, step: int, framework: str, reference: str, what: str, values: list[Any]) -> None:
        if self.first is None:
            self.first = {"step": step, "framework": framework, "reference": reference, "what": what, "values": values}

    def part(self, step: int, *difference: Any) -> None:
        self.differ(step, *difference)
        self.parted = step

    def compare(self, ours: float, theirs: float, scale: float = 0.0, absolute: float = ABSOLUTE) -> bool:
        """Whether two values are the same: within 1e-9 relative, or within `absolute`; NaN and infinity never are.

        The relative difference is taken of the larger value, or of `scale` where that is larger.
        """
        if not (math.isfinite(ours) and math.isfinite(theirs)):
            return False
        # Below absolute / RELATIVE the absolute tolerance rules; one quotient says both.
        size = max(abs(ours), abs(theirs), scale, absolute / RELATIVE, np.finfo(np.float64).tiny)
        relative = float(abs(ours - theirs) / size)
        self.worst = max(self.worst, relative)
        return relative <= RELATIVE


def judge(folder: Path, names: list[str]) -> Verdict:
    """Compares every framework's logs with the first one's: the worst difference, and where they part first."""
    verdicts = []
    for name in names[1:]:
        actions, tensors = Verdict(), Verdict()
        compare_logs(folder, names[0], name, actions)
        compare_tensors(folder, names[0], name, tensors, actions.parted)
        if actions.first:  # a tensor that parted names what to look at, so it is told beside it
            actions.first["tensor"] = tensors.first["what"] if tensors.first else None
        verdicts += [actions, tensors]
    parted = [verdict.first for verdict in verdicts if verdict.first]
    first = min(parted, key=lambda difference: difference["step"], default=None)
    worst = max((verdict.worst for verdict in verdicts), default=0.0)
    return Verdict(worst, first, min((verdict.parted for verdict in verdicts), default=math.inf))


def compare_logs(folder: Path, reference: str, name: str, verdict: Verdict) -> None:
    """Step by step: same game, same action, same epsilon, losses within the tolerance."""
    ours, theirs = (list(read_rows(folder / f"{log}.csv", Row)) for log in (reference, name))
    for a, b in zip(ours, theirs, strict=False):
        step = a["step"]
        if (a["step"], a["game"]) != (b["step"], b["game"]):
            return verdict.part(step, name, reference, "game", [a["game"], b["game"]])
        for what in ("loss", "epsilon"):
            one, other = a[what], b[what]
            same = one is other is None or (None not in (one, other) and verdict.compare(one, other))
            if not same:
                verdict.differ(
                    step, name, reference, what, ["" if value is None else str(value) for value in (one, other)]
                )
        if a["action"] != b["action"]:
            return verdict.part(step, name, reference, "action", [a["action"], b["action"]])
    if len(ours) != len(theirs) or not ours:
        verdict.part(min(len(ours), len(theirs)), name, reference, "rows", [len(ours), len(theirs)])
    return None


def compare_tensors(folder: Path, reference: str, name: str, verdict: Verdict, until: float = math.inf) -> None:
    """Every 100 updates: each tensor's norm and product within the tolerance, on the tensor's scale.

    Args:
        until: step from which on the two no longer play the same game.
    """
    ours, theirs = (list(read_rows(folder / f"{log}-tensors.csv", TensorRow)) for log in (reference, name))
    for a, b in zip(ours, theirs, strict=False):
        step = a["step"]
        if step >= until:
            return None
        if (step, a["updates"], a["tensor"]) != (b["step"], b["updates"], b["tensor"]):
            return verdict.part(step, name, reference, "rows", [a["tensor"], b["tensor"]])
        # A product may cancel to nearly 0, so it is measured on the tensor's scale.
        scale = a["scale"]
        same = [verdict.compare(a[what], b[what], scale, 0.0) for what in ("norm", "product")]
        if not all(same):
            values = [[row["norm"], row["product"]] for row in (a, b)]
            verdict.differ(step, name, reference, a["tensor"], values)
    if len(ours) != len(theirs):
        verdict.part(min(len(ours), len(theirs)), name, reference, "rows", [len(ours), len(theirs)])
    return None
