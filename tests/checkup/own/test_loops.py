"""Loops of people's own: how often the target is copied in them, and what they make of episodes that are cut."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checkup.own.test_beginnings import left_out
from tests.checkup.own.test_own_code import TORCH, agent, names
from triptych.checkup.own import copying, whole
from triptych.checkup.own.whole import check_own

SYNC = "            if step % 500 == 0:\n                self.sync_target()\n"
LEARN = "        self.optimizer.step()\n        return loss.item()"
SOFT = """            for slow, fast in zip(self.target_net.parameters(), self.policy_net.parameters()):
                slow.data.lerp_(fast.data, 0.005)
"""
WHAT = "copies of the target in the loop"


@pytest.fixture(autouse=True)
def only_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "LOOKS", whole.those("the loop", WHAT))
    monkeypatch.setattr(copying, "SECONDS", 600.0)  # on a busy machine too


def edited(*edits: tuple[str, str], every: int | None = None, source: str = TORCH) -> Any:
    """The example with other text, and a setting of how often its target is copied."""
    for old, new in (*edits, ('"warm_up": 64', f'"warm_up": 64, "target_every": {every}')):
        assert old in source, "the example has changed"
        source = source.replace(old, new)
    return agent(source)


MISTAKES: dict[str, tuple[list[tuple[str, str]], int | None, str, str]] = {
    "never copied": ([(SYNC, "")], None, "own-target-never", "no copy in 10,500 updates of the loop"),
    "never copied, as a setting knows": ([(SYNC, "")], 500, "own-target-never", "no copy in 75"),
    "copied the other way round": (
        [("self.target_net.load_state_dict(self.policy_net.state_dict())\n\n    def weights", "self.policy_net.load_state_dict(self.target_net.state_dict())\n\n    def weights")],
        None, "own-target-never", "no copy in",
    ),
    "copied at every step": ([("if step % 500 == 0", "if True")], None, "own-target-moves", "updates"),
    "copied before every update": (
        [("                self.learn(self.sample())\n" + SYNC, "                self.sync_target()\n                self.learn(self.sample())\n")],
        None, "own-target-moves", "updates",
    ),
    "copied in learn, before it": (
        [("        loss = functional", "        self.sync_target()\n        loss = functional"), (SYNC, "")], None, "own-target-moves", "updates",
    ),
    "copied too often": ([("% 500", "% 20")], 100, "own-target-copies", "about 5, one each 100 steps"),
    "copied too seldom": ([], 50, "own-target-copies", "about 10, one each 50 steps"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_target_that_is_copied_never_or_always_is_found(mistake: str) -> None:
    edits, every, signal, says = MISTAKES[mistake]
    found = check_own(edited(*edits, every=every), "mine.py")
    told = {one.signal.name: one.line() for one in found.alarms}
    assert says in told.pop(signal, ""), found.findings
    assert not told


@pytest.mark.parametrize(
    ("edits", "every"),
    [([], None), ([], 500), ([("% 500", "% 100")], 100), ([(SYNC, SOFT)], None), ([(SYNC, SOFT)], 1)],
    ids=["each 500", "each 500, said", "each 100, said", "by parts", "by parts, said"],
)
def test_a_target_that_is_copied_now_and_then_is_healthy(edits: list[tuple[str, str]], every: int | None) -> None:
    found = check_own(edited(*edits, every=every), "mine.py")
    assert names(found) == []
    assert left_out(found, WHAT) == ""


def test_what_cannot_be_seen_of_the_target_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no method target_values" in left_out(check_own(edited(("def target_values", "def of_target"))), WHAT)
    unheard = edited(("self.learn(self.sample())", "self.optimise(self.sample())"), ("def learn", "def optimise"))
    unheard.learn = lambda self, batch: self.optimise(batch)
    assert "no update was seen in the loop" in left_out(check_own(unheard), WHAT)
    noisy = edited(
        (
            "return self.target_net(torch.as_tensor(obs))",
            "return self.target_net(torch.as_tensor(obs)) + torch.randn(1)",
        )
    )
    assert "something else of the same observations" in left_out(check_own(noisy), WHAT)
    monkeypatch.setattr(copying, "SECONDS", 0.0)
    late = left_out(check_own(edited((SYNC, ""), every=10_000)), WHAT)
    assert "no copy in 50" in late
    assert "not seen" in late


def test_a_copy_is_seen_without_a_method_learn() -> None:
    found = check_own(edited((SYNC, ""), ("def learn", "def optimise"), ("self.learn(", "self.optimise(")), "mine.py")
    assert names(found) == ["own-target-never"]


@pytest.mark.parametrize(
    ("old", "new", "signal"),
    [
        ("action, reward, terminated, truncated, next_state)\n", "action, reward, terminated or truncated, truncated, next_state)\n", "fed-discount"),
        ("env.reset()[0] if terminated or truncated", "env.reset()[0] if terminated", "fed-unacted"),
    ],
    ids=["a cut taken for an end", "no reset at a cut"],
)  # fmt: skip
def test_what_a_loop_makes_of_a_time_limit_shows_where_none_is_near(old: str, new: str, signal: str) -> None:
    """CartPole's own limit of 500 steps is not reached by an agent that has learned nothing: the environment that it is given cuts."""
    assert signal in names(check_own(edited((old, new)), "mine.py"))


def test_a_loop_without_a_cut_says_so() -> None:
    """It is given up after four steps, before any episode is cut."""
    found = check_own(edited(("range(steps)", "range(4)")), "mine.py")
    told = next(one.measured for one in found.findings if one.signal.name == "own-loop-uncut")
    assert told.startswith("no episode was cut in 4 steps")
