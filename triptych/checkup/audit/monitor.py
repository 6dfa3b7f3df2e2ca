"""The audit as a monitor: it hears a run, audits a sample of its batches, and says what differs first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from triptych.checkup.audit import signals
from triptych.checkup.audit.acting import Acting
from triptych.checkup.audit.choices import Choices, check_episode
from triptych.checkup.audit.expected import REWARDS, Makes
from triptych.checkup.audit.priorities import Priorities
from triptych.checkup.audit.rollouts import Played, check_rollout, check_states, played
from triptych.checkup.audit.sequences import Pieces, check_sequences
from triptych.checkup.audit.transitions import check_transitions
from triptych.checkup.audit.verdict import Differs, Unknown
from triptych.checkup.findings import Finding
from triptych.checkup.listening import HEARD
from triptych.checkup.monitors.base import Monitor
from triptych.checkup.stream import Stream, fingerprints
from triptych.envs import Step
from triptych.spec import each
from triptych.spec.batches import Rollout, Sequence, Taught, Transition
from triptych.training.callbacks.base import Run
from triptych.training.counting import Episode

SELDOM = 0.1  # of the steps
SAMPLES, EVERY, FIRST = 8, 200, 4  # samples of a batch; of one batch in so many, and of the first ones
EARLY, OFTEN = 500, 25  # up to so many batches one in so many is looked at
WINDOWS, WINDOW = (0, 4_096, 65_536), 64  # updates from which on so many are looked at whole, of a prioritised replay
SLACK = 8  # rows beyond those that a replay keeps
TESTED = 16  # of so many steps one is looked at for its greedy actions and the states that it was given


class Audit(Monitor):
    """Hears everything; what it costs is a copy of each step, and the look-up of some samples.

    Args:
        full: audits every sample of every batch, and every step.
    """

    rests = True

    def __init__(self, full: bool = False):
        self.full = full
        self.streams: list[Stream] = []
        self.acting: list[Acting] = []
        self.player = 0  # whose step came last
        self.audited = self.wrong = self.unknown = 0  # samples
        self.updates = 0
        self.closely = False  # whether every sample of every batch is looked up, for the priorities
        self.table: Played | None = None  # of the newest rollout
        self.found: dict[str, Finding] = {}
        self.pending: tuple[dict[int, tuple[int, int]], np.ndarray] | None = None  # samples whose errors are to come
        self.run: Run | None = None

    def begin(self, run: Run) -> None:
        self.run = run
        self.config: Any = run.recipe.algorithm
        self.choices = Choices(self.config.family == "off-policy")
        config: Any = self.config
        settings = asdict(config)  # as they are written down; an algorithm of the user's may have others
        readable = "gamma" in settings and settings.get("reward") in REWARDS
        self.makes = Makes.of(config) if readable else None
        self.off_policy = config.family == "off-policy"
        self.pieces: Pieces | None = None
        if hasattr(config, "sequence_length") and self.makes is not None:
            self.pieces = Pieces(config.sequence_length, config.burn_in, config.stored_state, self.makes)
        self.priorities: Priorities | None = None
        if settings.get("prioritised"):
            self.priorities = Priorities(config.alpha, config.beta_start, config.beta_steps)
        else:
            self.always = tuple(event for event in HEARD if event != "learned")
        self.listen(run, whole=not run.counters.steps)

    def listen(self, run: Run, whole: bool) -> None:
        """Begins with what the games show now. `whole`: nothing came before it."""
        settings, config = asdict(self.config), self.config
        self.streams, self.acting, self.table, self.pending = [], [], None, None
        self.counted = run.counters.steps
        for player in run.training.players():
            rows = config.rollout_steps if not self.off_policy else -(-config.replay_size // player.recipe.num_envs)
            stream = Stream(rows + SLACK, player.obs, player.ended, None if whole else player.started)
            self.streams.append(stream)
            remembers = player.state is not None and player.state.size > 0
            stored = remembers and (not self.off_policy or settings.get("stored_state", False))
            self.acting.append(Acting(stream, not self.off_policy, stored))

    def wake(self, run: Run) -> None:
        """What was played meanwhile is not known, as after a resume."""
        self.listen(run, whole=False)
        self.closely = False
        if self.priorities is not None:
            self.priorities.forget()

    def rest(self, run: Run) -> None:
        self.judge_steps(run)
        self.streams, self.acting = [], []

    def reset(self, player: int, obs: Any) -> None:
        self.streams[player].show(obs)
        self.acting[player].after = None

    def sent(self, player: int, actions: np.ndarray) -> None:
        stream, acting = self.streams[player], self.acting[player]
        look = self.full or stream.count % TESTED == 0
        if look and self.run is not None:
            self.choices.see(self.run, acting, np.asarray(actions))
        for differs in acting.bind(look):
            self.tell(differs)
        stream.send(actions)

    def received(self, player: int, step: Step) -> None:
        self.player, self.table = player, None
        self.streams[player].receive(step)

    def acted(self, player: int, given: tuple[Any, ...], answer: tuple[np.ndarray, Any]) -> None:
        for acting in self.acting:  # players may share a learner: the next step says whose call it was
            acting.hear(given, answer)

    def fed(self, player: int, batch: Any) -> None:
        number = self.updates
        self.updates += 1
        if not self.is_due(number) or self.makes is None or not self.streams:
            return
        batch = batch.batch if isinstance(batch, Taught) else batch
        if isinstance(batch, Rollout):
            self.see_rollout(batch)
        elif isinstance(batch, (Transition, Sequence)):
            self.see_replayed(batch, self.chosen(batch, number))

    def is_due(self, number: int) -> bool:
        """Whether something of a batch is audited: of the first ones always, of later ones as the budget affords it."""
        if self.full or number < FIRST:
            self.closely = self.priorities is not None
            return True
        if self.priorities is not None and number in WINDOWS:
            self.closely = self.budget.affords()
        if self.closely and not self.in_window(number):
            self.closely = False
        if self.closely:
            return True
        every = OFTEN if number < EARLY else EVERY
        return (not number & (number - 1) or not number % every) and self.budget.affords()

    def chosen(self, batch: Any, number: int) -> np.ndarray:
        """Which samples of a batch are audited."""
        size = np.shape(batch.action)[-1]
        if self.full or self.closely:
            return np.arange(size)
        few = SAMPLES // 2 if isinstance(batch, Sequence) else SAMPLES
        return np.unique((number + np.arange(few) * max(1, size // few)) % size)

    def rare(self, stream: Stream, batch: Any) -> np.ndarray:
        """Samples at which an episode may have ended, a life was lost, or something was paid where most steps pay nothing: few, and what
        is wrong there shows nowhere else."""
        stream.settle()
        told, paid = stream.terminated | stream.truncated | stream.lost_life, stream.reward != 0
        if paid.sum() < SELDOM * stream.acted.sum():
            told = told | paid
        return np.flatnonzero(np.isin(fingerprints(batch.obs), stream.prints[told]))[:SAMPLES]

    def in_window(self, number: int) -> bool:
        """Whether every batch is looked at, for the priorities of its samples."""
        return any(first <= number < first + WINDOW for first in WINDOWS)

    def see_replayed(self, batch: Any, chosen: np.ndarray) -> None:
        stream = self.streams[0]
        assert self.makes is not None
        if self.run is not None and self.config.samples_on_device:
            move = self.run.training.learner.to_numpy
            batch = batch._replace(obs=each(move, batch.obs), next_obs=each(move, batch.next_obs))
        if isinstance(batch, Transition):
            if len(chosen) < len(batch.action):
                chosen = np.union1d(chosen, self.rare(stream, batch))
            said = list(check_transitions(stream, self.makes, batch, chosen))
        elif self.pieces is None:
            return
        else:
            said = list(check_sequences(stream, self.pieces, self.acting[0].states, batch, chosen))
        self.audited += len(said)
        self.unknown += sum(isinstance(one, Unknown) for one in said)
        differ = [one for one in said if isinstance(one, Differs)]
        if stream.holds_all or (len(differ) > max(2, len(said) // 2) and stream.tells_apart()):
            for one in differ:  # else they may be of steps before this session that only look like some of it
                if stream.holds_all or one.signal is not signals.UNSEEN:
                    self.tell(one)
        if self.priorities is not None and len(said) == len(chosen) and (self.full or self.closely):
            self.see_weights(
                batch, chosen, said
            )  # where each batch is looked at: else errors were learned that nobody heard

    def see_weights(self, batch: Any, chosen: np.ndarray, said: list[Any]) -> None:
        assert self.priorities is not None
        if not self.full and self.updates - 1 in WINDOWS:
            self.priorities.forget()
        if len(chosen) < len(batch.weight):
            return
        places = {index: one for index, one in enumerate(said) if type(one) is tuple and one[0] >= 0}
        assert self.run is not None
        for differs in self.priorities.check(places, batch, self.run.counters.steps):
            self.tell(differs)
        burn_in = self.pieces.burn_in if self.pieces else 0
        first = each(lambda part: part[burn_in], batch.obs) if self.pieces else batch.obs
        self.pending = places, fingerprints(first)

    def learned(self, player: int, batch: Any, rate: float, scalars: dict[str, Any]) -> None:
        pending, self.pending = self.pending, None
        if pending is not None and self.priorities is not None and self.run is not None:
            self.priorities.learn(*pending, np.asarray(self.run.training.learner.to_numpy(scalars["td_error"])))

    def see_rollout(self, batch: Rollout) -> None:
        assert self.run is not None
        assert self.makes is not None
        stream, acting = self.streams[self.player], self.acting[self.player]
        recipe, config = self.run.recipe, self.config
        own = not type(config).__module__.startswith("triptych.")  # an algorithm of the user's may make other rewards
        taught = (
            bool(recipe.teacher) and self.run.counters.steps <= recipe.teacher_plays + stream.num_envs * stream.rows
        )
        skip = ("advantage", "returns") * own + ("log_prob",) * taught
        most = batch.mask.size if self.full else 8 * SAMPLES
        self.audited += min(most, batch.mask.size)
        try:
            if self.table is None:
                self.table = played(stream, acting, self.makes, config.rollout_steps)
        except Unknown:
            self.unknown += min(most, batch.mask.size)
            return
        for differs in check_rollout(stream, self.table, batch, recipe.has_memory, most, skip):
            self.tell(differs)
        if recipe.has_memory:
            for differs in check_states(acting, self.table, batch):
                self.tell(differs)

    def episode(self, run: Run, episode: Episode) -> None:
        """What was logged of an episode, against the stream's own sums."""
        if not self.streams or not (self.full or episode.number <= FIRST or episode.number % SAMPLES == 0):
            return
        for differs in check_episode(self.streams[self.player], episode):
            self.tell(differs)

    def tell(self, differs: Differs) -> None:
        """Keeps the first finding of each signal."""
        self.wrong += 1
        if differs.signal.name not in self.found and self.run is not None:
            since = self.run.counters.steps
            self.found[differs.signal.name] = Finding(differs.signal, differs.measured, differs.expected, since)

    def judge(self, run: Run) -> Iterator[Finding]:
        for differs in self.choices.judge():
            self.tell(differs)
        self.judge_steps(run)
        yield from self.found.values()

    def judge_steps(self, run: Run) -> None:
        """Steps of the games against steps of the run."""
        if not self.streams:
            return
        for stream in self.streams:
            stream.settle()
        heard, counted = sum(stream.total for stream in self.streams), run.counters.steps - self.counted
        if heard != counted:
            measured = f"the games took {heard:,} steps, of which the training counts {counted:,}"
            self.tell(Differs(signals.APART, measured, "the same number"))
