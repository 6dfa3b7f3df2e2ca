"""Each way in which the wiring can be wrong, put into the shipped code: the check of `test_wiring` must find it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training import mutants
from tests.training.mutants import Mutant, choosing, keeping, looking, replaying, rolled, told
from tests.training.runs import check_best, check_evaluation
from tests.training.test_wiring import check_actor_critic, check_sequences, check_transitions
from triptych.algorithms import dqn
from triptych.envs import play
from triptych.training import agent, off_policy
from triptych.training.agent import Agent
from triptych.training.base import Training
from triptych.training.callbacks.evaluation import Evaluation
from triptych.training.callbacks.weights import Best
from triptych.training.off_policy import OffPolicy
from triptych.training.on_policy import OnPolicy
from triptych.training.playing import Playing
from triptych.training.session import Session

Mutation = tuple[str, Any, str, Mutant, str]  # name, place, attribute, what stands there, what the check must say

# What stands in place of a learned reward, a discount or a step; a check says one of them, whatever the batch is.
REWARD, DISCOUNT, NAMES = "reward at|advantage at", "discount at|advantage at", "observation of|reset at|no action was"


def stored(kind: type[Training]) -> list[Mutation]:
    """A step that is kept as another one."""
    late, restart = mutants.reward_late, keeping(mask=np.ones_like)
    neighbour = keeping(step=lambda step: {"reward": rolled(step.reward)})
    actions = keeping(choice=lambda choice: {"actions": rolled(choice.actions)})
    terminated = keeping(step=lambda step: {"terminated": step.terminated | step.truncated})
    truncated = keeping(
        step=lambda step: {"terminated": step.terminated & False, "truncated": step.terminated | step.truncated}
    )
    replaced = looking(obs=lambda self, choice, step: np.where(self.ended[:, None], step.obs, self.obs))
    return [
        ("rewards one step off", kind, "observe", late, REWARD),
        ("rewards of the neighbouring game", kind, "observe", neighbour, REWARD),
        ("actions of the neighbouring game", kind, "observe", actions, "action at"),
        ("truncation taken for termination", kind, "observe", terminated, DISCOUNT),
        ("termination taken for truncation", kind, "observe", truncated, DISCOUNT),
        ("an episode's last observation is the reset one", kind, "observe", replaced, NAMES),
        ("a restart is an action", kind, "observe", restart, f"{NAMES}|advantage at"),
    ]


def remembered(kind: type[Training]) -> list[Mutation]:
    """A memory that is kept or carried otherwise."""
    neighbour = looking(state=lambda self, choice, step: rolled(self.state))
    late = looking(state=lambda self, choice, step: choice.state)
    return [
        ("states of the neighbouring game", kind, "observe", neighbour, "state before"),
        ("states one step late", kind, "observe", late, "state before"),
        ("states never reset", Agent, "act", mutants.never_reset, "reset at"),
        ("states of the neighbouring game acted on", Agent, "act", mutants.neighbours_state, "state acted on"),
        ("a checkpoint's restart is no start", Playing, "restart_games", mutants.not_started, "reset at"),
    ]


def recipe(method: str, says: str, **changes: Any) -> Mutation:
    """A method of the training that reads another setting than its recipe's."""
    kind = OffPolicy if method == "make_buffer" else OnPolicy
    [(field, value)] = changes.items()
    return f"{field} {value}", kind, method, told(**changes), says


make, rewarded, learned = (partial(recipe, method) for method in ("make_buffer", "observe", "update_after_step"))
no_life = ("lives are not kept", OffPolicy, "observe", keeping(step=lambda step: {"lost_life": None}), "reward at")
no_errors = (
    "TD errors are never handed over",
    OffPolicy,
    "make_buffer",
    replaying("learned", mutants.nothing),
    "weight:",
)
wrong_errors = (
    "TD errors of the neighbour",
    OffPolicy,
    "make_buffer",
    replaying("learned", mutants.neighbours),
    "weight:",
)
no_start = ("no sequence begins", OffPolicy, "make_buffer", replaying("sample", mutants.beginless), "reset at")
no_cut = ("a checkpoint's cut is not kept", OffPolicy, "cut", mutants.nothing, f"next {NAMES}|reward at")
least = ("the least value is played", off_policy, "np", mutants.least_for_most, "greedy action")
elsewhere = choosing(actions=rolled)

