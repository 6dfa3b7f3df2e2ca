"""Ears on a run: what its games said, what was done in them, and what its learner was asked and fed.

They stand at the outside of the games and of the learner, so whatever the loop and the buffers make of it between the two lies open.
What is heard is the run's own array: a listener that wants to keep something copies it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from triptych.envs import Step
from triptych.training.base import Training

HEARD = (
    "reset",
    "sent",
    "received",
    "acted",
    "fed",
    "learned",
    "differentiated",
    "applying",
    "applied",
    "synced",
    "tested",
    "tests_begin",
    "tests_asked",
    "tests_unasked",
)  # what a listener may hear


class Listener:
    """Every method may be left as it is. `player` numbers those who play: A3C's workers; else it is 0."""

    def reset(self, player: int, obs: Any) -> None:
        """Games were started anew: their first observations [N, *observation]."""

    def sent(self, player: int, actions: np.ndarray) -> None:
        """Actions [N] went to the games."""

    def received(self, player: int, step: Step) -> None:
        """What the games answered, as it came."""

    def acted(self, player: int, given: tuple[Any, ...], answer: tuple[np.ndarray, Any]) -> None:
        """The network was asked: `given` is (obs,) or (obs, state, reset); `answer` its outputs [N, ...] and the state after them."""

    def fed(self, player: int, batch: Any) -> None:
        """A batch (`spec.batches`) is about to be learned from."""

    def learned(self, player: int, batch: Any, rate: float, scalars: dict[str, Any]) -> None:
        """It was learned from, at a learning rate. `scalars` lie on the device: `float(...)` waits for them.

        Of a gradient that is taken in one place and applied in another (A3C), `rate` is NaN.
        """

    def differentiated(self, player: int, gradients: Any) -> None:
        """Gradients, by name, were taken to be applied in another place."""

    def applying(self, gradients: Any) -> None:
        """Gradients from elsewhere, by name, are about to be applied to the run's own network."""

    def applied(self, rate: float, norm: Any) -> None:
        """They were, at a learning rate; `norm`, of all of them, lies on the device."""

    def synced(self, player: int) -> None:
        """The online weights were copied into the target."""

    def tested(self, outputs: Any, actions: np.ndarray) -> None:
        """In a test game the network answered outputs [N, ...], and these actions [N] were sent.

        What the network is asked for in test games comes here alone, and not to `acted`.
        """

    def tests_begin(self) -> None:
        """Test games are about to be played."""

    def tests_asked(self, given: tuple[Any, ...]) -> None:
        """What the network is asked at the first step of test games, as in `acted`."""

    def tests_unasked(self, actions: np.ndarray) -> None:
        """Actions [N] were sent in test games, and since those before the run's own network was not asked for any."""


def listen(training: Training, listener: Listener) -> None:
    """Puts ears on a training's games and learners, those of all its players in this process."""
    for number, player in enumerate(training.players()):
        for name, heard in (("reset", listener.reset), ("recv", listener.received)):
            after(player.games, name, lambda answer, *_, tell=heard, who=number: tell(who, answer))
        before(player.games, "send", lambda actions, who=number: listener.sent(who, actions))
    learners = {id(each.learner): (number, each.learner) for number, each in reversed([*enumerate(training.players())])}
    for number, learner in learners.values():
        hear_learner(number, learner, listener)
    own = training.learner  # a worker of A3C may have another one
    before(own, "apply", lambda gradients, *_: listener.applying(gradients))
    after(own, "apply", lambda norm, _, rate: listener.applied(rate, norm))


def hear_learner(number: int, learner: Any, listener: Listener) -> None:
    """Ears on one learner."""
    after(learner, "act", lambda answer, *given: listener.acted(number, given, answer))
    before(learner, "update", lambda batch, *_: listener.fed(number, batch))
    before(learner, "gradients", lambda batch: listener.fed(number, batch))
    after(learner, "update", lambda found, batch, rate: listener.learned(number, batch, rate, found))
    after(learner, "gradients", lambda found, batch: listener.learned(number, batch, float("nan"), found[1]))
    after(learner, "gradients", lambda found, _: listener.differentiated(number, found[0]))
    after(learner, "sync_target", lambda _: listener.synced(number))


class Tests:
    """Ears on the test games that are played while a run goes on.

    Attributes:
        playing: whether they are played right now.
    """

    def __init__(self, evaluation: Any, listener: Listener):
        self.listener, self.playing = listener, False
        self.outputs: Any = None  # what the network answered last
        self.first = False  # whether games have just begun, of which nothing was asked yet
        play = evaluation.play

        def heard(*given: Any) -> Any:
            self.playing = True
            listener.tests_begin()
            try:
                return play(*given)
            finally:
                self.playing, self.outputs = False, None

        evaluation.play = heard
        after(evaluation, "make_games", lambda games, *_: self.listen(games))
        if evaluation.games is not None:
            self.listen(evaluation.games)

    def listen(self, games: Any) -> None:
        before(games, "reset", self.reset)
        before(games, "send", self.sent)

    def reset(self, seeds: np.ndarray) -> None:
        self.first = True

    def acted(self, given: tuple[Any, ...], outputs: Any) -> None:
        if self.first:
            self.first = False
            self.listener.tests_asked(given)
        self.outputs = outputs

    def sent(self, actions: np.ndarray) -> None:
        if not self.playing:
            return
        outputs, self.outputs = self.outputs, None
        if outputs is None:
            self.listener.tests_unasked(actions)
        else:
            self.listener.tested(outputs, actions)


def after(owner: Any, name: str, told: Callable[..., None]) -> None:
    """From now on `told(answer, *given)` follows each call of a method."""
    method = getattr(owner, name)

    def heard(*given: Any) -> Any:
        answer = method(*given)
        told(answer, *given)
        return answer

    setattr(owner, name, heard)


def before(owner: Any, name: str, told: Callable[..., None]) -> None:
    """From now on `told(*given)` comes before each call of a method."""
    method = getattr(owner, name)

    def heard(*given: Any) -> Any:
        told(*given)
        return method(*given)

    setattr(owner, name, heard)
