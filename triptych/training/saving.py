"""What of a session lies in a checkpoint: its training, and what every callback has counted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from triptych.spec.weights import not_finite
from triptych.training.fitting import check_rows, check_state
from triptych.utils.checks import EnvironmentFailed, InputError
from triptych.utils.failures import CallbackFailed, NotFiniteError, first_line
from triptych.utils.state import State

if TYPE_CHECKING:
    from triptych.training.session import Session

FLOAT = "not finite"  # the one name of an object that stands for a number which is not finite


def check_finite(arrays: dict[str, np.ndarray], where: str) -> None:
    """Refuses to keep what a run that diverged has made of its weights.

    Raises:
        NotFiniteError: naming the first tensor.
    """
    for name, array in arrays.items():
        if bad := not_finite(array):
            raise NotFiniteError(f"weights {name} hold {bad} {where}")


def state_of(session: Session, here: bool = False) -> State:
    """All that a resume needs, but for the store's rows.

    Args:
        here: not at a regular checkpoint, but wherever the games are.

    Raises:
        NotFiniteError: the weights, or what their optimiser remembers, are not finite any more.
    """
    state = session.training.get_state(here, session.torn)
    check_finite(state.arrays, f"at step {session.counters.steps:,}")
    own = {name: spelled(callback.get_state()) for name, callback in session.watchers.own.items()}
    theirs = {"callbacks": [[name, spelled(kept)] for name, kept in session.watchers.ask()]}
    ends = {"seconds": session.clock.seconds(), "stopped_by": session.stopped_by, "postponed": session.postponed}
    periods = {"periods": session.periods, "every": session.every}
    return state._replace(json=state.json | own | theirs | ends | periods)


def spelled(content: Any) -> Any:
    """What a callback keeps, as JSON can hold it: an infinite number, which JSON has not, as {"not finite": "-inf"}."""
    if isinstance(content, dict):
        return {key: spelled(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [spelled(value) for value in content]
    return {FLOAT: repr(content)} if isinstance(content, float) and not math.isfinite(content) else content


def unspelled(content: Any) -> Any:
    """What `spelled` was given."""
    if isinstance(content, dict):
        return float(content[FLOAT]) if content.keys() == {FLOAT} else {k: unspelled(v) for k, v in content.items()}
    return [unspelled(value) for value in content] if isinstance(content, list) else content


def restore(session: Session, state: State) -> None:
    """Takes up where a checkpoint stands. Games that were in the middle of an episode and could not be saved are `torn`.

    Raises:
        InputError: it is no state of such a run. The session may have taken up a part of it, and is of no use then.
    """
    own = {name: unspelled(state.json[name]) for name in session.watchers.own if name in state.json}
    state = state._replace(json=state.json | own)
    try:
        check_state(session, state)
        take_up(session, state)
    except (InputError, EnvironmentFailed, CallbackFailed, OSError, MemoryError):
        raise
    except Exception as error:  # whatever a state that is nonsense does to who takes it up
        where = f"checkpoint at step {state.json['counters']['steps']:,}"
        raise InputError(f"{where} cannot be taken up ({first_line(error)}); allowed: as triptych left it") from error


def take_up(session: Session, state: State) -> None:
    saved, training = state.json, session.training
    training.set_state(state)
    session.checkpoints.fill(training.store)
    if training.store is not None:
        check_rows(training.store, session.checkpoints.segments, training.games.num_actions)
    if training.apart:
        session.torn = True  # until the session begins, which tells the updates that the cut makes
    elif saved["stopped_by"] and "ended" not in saved:
        training.forget_last()
    for name, callback in session.watchers.own.items():
        if name in saved:  # an older version knew fewer
            callback.set_state(saved[name])
    session.watchers.restore(unspelled(saved.get("callbacks", [])))
    session.clock.before = saved["seconds"]
