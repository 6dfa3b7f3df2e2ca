"""The audit of an actor-critic's rollouts: advantages and all else worked out from what was heard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from triptych.checkup.audit import signals
from triptych.checkup.audit.acting import Acting
from triptych.checkup.audit.expected import Makes, advantages, close
from triptych.checkup.audit.verdict import Differs, Unknown, number, place, whose
from triptych.checkup.stream import Stream, fingerprints
from triptych.spec import each, first_of

MOST = 1_024  # steps of a batch that are looked at


class Played(NamedTuple):
    """The rollout that has just been played, [T, N] each."""

    first: int  # its first row
    prints: np.ndarray
    reset: np.ndarray
    mask: np.ndarray
    action: np.ndarray
    log_prob: np.ndarray
    advantage: np.ndarray
    returns: np.ndarray
    scale: float  # of rewards and values


def played(stream: Stream, acting: Acting, makes: Makes, steps: int) -> Played:
    """The last `steps` rows before what is shown now, and what is learned from them.

    Raises:
        Unknown: they were not heard whole.
    """
    stream.settle()
    first = stream.count - 1 - steps
    if acting.outputs is None or acting.call is None or first < (0 if stream.whole else 1):
        raise Unknown
    slots = np.arange(first, first + steps) % stream.rows
    outputs, bootstrap = acting.outputs[slots].astype(np.float64), np.asarray(acting.call[1][0], np.float64)
    if not (np.isfinite(outputs).all() and np.isfinite(bootstrap).all() and stream.sent_at[slots].all()):
        raise Unknown
    value = np.concatenate([outputs, bootstrap[None]])[..., -1]
    mask, action = stream.acted[slots], stream.action[slots]
    reward = makes.learned(stream.reward[slots], stream.lost_life[slots]) * mask
    told = (stream.terminated[slots], mask, makes.gamma, makes.gamma * makes.gae_lambda)
    advantage = advantages(reward, value, *told)
    logits = outputs[..., :-1] - outputs[..., :-1].max(axis=-1, keepdims=True)
    chosen = np.take_along_axis(logits, action[..., None], axis=-1)[..., 0]
    log_prob = chosen - np.log(np.exp(logits).sum(axis=-1))
    scale = max(1.0, float(np.abs(value).max()), float(np.abs(reward).max()))
    returns = (advantage + value[:-1]) * mask
    reset = stream.step[slots] == 0
    return Played(first, stream.prints[slots], reset, mask, action, log_prob, advantage, returns, scale)


ORDER = {
    "mask": signals.UNACTED,
    "reset": signals.SEQUENCE,
    "action": signals.ACTION,
    "log_prob": signals.LOG_PROB,
    "advantage": signals.ADVANTAGE,
    "returns": signals.ADVANTAGE,
}


def check_rollout(
    stream: Stream, table: Played, batch: Any, whole: bool, most: int = MOST, skip: tuple[str, ...] = ()
) -> Iterator[Differs]:
    """What differs in a batch of a rollout's steps [T, B].

    Args:
        whole: its columns are whole games, as of a network with memory; else single steps in any order.
        skip: fields that are not compared.
    """
    shape = first_of(batch.mask).shape
    if whole and shape[0] != len(table.mask):
        said = "rollouts of {} steps".format
        yield Differs(signals.SEQUENCE, said(shape[0]), said(len(table.mask)))
        return
    stride = max(1, -(-shape[1] * shape[0] // most)) | 1
    columns = np.arange(shape[1])[::stride]
    prints = fingerprints(each(lambda part: part[:, columns], batch.obs), 2)
    told = {name: np.asarray(getattr(batch, name))[:, columns] for name in ORDER}
    if whole:
        equal = (prints[:, :, None] == table.prints[:, None]).all(axis=0)  # [B, N]
        if not equal.any(axis=1).all():
            yield Differs(signals.SEQUENCE, "a sequence of steps that no game has shown", "each game's own, in order")
            return
        pairs = np.nonzero(equal)
        found = {name: array[:, pairs[0]] for name, array in told.items()}
        wanted = {name: getattr(table, name)[:, pairs[1]] for name in ORDER}
        places: list[tuple[int | None, int]] = [(None, int(game)) for game in pairs[1]]
        agree = agreement(found, wanted, table, skip)
        agrees = np.stack([each_field.all(axis=0) for each_field in agree])
    else:
        equal = prints.ravel()[:, None] == table.prints.ravel()[None]
        if not equal.any(axis=1).all():
            yield Differs(signals.UNSEEN, "a step that no game has shown in this rollout", "the rollout's own steps")
            return
        pairs = np.nonzero(equal)
        found = {name: array.ravel()[pairs[0]] for name, array in told.items()}
        wanted = {name: getattr(table, name).ravel()[pairs[1]] for name in ORDER}
        games = table.mask.shape[1]
        places = [(int(at // games), int(at % games)) for at in pairs[1]]
        agree = agrees = agreement(found, wanted, table, skip)
    for sample in np.unique(pairs[0]):
        mine = np.flatnonzero(pairs[0] == sample)
        if not agrees[:, mine].all(axis=0).any():
            best = int(mine[agrees[:, mine].sum(axis=0).argmax()])
            yield told_of(stream, table, best, places[best], agree, found, wanted)


def agreement(
    found: dict[str, np.ndarray], wanted: dict[str, np.ndarray], table: Played, skip: tuple[str, ...]
) -> np.ndarray:
    """bool [fields, ...]: which fields agree, in the order in which they are told."""
    rows = []
    for name in ORDER:
        mine, theirs = found[name], wanted[name]
        if name in ("mask", "reset", "action"):
            equal = mine.astype(np.int64) == theirs.astype(np.int64)
        else:
            scale = 1.0 if name == "log_prob" else table.scale
            equal = close(mine / scale, theirs / scale)
        if name in ("action", "log_prob"):  # where nothing was done, they are not learned from
            equal |= ~wanted["mask"].astype(bool)
        rows.append(equal | (name in skip))
    return np.stack(rows)


def told_of(
    stream: Stream,
    table: Played,
    best: int,
    where: tuple[int | None, int],
    agree: np.ndarray,
    found: dict[str, np.ndarray],
    wanted: dict[str, np.ndarray],
) -> Differs:
    """The first difference of a pair, in words."""
    at, game = where
    if at is None:  # a whole game: its first step that differs
        at = int((~agree[:, :, best].all(axis=0)).argmax())
        wrong = agree[:, at, best]
        values = {name: (found[name][at, best], wanted[name][at, best]) for name in ORDER}
    else:
        wrong = agree[:, best]
        values = {name: (found[name][best], wanted[name][best]) for name in ORDER}
    name = list(ORDER)[int(wrong.argmin())]
    mine, theirs = values[name]
    row = table.first + at
    other = whose(stream, "action", mine, row, game) if name == "action" else ""
    word = {"mask": "a mask of", "reset": "a start of an episode of"}.get(name, name.replace("_", " "))
    return Differs(ORDER[name], f"{word} {number(mine)}{other} ({place(stream, row, game)})", number(theirs))


def check_states(acting: Acting, table: Played, batch: Any) -> Iterator[Differs]:
    """Of whole games: the state before a rollout's first step is the one that the actor was given there."""
    if acting.states is None:
        return
    prints = fingerprints(batch.obs, 2)
    begun = fingerprints(np.asarray(batch.state))
    given = acting.states[table.first % acting.stream.rows]
    for column in range(prints.shape[1]):
        games = (prints[:, column, None] == table.prints).all(axis=0)
        if games.any() and not table.reset[0, games].any() and not (given[games] == begun[column]).any():
            where = place(acting.stream, table.first, int(games.argmax()))
            yield Differs(signals.STATE, f"another state at a rollout's start ({where})", "what the actor was given")
