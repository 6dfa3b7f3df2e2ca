"""What the script says of the rollouts that an actor-critic learns from."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from tests.training import scripted
from tests.training.checks import Played, learned_reward, state_before
from tests.training.scripted import ACTIONS, GAMES, Name, Update, names_of

Rows = list[list[Name]]  # what each step of a rollout showed, and what was shown after it


class Told(NamedTuple):
    """What an update is to be told of a step."""

    reset: bool
    action: int
    log_prob: float
    advantage: float
    returns: float
    mask: float


def value_of(name: Name) -> float:
    return scripted.value(*name, name[2])


def log_prob_of(name: Name, action: int) -> float:
    outputs = scripted.logits(*name, name[2])
    return outputs[action] - math.log(sum(math.exp(output) for output in outputs))


def advantage_of(rows: Rows, place: int, game: int, config: Any) -> float:
    """The weighted sum of the TD errors from a step to the episode's end or the rollout's (Schulman et al. 2016)."""
    total, weight = 0.0, 1.0
    for now, after in zip(rows[place:-1], rows[place + 1 :], strict=True):
        name = now[game]
        last = name[2] + 1 == scripted.length(*name[:2])
        terminal = last and scripted.ending(*name[:2])[0]
        following = 0.0 if terminal else value_of(after[game])
        total += weight * (learned_reward(name, config) + config.gamma * following - value_of(name))
        weight *= config.gamma * config.gae_lambda
        if last:
            break
    return total


def told_of(played: Played, rows: Rows) -> dict[Name, Told]:
    found = {}
    for place, names in enumerate(rows[:-1]):
        for game, name in enumerate(names):
            if name not in played.games.taken:
                found[name] = Told(name[2] == 0, 0, 0.0, 0.0, 0.0, 0.0)
                continue
            action, advantage = played.games.taken[name], advantage_of(rows, place, game, played.config)
            log_prob, returns = log_prob_of(name, action), advantage + value_of(name)
            found[name] = Told(name[2] == 0, action, log_prob, advantage, returns, 1.0)
    return found


def check_rollouts(played: Played) -> None:
    """Each pass over a rollout has every step of it once, and says of it what the script says."""
    config, steps = played.config, played.config.rollout_steps
    parts = getattr(config, "minibatches", 1)
    passes, updates = getattr(config, "epochs", 1), played.learner.updates
    starts = range(0, len(played.shown) - steps + 1, steps)
    assert len(updates) == len(starts) * passes * parts, "updates"
    for start in starts:
        for _ in range(passes):
            batches, updates = updates[:parts], updates[parts:]
            rows = [*played.shown[start : start + steps], batches[0].standing]
            check_pass(played, rows, batches)


def check_pass(played: Played, rows: Rows, updates: list[Update]) -> None:
    told, seen = told_of(played, rows), []
    for update in updates:
        names = names_of(update.batch.obs)
        seen += names
        check_steps(names, told, update.batch)
        if played.learner.remembers:
            check_games(names_of(update.batch.obs[0]), names, rows, update.batch)
    assert sorted(seen) == sorted(name for names in rows[:-1] for name in names), "steps of the rollout"


def check_steps(names: list[Name], told: dict[Name, Told], batch: Any) -> None:
    found = zip(*(getattr(batch, field).ravel().tolist() for field in Told._fields), strict=True)
    for name, values in zip(names, found, strict=True):
        assert name in told, f"observation of {name}"
        for field, value, wanted in zip(Told._fields, values, told[name], strict=True):
            matters = told[name].mask or field not in ("action", "log_prob")
            assert not matters or math.isclose(value, wanted, abs_tol=1e-9), f"{field} at {name}"


def check_games(first: list[Name], names: list[Name], rows: Rows, batch: Any) -> None:
    """With memory: whole games in order, and the state before each of them."""
    for place, name in enumerate(first):
        game = [row[name[0]] for row in rows[:-1]]
        assert names[place :: len(first)] == game, f"sequence of game {name[0]}"
        assert name[2] == 0 or batch.state[place].tolist() == state_before(name), f"state before {name}"


def check_drawn(played: Played) -> None:
    """Actions are drawn from the policy: the preferred one about as often as it says."""
    taken = played.games.taken
    share = sum(action == scripted.preferred(*name, name[2]) for name, action in taken.items()) / len(taken)
    chance = 1 / sum(math.exp(-rest) for rest in range(ACTIONS))
    assert abs(share - chance) < 4 * (chance * (1 - chance) / len(taken)) ** 0.5, "drawn actions"
    assert len(played.shown[0]) == GAMES
