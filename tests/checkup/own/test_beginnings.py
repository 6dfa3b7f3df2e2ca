"""Loops that begin to learn late, or learn by a method of their own; heads that begin at zero; and looks at which nothing is compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.checkup.own.test_own_code import AGENTS, agent, names
from triptych.checkup.looks import Checkup
from triptych.checkup.own.whole import check_own
from triptych.utils.checks import InputError

LOOP = """
import gymnasium, random
import numpy as np
class Agent:
    settings = {"batch_size": 8}
    def __init__(self):
        self.w, self.b, self.memory = np.random.default_rng(0).normal(size=(4, 2)), np.zeros(2), []
    def make_env(self): return gymnasium.make("CartPole-v1")
    def values(self, obs): return obs @ self.w + self.b
    def weights(self): return {"w": self.w, "b": self.b}
    def optimise(self, batch):
        obs, action, reward, terminated, after = batch
        target = reward + 0.99 * (1 - terminated) * self.values(after).max(1)
        error = np.clip(self.values(obs)[np.arange(len(action)), action] - target, -1, 1) / len(action)
        for one in range(len(action)):
            self.w[:, action[one]] -= 0.01 * error[one] * obs[one]
            self.b[action[one]] -= 0.01 * error[one]
    def learn(self, batch): self.optimise(batch)
    def train(self, env, steps):
        obs, _ = env.reset(seed=0)
        for step in range(steps):
            action = random.randrange(2)
            after, reward, terminated, truncated, _ = env.step(action)
            self.memory.append((obs, action, reward, float(terminated), after))
            obs = env.reset()[0] if terminated or truncated else after
            if step >= BEGIN:
                self.learn(tuple(map(np.array, zip(*random.sample(self.memory, 8)))))
"""
NONE = 10**9
LSTM = (AGENTS / "torch_lstm.py").read_text(encoding="utf-8")


def loop(begins: int, warm_up: int | None, *edits: tuple[str, str]) -> str:
    source = LOOP.replace("BEGIN", str(begins)).replace('": 8}', f'": 8, "warm_up": {warm_up}}}')
    for old, new in edits:
        assert old in source
        source = source.replace(old, new)
    return source


def told(found: Checkup) -> dict[str, str]:
    return {one.signal.name: one.measured for one in found.findings}


def left_out(found: Checkup, what: str) -> str:
    return next(look.left_out for look in found.looks if look.what == what)


@pytest.mark.parametrize(
    ("source", "alarms", "note"),
    [
        (loop(1_000, 1_000), [], ""),
        (loop(1_000, None), [], "The setting warm_up says"),
        (loop(50, None, ("self.learn(tuple", "self.optimise(tuple")), [], "without a call of learn"),
        (loop(50, None), [], ""),
        (loop(NONE, 1_000), ["own-no-updates"], ""),
        (loop(50, 50, ("self.optimise(batch)", "self.values(batch[0])"), ("def learn", "def learned_by")).replace("self.learn(", "self.learned_by("), ["own-weights-still"], ""),
    ],
    ids=["late", "late, unsaid", "by its own method", "at once", "never", "heard by its weights alone"],
)  # fmt: skip
def test_a_loop_is_judged_by_its_weights_and_its_warm_up(source: str, alarms: list[str], note: str) -> None:
    found = check_own(agent(source), "mine.py")
    assert names(found) == alarms
    said = told(found)
    assert ("own-learn-unheard" in said) == bool(note)
    assert note in said.get("own-learn-unheard", "")


HEAD = """
import numpy as np
class Agent:
    observation_shape, num_actions = (4,), 2
    settings = {"batch_size": 8, "learning_rate": 0.01, "optimiser": "sgd"}
    def __init__(self):
        self.k, self.kb = np.random.default_rng(0).normal(size=(4, 16)), np.zeros(16)
        self.h, self.hb = np.zeros((16, 2)), np.zeros(2)
    def hidden(self, obs): return np.tanh(obs @ self.k + self.kb)
    def values(self, obs): return self.hidden(obs) @ self.h + self.hb
    def weights(self): return {"k": self.k.copy(), "kb": self.kb.copy(), "h": self.h.copy(), "hb": self.hb.copy()}
    def learn(self, batch):
        obs, action, reward, terminated, after = batch
        rows, hidden = np.arange(len(action)), self.hidden(obs)
        target = reward + 0.99 * (1 - terminated) * self.values(after).max(1)
        error = self.values(obs)[rows, action] - target
        slope = np.zeros((len(action), 2)); slope[rows, action] = np.clip(error, -1, 1) / len(action)
        back = (slope @ self.h.T) * (1 - hidden**2)
        self.h -= RATE * hidden.T @ slope; self.hb -= RATE * slope.sum(0)
        self.k -= RATE * obs.T @ back; self.kb -= RATE * back.sum(0)
        size = np.abs(error)
        return float(np.where(size <= 1, size**2 / 2, size - 0.5).mean())
