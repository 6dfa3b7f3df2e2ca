"""Probes of a user's memory: that it is carried, begun anew where an episode begins, and each game's own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from triptych.checkup.findings import Finding
from triptych.checkup.looks import NotSeen
from triptych.checkup.own import actor_critic, signals
from triptych.checkup.own.beginning import awaken, is_same
from triptych.checkup.own.made import made_batch, made_rows
from triptych.checkup.own.memory.protocol import Recurrent

GAMES, STEPS = 4, 6
SAME, APART = 1e-7, 1e-4  # of the largest number said: what changes nothing, and what rounding does not explain


def remembers(own: Any) -> Iterator[Finding]:
    """Plays a few steps of four games, with other histories, other neighbours, and episodes that begin anew."""
    assert isinstance(own, Recurrent)
    yield from of(own, "step")
    if "target_step" in own.has:
        yield from of(own, "target_step")


def learn(own: Recurrent, seed: int) -> None:
    """One update of a made batch; the target follows, where it is copied at will."""
    if own.acts:
        actor_critic.update(own, seed)
    else:
        own.learn(made_batch(own, int(own.settings["batch_size"]), seed))
    if "sync_target" in own.has:
        own.call("sync_target")


def of(own: Recurrent, method: str) -> Iterator[Finding]:
    obs = made_rows(own, GAMES, STEPS, seed=3)

    def flat() -> np.ndarray:
        return own.unroll(obs, method=method).reshape(GAMES * STEPS, -1)

    if is_same(awaken(own, flat, partial(learn, own))):
        raise NotSeen(f"{method} says the same whatever it is given")
    said = own.unroll(obs, method=method)
    size = max(1e-6, float(np.abs(said).max()))
    shuffled = obs.copy()
    shuffled[:, :-1] = obs[:, STEPS - 2 :: -1]
    moved = float(np.abs(own.unroll(shuffled, method=method)[:, -1] - said[:, -1]).max())
    if moved <= SAME * size:
        measured = f"{method} says the same of an observation whatever came before it: with the history shuffled it moves by {moved:.1g}"
        yield Finding(signals.STATE_IGNORED, measured, "another answer")
        return
    again = float(np.abs(own.unroll(obs, method=method) - said).max())
    if again > APART * size:
        measured = (
            f"the same {STEPS} steps, played twice from initial_state, are answered {again:.3g} apart by {method}"
        )
        yield Finding(signals.STATE_KEPT, measured, "the same answers")
        return
    yield from begins_anew(own, method, obs, said, size)
    yield from side_by_side(own, method, obs, said, size)


def begins_anew(own: Recurrent, method: str, obs: np.ndarray, said: np.ndarray, size: float) -> Iterator[Finding]:
    """At the fourth step the episodes of the first and the third game begin anew."""
    at, ended = 3, np.arange(GAMES) % 2 == 0
    reset = np.zeros((GAMES, STEPS), bool)
    reset[:, at] = ended
    found = own.unroll(obs, reset=reset, method=method)[:, at:]
    fresh = own.unroll(obs[:, at:], method=method)
    begun = float(np.abs(found[ended] - fresh[ended]).max())
    others = float(np.abs(found[~ended] - said[~ended, at:]).max())
    if begun > APART * size:
        kept = float(np.abs(found[ended] - said[ended, at:]).max()) <= APART * size
        how = "as if nothing had begun" if kept else f"{begun:.3g} from what it says with an empty memory"
        where = (
            "" if np.abs(found[ended][:, 0] - fresh[ended][:, 0]).max() > APART * size else ", from the second step on"
        )
        yield Finding(signals.STATE_KEPT, f"where an episode begins, {method} answers {how}{where}", "an empty memory")
    if others > APART * size:
        anew = float(np.abs(found[~ended] - fresh[~ended]).max()) <= APART * size
        how = "its memory is emptied too" if anew else f"its values move by {others:.3g}"
        yield Finding(
            signals.STATE_SHARED,
            f"where the episode of one game begins, another one notices in {method}: {how}",
            "nothing",
        )


def side_by_side(own: Recurrent, method: str, obs: np.ndarray, said: np.ndarray, size: float) -> Iterator[Finding]:
    """What the first game shows changes no answer to the others, nor the last game's the first ones'."""
    for game in (0, GAMES - 1):
        other = obs.copy()
        other[game] = made_rows(own, 1, STEPS, seed=17)[0]
        changed = np.abs(own.unroll(other, method=method) - said).max(axis=(1, 2))
        changed[game] = 0
        if changed.max() > APART * size:
            measured = f"other observations in game {game} move the values of game {int(changed.argmax())} by {changed.max():.3g} in {method}"
            yield Finding(signals.STATE_SHARED, measured, "no change")
            return
