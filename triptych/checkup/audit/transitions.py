"""The audit of a batch of transitions: each is looked up in the stream by its observation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from triptych.checkup.audit import signals
from triptych.checkup.audit.expected import Makes, Outcome, outcome, same
from triptych.checkup.audit.verdict import Differs, Unknown, number, place, whose
from triptych.checkup.stream import Stream, fingerprints

MOST = 20_000  # rows that show one observation; of more, as where hardly anything is to be seen, nothing is said


class Sample:
    """One transition of a batch, in fingerprints and plain numbers."""

    def __init__(self, batch: Any, index: int, prints: np.ndarray, following: np.ndarray):
        self.print, self.following = prints[index], following[index]
        self.action, self.reward = int(batch.action[index]), float(batch.reward[index])
        self.discount = float(batch.discount[index])


def check_transitions(
    stream: Stream, makes: Makes, batch: Any, chosen: np.ndarray
) -> Iterator[Differs | Unknown | tuple[int, int]]:
    """Of each chosen sample what differs, or why nothing can be said, or the row and game that it is of (the only one; else -1)."""
    prints = np.zeros(len(batch.action), np.uint64)
    following = prints.copy()
    for found, obs in ((prints, batch.obs), (following, batch.next_obs)):
        found[chosen] = fingerprints(taken(obs, chosen))
    for index in chosen.tolist():
        try:
            yield check_transition(stream, makes, Sample(batch, index, prints, following))
        except Unknown as unknown:
            yield unknown


def taken(obs: Any, chosen: np.ndarray) -> Any:
    """Some observations of a batch [B, ...]."""
    return {name: part[chosen] for name, part in obs.items()} if isinstance(obs, dict) else obs[chosen]


def candidates(stream: Stream, print_: np.uint64) -> tuple[np.ndarray, np.ndarray]:
    """The rows and games that showed an observation.

    Raises:
        Unknown: too many did, or none that was heard.
    """
    rows, games = stream.find(print_)
    if len(rows) > MOST:
        raise Unknown
    if not len(rows) and not stream.holds_all:
        raise Unknown
    return rows, games


def check_transition(stream: Stream, makes: Makes, sample: Sample) -> Differs | tuple[int, int]:
    rows, games = candidates(stream, sample.print)
    if not len(rows):
        return unseen(stream)
    differs: Differs | None = None
    for newest in (stream.count - 2, stream.count - 1):  # what is shown now may be stored by now, or not yet
        kept = rows < newest
        if not kept.any():
            continue
        said = outcome(stream, makes, rows[kept], games[kept], newest)
        agrees = agreement(sample, said)
        if (fits := agrees.all(axis=0)).any():
            best = int(fits.argmax())
            return (int(rows[kept][best]), int(games[kept][best])) if fits.sum() == 1 else (-1, -1)
        best = int(agrees.sum(axis=0).argmax())
        told = first_difference(stream, sample, said, best, agrees[:, best], rows[kept][best], games[kept][best])
        differs = differs or told
    return differs or unseen(stream)


def unseen(stream: Stream) -> Differs:
    shown = f"one of the {stream.count:,} that each of {stream.num_envs} games showed"
    return Differs(signals.UNSEEN, "an observation that no game has shown", shown)


def agreement(sample: Sample, said: Outcome) -> np.ndarray:
    """bool [5, C]: what of a sample agrees with each candidate, in the order in which it is told."""
    return np.stack(
        [
            said.acted,
            said.action == sample.action,
            same(sample.reward, said.reward),
            same(sample.discount, said.discount),
            said.following == sample.following,
        ]
    )


def first_difference(
    stream: Stream, sample: Sample, said: Outcome, best: int, agrees: np.ndarray, row: int, game: int
) -> Differs:
    """In words, of the candidate that agrees most."""
    where = f" ({place(stream, row, game)})"
    if not agrees[0]:
        kind = "an episode's last one" if stream.at("last", row, game) else "one at which the games were started anew"
        return Differs(signals.UNACTED, f"a sample of an observation that is {kind}{where}", "steps that were acted")
    if not agrees[1]:
        measured = f"action {sample.action}{whose(stream, 'action', sample.action, row, game)}{where}"
        return Differs(signals.ACTION, measured, f"{int(said.action[best])}, which was sent")
    if not agrees[2]:
        measured = f"reward {number(sample.reward)}{whose(stream, 'reward', sample.reward, row, game)}{where}"
        return Differs(signals.REWARD, measured, number(said.reward[best]))
    if not agrees[3]:
        ends = " and ".join(name for name in ("terminated", "truncated") if stream.at(name, row, game))
        measured = f"discount {number(sample.discount)}{where}{f', {ends} there' if ends else ''}"
        return Differs(signals.DISCOUNT, measured, number(said.discount[best]))
    ahead = int(said.ahead[best])
    measured = f"a next observation that is {shown_when(stream, sample.following, row, game, ahead)}{where}"
    return Differs(signals.NEXT, measured, f"what that game showed {ahead} step{'s' * (ahead > 1)} later")


def shown_when(stream: Stream, print_: np.uint64, row: int, game: int, ahead: int) -> str:
    """Where an observation stands that should be `ahead` steps after a row."""
    rows, games = stream.find(print_)
    own = rows[games == game]
    if not len(rows):
        return "none that the games showed"
    if not len(own):
        return f"of game {int(games[0])}"
    nearest = int(own[np.abs(own - row).argmin()]) - row
    episode = stream.at("step", row + nearest, game) - stream.at("step", row, game) == nearest
    return f"{nearest} steps later" if episode else "of another episode"