"""


def head(rate: str = "0.01", *edits: tuple[str, str]) -> Any:
    source = HEAD.replace("RATE", rate)
    for old, new in edits:
        assert old in source
        source = source.replace(old, new)
    return agent(source)


@pytest.mark.parametrize("as_object", [False, True], ids=["a class", "an object"])
def test_a_head_that_begins_at_zero_is_judged_after_updates(as_object: bool) -> None:
    def checked(made: Any) -> Checkup:
        return check_own(made() if as_object else made, "mine.py")

    healthy = checked(head())
    assert names(healthy) == []
    assert left_out(healthy, "updates beside NumPy's") == "", "a head at zero is recognised by what it says later"
    faster = told(checked(head("0.02")))
    assert "own-update" in faster
    dead = checked(
        head("0.01", ("return self.hidden(obs) @ self.h + self.hb", "return 0 * (self.hidden(obs) @ self.h)"))
    )
    assert "own-values-constant" in names(dead)


@pytest.mark.parametrize("begins", ["0.01 * np.random.default_rng(1).normal(size=(16, 2))", "np.zeros((16, 2))"])
def test_a_relu_on_the_head_is_told_wherever_it_begins(begins: str) -> None:
    relu = ("return self.hidden(obs) @ self.h + self.hb", "return np.maximum(self.hidden(obs) @ self.h + self.hb, 0)")
    found = check_own(head("0.01", ("np.zeros((16, 2))", begins), relu), "mine.py")
    assert "own-head-relu" in names(found)


def test_a_head_at_zero_that_nothing_moves_is_no_relu() -> None:
    found = check_own(head("0.01", ("def learn", "def other"), ("def weights", "def others")), "mine.py")
    assert names(found) == []
    assert "no method learn" in left_out(found, "the network")


POLICY = """
import torch
from torch import nn
class Agent:
    observation_shape, num_actions = (4,), 3
    settings = {"loss": "squared", "entropy_weight": 0.01}
    def __init__(self):
        self.body, self.actor, self.critic = nn.Linear(4, 16), nn.Linear(16, 3), nn.Linear(16, 1)
        for one in (self.actor, self.critic): nn.init.zeros_(one.weight); nn.init.zeros_(one.bias)
        self.parts = nn.ModuleList([self.body, self.actor, self.critic])
        self.optimiser = torch.optim.SGD(self.parts.parameters(), lr=0.1)
    def hidden(self, obs): return torch.tanh(self.body(torch.as_tensor(obs)))
    def policy(self, obs): return self.actor(self.hidden(obs))
    def values(self, obs): return self.critic(self.hidden(obs)).squeeze(1)
    def weights(self): return dict(self.parts.state_dict())
    def learn(self, batch):
        obs, action, advantage, returns, _ = (torch.as_tensor(part) for part in batch)
        logs = self.policy(obs).log_softmax(1)
        gain = (logs.gather(1, action[:, None]).squeeze(1) * advantage).mean()
        error, entropy = ((returns - self.values(obs)) ** 2).mean(), -(logs.exp() * logs).sum(1).mean()
        loss = -gain + 0.5 * error - 0.01 * entropy
        self.optimiser.zero_grad(); loss.backward(); self.optimiser.step()
        return loss.item()
