"""The audit as a monitor: it hears a run, audits a sample of its batches, and says what differs first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from triptych.checkup.audit import signals
from triptych.checkup.audit.acting import Acting
from triptych.checkup.audit.choices import Choices, check_episode
from triptych.checkup.audit.coverage import Coverage
from triptych.checkup.audit.draws import Draws
from triptych.checkup.audit.due import FIRST, SAMPLES, WINDOWS, Due, rare
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
        self.due = Due(full, False)
        self.table: Played | None = None  # of the newest rollout
        self.found: dict[str, Finding] = {}
        # Player and row of the newest episode's end, and how many episodes that step ended before it.
        self.ended = (-1, -1), 0
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
            self.due = Due(self.full, True)
            self.priorities = Priorities(config.alpha, config.beta_start, config.beta_steps)
        else:
            self.always = tuple(event for event in HEARD if event != "learned")
        self.coverage: Coverage | None = None
        if config.family == "on-policy":
            epochs, minibatches = config.passes()
            self.coverage = Coverage(epochs, minibatches, run.recipe.has_memory)
        self.listen(run, whole=not run.counters.steps)

    def listen(self, run: Run, whole: bool) -> None:
        """Begins with what the games show now. `whole`: nothing came before it."""
        settings, config = asdict(self.config), self.config
        self.streams, self.acting, self.table, self.pending, self.ended = [], [], None, None, ((-1, -1), 0)
        if self.coverage is not None:
            self.coverage.forget()
        self.counted = run.counters.steps
        for player in run.training.players():
            rows = config.rollout_steps if not self.off_policy else -(-config.replay_size // player.recipe.num_envs)
            self.kept = rows
            stream = Stream(rows + SLACK, player.obs, player.ended, None if whole else player.started)
            self.streams.append(stream)
            apart = self.pieces.length - self.pieces.burn_in if self.pieces else 1
            self.draws = Draws(rows, stream.num_envs, self.priorities is None, apart)
            remembers = player.state is not None and player.state.size > 0
            stored = remembers and (not self.off_policy or settings.get("stored_state", False))
            self.acting.append(Acting(stream, not self.off_policy, stored))

    def wake(self, run: Run) -> None:
        """What was played meanwhile is not known, as after a resume."""
        self.listen(run, whole=False)
        self.due.closely = False
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
        if self.coverage is not None and not self.coverage.begins:
            for differs in self.coverage.end():
                self.tell(differs)
        self.streams[player].receive(step)

    def acted(self, player: int, given: tuple[Any, ...], answer: tuple[np.ndarray, Any]) -> None:
        for acting in self.acting:  # players may share a learner: the next step says whose call it was
            acting.hear(given, answer)

    def fed(self, player: int, batch: Any) -> None:
        number = self.updates
        self.updates += 1
        if self.makes is None or not self.streams:
            return
        batch = batch.batch if isinstance(batch, Taught) else batch
        if self.coverage is not None and isinstance(batch, Rollout):
            self.coverage.fed(batch, self.newest_rollout, self.full, self.budget)
        if not self.due.of(number, self.budget):
            return
        if isinstance(batch, Rollout):
            self.see_rollout(batch)
        elif isinstance(batch, (Transition, Sequence)):
            self.see_replayed(batch, self.due.chosen(batch, number))

    def see_replayed(self, batch: Any, chosen: np.ndarray) -> None:
        stream = self.streams[0]
        assert self.makes is not None
        if self.run is not None and self.config.samples_on_device:
            move = self.run.training.learner.to_numpy
            batch = batch._replace(obs=each(move, batch.obs), next_obs=each(move, batch.next_obs))
        drawn = chosen
        if isinstance(batch, Transition):
            if len(chosen) < len(batch.action):
                chosen = np.union1d(chosen, rare(stream, batch))
            said = list(check_transitions(stream, self.makes, batch, chosen))
        elif self.pieces is None:
            return
        else:
            said = list(check_sequences(stream, self.pieces, self.acting[0].states, batch, chosen))
        self.audited += len(said)
        self.unknown += sum(isinstance(one, Unknown) for one in said)
        self.draws.see(stream, [one for index, one in zip(chosen, said, strict=False) if index in drawn])
        differ = [one for one in said if isinstance(one, Differs)]
        if stream.holds_all or (len(differ) > max(2, len(said) // 2) and stream.tells_apart()):
            for one in differ:  # else they may be of steps before this session that only look like some of it
                if stream.holds_all or one.signal is not signals.UNSEEN:
                    self.tell(one)
        if self.priorities is not None and len(said) == len(chosen) and (self.full or self.due.closely):
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

    def newest_rollout(self) -> Played | None:
        """What was just played; None: it was not heard whole."""
        if self.table is None:
            assert self.makes is not None
            try:
                of = self.streams[self.player], self.acting[self.player]
                self.table = played(*of, self.makes, self.config.rollout_steps)
            except Unknown:
                return None
        return self.table

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
        table = self.newest_rollout()
        if table is None:
            self.unknown += min(most, batch.mask.size)
            return
        for differs in check_rollout(stream, table, batch, recipe.has_memory, most, skip):
            self.tell(differs)
        if recipe.has_memory:
            for differs in check_states(acting, table, batch):
                self.tell(differs)

    def episode(self, run: Run, episode: Episode) -> None:
        """What was logged of an episode, against the stream's own sums."""
        if not self.streams:
            return
        stream = self.streams[self.player]
        row = self.player, stream.count
        self.ended = row, self.ended[1] + 1 if row == self.ended[0] else 0
        if not (self.full or episode.number <= FIRST or episode.number % SAMPLES == 0):
            return
        for differs in check_episode(stream, episode, self.ended[1]):
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
        if self.off_policy and self.streams:
            for differs in (*self.draws.judge(), *self.stored(run)):
                self.tell(differs)
        self.judge_steps(run)
        yield from self.found.values()

    def stored(self, run: Run) -> Iterator[Differs]:
        """Whether the replay holds each step, as long as it has dropped none."""
        stream = self.streams[0]
        stream.settle()
        if not stream.whole or stream.count > self.kept or not hasattr(run.training, "replay"):
            return
        played, found = int(stream.acted[: stream.count].sum()), len(run.training.replay)
        if not played - 2 * stream.num_envs <= found <= played:  # the newest ones are not known to the end
            yield Differs(signals.STORED, f"it holds {found:,} steps", f"the {played:,} that were played")

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
