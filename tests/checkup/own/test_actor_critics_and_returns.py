"""People's own actor-critics and replays of n-step returns: healthy ones, and the mistakes that people make in them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.checkup.own.test_own_code import AGENTS, agent, names
from triptych.checkup.own.losses import Rules
from triptych.checkup.own.protocol import Returns
from triptych.checkup.own.whole import check_own
from triptych.utils.checks import InputError

A2C = (AGENTS / "torch_a2c.py").read_text(encoding="utf-8")
N_STEP = (AGENTS / "n_step.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("source", "seen"),
    [(A2C, {"the policy and the value", "the loss", "the advantages"}), (N_STEP, {"the replay"})],
    ids=["actor-critic", "n-step"],
)
def test_an_agent_as_its_author_writes_it_is_healthy(source: str, seen: set[str]) -> None:
    found = check_own(agent(source), "mine.py")
    assert names(found) == []
    assert seen <= {look.what for look in found.looks if not look.left_out}


@pytest.mark.parametrize("deviation", ["advantage.std()", "advantage.std(correction=0)"], ids=["torch's", "NumPy's"])
def test_advantages_may_be_normalised_by_either_deviation(deviation: str) -> None:
    source = A2C.replace("* advantage)", f"* (advantage - advantage.mean()) / ({deviation} + 1e-8))")
    source = source.replace('"loss": "squared"}', '"loss": "squared", "normalise_advantages": True}')
    assert names(check_own(agent(source), "mine.py")) == []
    assert "own-policy-loss" in names(check_own(agent(source.replace("advantage.mean()", "0.0")), "mine.py"))
    broadcasts = source.replace("returns - self.values(obs)", "returns - self.values(obs)[:, None]")
    assert ["[B, B]" in one.measured for one in check_own(agent(broadcasts), "mine.py").alarms] == [True]


def test_a_learner_of_values_may_have_a_policy_as_well() -> None:
    source = (AGENTS / "torch_cartpole.py").read_text(encoding="utf-8")
    before = "    def target_values("
    assert before in source
    found = check_own(
        agent(source.replace(before, f"    def policy(self, obs):\n        return 1\n\n{before}")), "mine.py"
    )
    assert names(found) == []
    assert "the target network" in {look.what for look in found.looks}


MISTAKES: dict[str, tuple[str, str, str, str, str]] = {
    "entropy of the wrong sign": (A2C, "- 0.01 * policy", "+ 0.01 * policy", "own-policy-loss", "wrong sign of the entropy"),
    "no value loss": (A2C, "+ 0.5 * error", "+ 0.0 * error", "own-weights-still", "2.weight"),
    "a value loss that broadcasts": (A2C, "returns - self.values(obs)", "returns - self.values(obs)[:, None]", "own-policy-loss", "[B, B]"),
    "a gain of the wrong sign": (A2C, "loss = -gain", "loss = gain", "own-policy-loss", "policy's gain"),
    "a softmax in the policy": (
        A2C, "return self.actor(self.body(torch.as_tensor(obs)))", "return self.actor(self.body(torch.as_tensor(obs))).softmax(1)",
        "own-policy-softmax", "sum of 1",
    ),
    "a value that the optimiser does not hold": (A2C, "self.network.parameters()", "self.actor.parameters()", "own-weights-still", "tensors unchanged"),
    "episodes that are crossed": (A2C, "(0.0 if over else later)", "later", "own-advantages", "behind an episode's end"),
    "a cut taken for an end": (A2C, "(1 - terminated[step])", "(1 - (terminated[step] or truncated[step]))", "own-advantages", "was cut"),
    "an end taken for a cut": (A2C, "(1 - terminated[step]) * ", "", "own-advantages", "where an episode ended"),
    "lambda left out": (A2C, "0.99 * 0.95 *", "0.99 *", "own-advantages", "lambda left out"),
    "returns that are not discounted": (N_STEP, "0.99**step * reward", "reward", "fed-reward", "reward"),
    "steps that are not counted": (N_STEP, "next_obs, len(self.recent)))", "next_obs, 3))", "fed-discount", "discount"),
    "a return that begins late": (N_STEP, "obs, action, _ = self.recent[0]", "obs, action, _ = self.recent[-1]", "fed-", ""),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_and_named(mistake: str) -> None:
    source, old, new, signal, says = MISTAKES[mistake]
    assert old in source, "the example has changed"
    told = {one.signal.name: one.measured for one in check_own(agent(source.replace(old, new)), "mine.py").alarms}
    assert any(name.startswith(signal) and says in measured for name, measured in told.items()), told


def test_a_target_of_several_steps_has_gamma_to_their_number() -> None:
    batch = Returns(
        np.zeros((2, 4)), np.array([0, 1]), np.array([1.0, 1.0]), np.array([0.0, 1.0]), np.zeros((2, 4)), np.array([3, 2])
    )  # fmt: skip
    values = np.array([[2.0, 1.0], [2.0, 1.0]])
    assert np.allclose(Rules(0.5, "squared", 1.0, False).targets(batch, values, values), [1 + 0.5**3 * 2, 1])


@pytest.mark.parametrize("wrong", [{"n_step": 0}, {"n_step": 1.5}, {"clip": -1}])
def test_a_setting_that_is_none_is_one_line(wrong: dict[str, float]) -> None:
    found = agent(N_STEP)()
    found.settings |= wrong
    with pytest.raises(InputError, match=f"settings {next(iter(wrong))} is"):
        check_own(found, "mine.py")


def test_an_actor_critic_of_another_shape_is_one_line() -> None:
    with pytest.raises(InputError, match="shape of values is"):
        check_own(agent(A2C.replace(".squeeze(1)", ".repeat(1, 2)")), "mine.py")
