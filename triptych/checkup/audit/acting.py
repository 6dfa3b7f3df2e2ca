"""What the actor gave and was given at each step: kept beside the stream, and judged against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from triptych.checkup.audit import signals
from triptych.checkup.audit.verdict import Differs, place
from triptych.checkup.stream import Stream, fingerprints
from triptych.spec import first_of


class Acting:
    """The last call of the network before each step is what acted there.

    Args:
        outputs: whether all that it gave is kept, for as many rows as the stream keeps: logits and value of an actor-critic.
        states: whether fingerprints of the states it was given are kept.
    """

    def __init__(self, stream: Stream, outputs: bool, states: bool):
        self.stream, self.keeps = stream, outputs
        self.outputs: np.ndarray | None = None  # [rows, N, outputs]
        self.states = np.zeros((stream.rows, stream.num_envs), np.uint64) if states else None
        self.call: tuple[tuple[Any, ...], tuple[np.ndarray, Any]] | None = None  # the newest, since the last step
        self.after: Any = None  # [N, S] the state after the last step; None: there is none, or it was not heard

    def hear(self, given: tuple[Any, ...], answer: tuple[np.ndarray, Any]) -> None:
        if len(first_of(given[0])) == self.stream.num_envs:
            self.call = given, answer

    def bind(self, look: bool) -> list[Differs]:
        """The newest call is what acts in the step that is sent now; if one looks, what is wrong with what it was given."""
        call, self.call = self.call, None
        if call is None:
            self.after = None
            return []
        (_, *carried), (found, after) = call
        now = self.stream.now
        if self.keeps:
            if self.outputs is None:
                self.outputs = np.full((self.stream.rows, *found.shape), np.nan, found.dtype)
            self.outputs[now] = found
        if not carried or not carried[0].size:
            return []
        state, reset = carried
        told = list(self.carried(state, reset)) if look else []
        if self.states is not None:
            self.states[now] = fingerprints(state)
        self.after = after
        return told

    def carried(self, state: np.ndarray, reset: np.ndarray) -> Iterator[Differs]:
        """Whether the state is the one after the step before, and zeroed where an episode starts."""
        stream = self.stream
        if not (stream.whole or stream.count > 1):
            return
        starts, known = self.starts_now()
        wrong = (reset != starts) & known
        if wrong.any():
            game = int(wrong.argmax())
            told = "told that an episode starts" if reset[game] else "not told that an episode starts"
            row = stream.count - 1
            stream.settle()
            yield Differs(signals.ACTED_STATE, f"a memory {told} ({place(stream, row, game)})", "what the games say")
        elif self.after is not None and state is not self.after:
            differs = (state != self.after).any(axis=1) & ~reset
            if differs.any():
                game = int(differs.argmax())
                stream.settle()
                where = place(stream, stream.count - 1, game)
                yield Differs(
                    signals.ACTED_STATE, f"a state that is not the one after the step before ({where})", "that state"
                )

    def starts_now(self) -> tuple[np.ndarray, np.ndarray]:
        """Where what the games show now begins an episode [N], and where that is known."""
        stream = self.stream
        if stream.count == 1:
            return stream.step[0] == 0, np.full(stream.num_envs, stream.whole)
        before = (stream.count - 2) % stream.rows
        if not stream.sent_at[before]:
            return np.ones(stream.num_envs, bool), np.ones(stream.num_envs, bool)
        two = (stream.count - 3) % stream.rows
        ended = (
            stream.last[before]
            if stream.count == 2
            else stream.sent_at[two] & (stream.terminated[two] | stream.truncated[two])
        )
        return ended | stream.broken[before], np.ones(stream.num_envs, bool)

    def is_of_now(self) -> bool:
        """Whether the newest call was asked of what the games show now, and not of other games."""
        return self.call is not None and self.stream.shows(self.call[0][0])
