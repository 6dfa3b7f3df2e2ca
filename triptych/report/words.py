"""The page's sentences, in words that a reader without context understands."""

from __future__ import annotations

from typing import Any

from triptych.envs import GameConfig, stickiness
from triptych.envs.play import different_games
from triptych.frameworks import title_of
from triptych.report.figures import seed_groups
from triptych.report.logs import Log
from triptych.utils.console import counted
from triptych.utils.statistics import bootstrap_mean

FULL = 99  # episodes before the running reward is a mean of 100
MOST_LINES = 6  # runs of a game that the first screen tells of one by one
MOST_TESTS = 2  # of a run's weights that it tells of
MOST_RANDOM = 0.1  # share of random moves; with more it is no test of the weights
LUCK = 0.05  # share of the rows that random play may have above its band


def title(logs: list[Log]) -> str:
    """Which runs these are."""
    envs = list(dict.fromkeys(log.recipe.env.id for log in logs if log.recipe))
    names = ", ".join(log.name for log in logs[:3]) + (f" and {len(logs) - 3} more" if len(logs) > 3 else "")
    return f"{', '.join(envs)}: {names}" if envs else names


def summary(games: dict[str, list[Log]], random: dict[str, dict[str, Any]]) -> list[str]:
    """What was trained, and what came out, game by game."""
    known = [log for logs in games.values() for log in logs if log.recipe]
    lines = []
    if known:
        used = [
            name
            for log in known
            for name in (log.framework, *(row.get("framework", "") for row in log.resumes))
            if name
        ]
        frameworks = list(dict.fromkeys(title_of(name) for name in used))
        runs = f"{len(known)} runs" if len(known) > 1 else "One run"
        played = join(list(dict.fromkeys(log.recipe.env.id for log in known if log.recipe)))
        kinds = join(list(dict.fromkeys(log.recipe.algorithm.kind.upper() for log in known if log.recipe)))
        lines.append(
            f"{runs} of {kinds} on {played}, in {join(frameworks)}: an agent that learns to "
            f"play by trial and error. A step is one decision of the agent; the reward is the game's own score."
        )
    for game, logs in games.items():
        named = f"{game}. " if len(games) > 1 else ""
        lines += [named + line for line in results(logs, random)]
    return lines


def results(logs: list[Log], random: dict[str, dict[str, Any]]) -> list[str]:
    """What came out of the runs of one game."""
    grouped = seed_groups(logs)
    lines = [over_seeds(name, members, random) for name, members in grouped.items()]
    single = [log for log in logs if log.framework not in grouped]
    lines += [outcome(log, random) for log in single[:MOST_LINES]]
    if len(single) > MOST_LINES:
        lines.append(f"In the figures and tables below: {counted(len(single) - MOST_LINES, 'more run')}.")
    return lines


def over_seeds(framework: str, members: list[Log], random: dict[str, dict[str, Any]]) -> str:
    """The result of several seeds in a sentence."""
    scores = [score for score in (last(log, "running_reward") for log in members) if score is not None]
    name = f"{title_of(framework)}, {len(members)} seeds"
    if not scores:
        return f"{name}: no episode has ended yet."
    mean, low, high = bootstrap_mean([[score] for score in scores] if len(scores) > 1 else [scores])
    text = f"{name}: at the end the last 100 episodes scored {mean:,.1f} on average (95 % bootstrap over seeds: {low:,.1f} to {high:,.1f})"
    return text + best_stretch(members) + against_random(members[0], random)


def best_stretch(logs: list[Log]) -> str:
    """The score by which the best weights were chosen."""
    scores = [log.summary["best_score"] for log in logs if log.summary.get("best_score") is not None]
    recipe = logs[0].recipe
    if not scores or recipe is None or recipe.best_window == FULL + 1:  # the running reward has said it
        return ""
    return f"; the best {recipe.best_window} episodes in a row scored {sum(scores) / len(scores):,.1f}"


def against_random(log: Log, random: dict[str, dict[str, Any]]) -> str:
    found = random.get(log.random_key)
    return f"; random play scores {found['mean']:,.1f}." if found else "."


def outcome(log: Log, random: dict[str, dict[str, Any]]) -> str:
    """One run's result in a sentence."""
    running = last(log, "running_reward")
    # The summary is of the last session that ended; the last episode ended before the last step.
    steps = max(log.summary.get("steps") or 0, last(log, "steps") or 0)
    length = f" after {steps:,.0f} steps" if steps else ""
    count = (
        min(FULL + 1, sum(value is not None for value in log.columns["running_reward"])) if running is not None else 0
    )
    if running is None:
        return (
            f"{log.name}: no episode has ended yet." if not log.columns else f"{log.name}: no running reward recorded."
        )
    rewards = [value for value in log.columns["running_reward"] if value is not None]
    best = max(rewards[FULL:] or rewards)
    text = f"{log.name}{length}: the last {count} episodes{exploring(log)} scored {running:,.1f} on average, at best {best:,.1f}"
    return text + best_stretch([log]) + tests(log) + against_random(log, random)