"""


def test_an_actor_critic_that_begins_at_zero_is_judged_after_updates() -> None:
    assert names(check_own(agent(POLICY), "mine.py")) == []
    dead = POLICY.replace("return self.actor(", "return 0 * self.actor(")
    assert "own-values-constant" in names(check_own(agent(dead), "mine.py"))


@pytest.mark.parametrize("copies", [True, False], ids=["with sync_target", "without"])
def test_a_network_with_a_memory_may_begin_at_zero(copies: bool) -> None:
    """Its state matters all the same, as is seen after updates; its target says nothing, where it cannot be copied."""
    line = "        self.head = nn.Linear(16, 2)\n"
    source = LSTM.replace(
        line, f"{line}        nn.init.zeros_(self.head.weight)\n        nn.init.zeros_(self.head.bias)\n"
    )
    assert source != LSTM
    found = check_own(agent(source if copies else source.replace("def sync_target", "def other")), "mine.py")
    assert names(found) == []
    assert ("target_step says the same" in left_out(found, "the memory")) != copies
    forgets = source.replace("keep = 1 - torch", "keep = 0 * torch")
    assert "own-state-ignored" in names(check_own(agent(forgets), "mine.py"))


def without_loss(made: Any) -> Any:
    learn = made.learn
    made.learn = lambda self, batch: [learn(self, batch), None][1]
    return made


def told_so(**settings: Any) -> Callable[[Any], Any]:
    def change(made: Any) -> Any:
        made.settings = {name: value for name, value in (made.settings | settings).items() if value is not None}
        return made

    return change


@pytest.mark.parametrize(
    ("change", "what", "why"),
    [
        (without_loss, "the loss", "learn returns no loss"),
        (told_so(learning_rate=None), "updates beside NumPy's", "no learning_rate"),
        (told_so(optimiser="rmsprop"), "updates beside NumPy's", "rmsprop"),
        (told_so(), "the conversion to tensors", "fewer than 100,000"),
    ],
    ids=["no loss", "no learning rate", "another optimiser", "few numbers"],
)
def test_what_was_not_compared_is_left_out_with_its_reason(change: Any, what: str, why: str) -> None:
    found = check_own(change(head()), "mine.py")
    assert names(found) == []
    assert why in left_out(found, what)


def test_more_that_was_not_compared() -> None:
    made = agent(LOOP.replace("BEGIN", "50").replace("self.learn(tuple(map(np.array, ", "self.learn(dict(enumerate(map(np.array, ").replace("8)))))", "8))))))").replace("= batch\n", "= batch.values() if isinstance(batch, dict) else batch\n"))  # fmt: skip
    made.epsilon = lambda self, step: 1.0
    found = check_own(made, "mine.py")
    assert "is a tuple of obs, action" in left_out(found, "the loop")
    assert "no steps" in left_out(found, "exploration")
    assert "dense layers" in left_out(check_own(agent(HEAD.replace("RATE", "0.01").replace("np.tanh(obs @ self.k + self.kb)", "np.sin(obs @ self.k + self.kb)").replace("1 - hidden**2", "np.cos(obs @ self.k + self.kb)")), "mine.py"), "updates beside NumPy's")  # fmt: skip


def test_an_optimiser_of_no_known_name_is_one_line() -> None:
    with pytest.raises(InputError, match="settings optimiser is 'Adam'; allowed: adam, sgd"):
        check_own(told_so(optimiser="Adam")(head()), "mine.py")


def test_a_layer_that_is_no_zero_and_says_nothing_is_told_without_updates() -> None:
    """Its weights are known, and none of them is 0: that it says the same of every input is no beginning."""
    made = agent("import numpy as np\nclass Agent:\n    observation_shape, num_actions = (4,), 2\n    def values(self, obs): return np.ones((len(obs), 2))\n    def weights(self): return {'w': np.ones((4, 2))}\n")  # fmt: skip
    assert "own-values-constant" in names(check_own(made, "mine.py"))