PLAYED: dict[tuple[Callable[[str], None], str], list[Mutation]] = {
    (check_transitions, "one step"): [
        *stored(OffPolicy), no_cut, least,
        ("the action goes to the neighbouring game", OffPolicy, "select_actions", elsewhere, "greedy action"),
        ("restarts count in an episode's length", Playing, "count_episodes", mutants.counted_restarts, "episodes"),
        ("rewards count for the neighbouring game", Playing, "count_episodes", mutants.neighbours_rewards, "episodes"),
        make("reward at", reward="sign"), make("discount at", gamma=0.9), make("next observation", n_step=2),
    ],
    (check_transitions, "three steps, signs and lives"): [
        no_life, make("reward at", reward="raw"), make("reward at", life_loss_reward=None),
        make("(reward|discount) at", gamma=0.9), make("next observation", n_step=1),
    ],
    (check_transitions, "by priority"): [
        no_errors, wrong_errors, make("weight:", alpha=0.9), make("weight:", prioritised=False),
        ("beta stays at its start", dqn.Config, "beta", lambda beta: lambda self, step: self.beta_start, "weight:"),
        ("beta is 1 from the start", dqn.Config, "beta", lambda beta: lambda self, step: 1.0, "weight:"),
    ],
    (check_transitions, "games that are saved"): [
        ("games that are saved are cut", Playing, "cross_checkpoint", mutants.cutting, "restarts"),
    ],
    (check_sequences, "stored state"): [
        *stored(OffPolicy), *remembered(OffPolicy), no_cut, least, no_start,
        make("(reward|discount) at", gamma=0.9), make("length of a sequence", n_step=1),
        make("state before", stored_state=False), make("length of a sequence", sequence_length=6),
        make("steps that are learned from", burn_in=1),
    ],
    (check_sequences, "signs and lives"): [
        no_life, make("reward at", reward="raw"), make("reward at", life_loss_reward=None),
    ],
    (check_sequences, "by priority"): [
        no_errors, wrong_errors, make("weight:", prioritised=False), make("state before", stored_state=True),
        ("beta stays at its start", dqn.Config, "beta", lambda beta: lambda self, step: self.beta_start, "weight:"),
    ],
    (check_actor_critic, "a2c"): [
        *stored(OnPolicy),
        ("the least logit is drawn", agent, "np", mutants.least_for_most, "drawn actions"),
        ("the action goes to the neighbouring game", OnPolicy, "select_actions", elsewhere, "log_prob at"),
        ("log probabilities of the neighbouring game", OnPolicy, "select_actions", choosing(log_prob=rolled), "log_prob at"),
        ("values of the neighbouring game", OnPolicy, "select_actions", choosing(value=rolled), "advantage at"),
        rewarded("advantage at", reward="sign"), rewarded("advantage at", reward_scale=1.0),
        learned("advantage at", gamma=0.9), learned("advantage at", gae_lambda=0.5),
    ],
    (check_actor_critic, "a2c, cut to 1"): [
        rewarded("advantage at", reward="raw"), rewarded("advantage at", reward="sign"),
    ],
    (check_actor_critic, "ppo, signs"): [
        rewarded("advantage at", reward="raw"), rewarded("advantage at", reward="clip"),
    ],
    (check_actor_critic, "ppo with memory"): [
        *stored(OnPolicy), *remembered(OnPolicy),
        ("no rollout begins", OnPolicy, "observe", looking(started=lambda self, *_: 0 * self.started), "reset at"),
    ],
}  # fmt: skip

apart = ("evaluations in the training's games", Evaluation, "play", mutants.in_the_training, "restarts of the training")
least_tested = ("the least value is played", agent, "np", mutants.least_for_most, "greedy action of the test")
forgetful = ("the memory is lost between steps", Agent, "predict", mutants.forgetful, "state acted on")
stale_best = ("stale weights are the best", Session, "keep_weights", mutants.stale("best"), "weights of best")
first = ("the first full window is the best for ever", Best, "see", mutants.first_for_ever, "weights of best")
always = ("each full window is the best", Best, "see", mutants.always_best, "weights of best")
TESTED: dict[tuple[Callable[..., None], str], list[Mutation]] = {
    (check_best, "dqn"): [
        ("the target's are the best", Session, "keep_weights", mutants.targets("best"), "weights of best"),
        ("the target's are the latest", Session, "keep_weights", mutants.targets("latest"), "weights of latest"),
        stale_best, first, least_tested,
    ],
    (check_best, "drqn"): [always, forgetful],
    (check_best, "a2c"): [
        stale_best, first,
        ("scores of the neighbouring games", play, "play_batch", mutants.neighbours_games, "rewards of the test"),
    ],
    (check_evaluation, "dqn"): [apart, least_tested],
    (check_evaluation, "ppo"): [apart, forgetful],
}  # fmt: skip


def cases(groups: dict[Any, list[Mutation]]) -> Any:
    """A test for each mutation of each check, under the names of its setting and of what is wrong."""
    found = [(check, setting, mutation) for (check, setting), group in groups.items() for mutation in group]
    names = [f"{check.__name__.removeprefix('check_')}, {setting}: {mutation[0]}" for check, setting, mutation in found]
    return pytest.mark.parametrize(("check", "setting", "mutation"), found, ids=names)


@cases(PLAYED)
def test_a_mutation_turns_it_red(
    check: Callable[[str], None], setting: str, mutation: Mutation, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, place, attribute, mutant, says = mutation
    monkeypatch.setattr(place, attribute, mutant(getattr(place, attribute)))
    with pytest.raises(AssertionError, match=says):
        check(setting)


@cases(TESTED)
def test_a_mutation_of_a_run_turns_it_red(
    check: Callable[..., None], setting: str, mutation: Mutation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, place, attribute, mutant, says = mutation
    monkeypatch.setattr(place, attribute, mutant(getattr(place, attribute)))
    with pytest.raises(AssertionError, match=says):
        check(setting, tmp_path, monkeypatch)