def exploring(log: Log) -> str:
    """What share of a training game's moves is random; it lowers the score."""
    epsilon = last(log, "epsilon")
    return f" (at the end with {percent(epsilon)} random moves)" if epsilon else ""


def tests(log: Log) -> str:
    """What the best weights scored in games of their own; tests of weights that others have replaced say nothing."""
    trained = log.recipe.env if log.recipe else None
    best = [test for test in log.evaluations if test["weights"] == "best" and test["epsilon"] <= MOST_RANDOM]
    best = [test for test in best if trained is None or as_trained(test, trained)]
    newest = [test for test in best if test["updates"] == max(test["updates"] for test in best)]
    told = sorted(newest, key=lambda test: (-test["games"], test["epsilon"]))[:MOST_TESTS]
    scores = [
        f"{test['mean']:,.1f}{interval(test)} in {counted(test['games'], 'new game')}{repeated(test)} {playing(test)}"
        for test in told
    ]
    return f"; its best weights scored {join(scores)}" if scores else ""


def as_trained(test: dict[str, Any], env: GameConfig) -> bool:
    """Whether the games of a test were those of the training."""
    own = getattr(env, "sticky", None)
    sticky = own if test["sticky"] is None else test["sticky"]  # None: the recipe's, in tests of before
    same = (test["flicker"], test["env"]) == (env.flicker, env.id) and not test.get("plain")
    return same and sticky in (own, stickiness(env))


def interval(test: dict[str, Any]) -> str:
    return f" (95 % interval {test['low']:,.1f} to {test['high']:,.1f})" if test["games"] > 1 else ""


def repeated(test: dict[str, Any]) -> str:
    """How many games of a test differ, where some do not."""
    rewards, lengths = test.get("rewards", []), test.get("lengths", [])  # tests of before kept no lengths
    kept = len(rewards) == len(lengths) == test["games"]
    different = (
        different_games(test["policy"], test["sticky"], test["flicker"], rewards, lengths) if kept else test["games"]
    )
    return f" ({different} different ones)" if different < test["games"] else ""


def playing(test: dict[str, Any]) -> str:
    """How the moves of a test were chosen."""
    if test["epsilon"]:
        return f"with {percent(test['epsilon'])} random moves"
    return "with moves drawn from its policy" if test["policy"] == "sample" else "without random moves"


def percent(share: float) -> str:
    return f"{share * 100:.3g} %"


def sentences(logs: list[Log], random: dict[str, dict[str, Any]]) -> list[str]:
    """What a reader should not miss: runs that never left random play."""
    lines = []
    for log in logs:
        found = random.get(log.random_key)
        rewards = [value for value in log.columns.get("running_reward", []) if value is not None][FULL:]
        above = sum(value > found["band"][1] for value in rewards) if found else 0
        if found and rewards and above <= LUCK * len(rewards):
            lines.append(
                f"{log.name} never leaves the band of random play: its running reward stays at {found['band'][1]:,.1f} or below, "
                f"but for luck."
            )
    return lines


def verdict(proof: dict[str, Any]) -> str:
    """What a lockstep folder shows."""
    if proof["agree"]:
        return (
            f"Lockstep: agree. In float64 the frameworks took the same actions for {proof['steps']:,} steps and made the same "
            f"{proof['updates']:,} updates; the largest relative difference is {proof['worst_relative']:.1e}."
        )
    first = proof["first_difference"]
    where = (
        f" First difference: {plain(first)}." if first else f" Too little to prove anything: {plain(proof['too_few'])}."
    )
    acted = " No action differs." if first and proof.get("actions_part_at", 0) is None else ""
    control = proof.get("control") or {}
    beside = f" A control, one framework rounded otherwise, parts from itself by {control['worst_relative']:.1e}; the frameworks by {proof['worst_relative']:.1e}." if control else ""  # fmt: skip
    return f"Lockstep: the frameworks part.{where}{acted}{beside}"


def last(log: Log, column: str) -> float | None:
    return next((value for value in reversed(log.columns.get(column, [])) if value is not None), None)


def join(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def plain(value: Any) -> str:
    """A setting as a person writes it."""
    if isinstance(value, list | tuple):
        return " ".join(map(plain, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(item)}" for key, item in value.items())
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    return f"{value:,}" if isinstance(value, int) else str(value)
