"""The page's sentences, in words that a reader without context understands."""

from __future__ import annotations

from typing import Any

from triptych.frameworks import title_of
from triptych.report.alarmed import sentences as alarmed
from triptych.report.figures import REWARDS, can_draw, column_names, lead_of
from triptych.report.figures import title_of as column_title
from triptych.report.logs import Log
from triptych.report.numbers import finite, percent, plain
from triptych.report.results import FULL, best_tests, last, repeated, steps
from triptych.report.series import Series, differing_settings, grouped, series_of, setting_name
from triptych.runs.endings import unlearned
from triptych.utils.console import counted
from triptych.utils.statistics import bootstrap_mean

MOST_LINES = 6  # runs of a game that the first screen tells of one by one
MOST_TESTS = 2  # of a run's weights that it tells of
MOST_GAMES = 3  # that a title names
NUMERALS = {3: "three", 4: "four", 5: "five"}
LUCK = 0.05  # share of the rows that random play may have above its band


def title(logs: list[Log]) -> str:
    """What these runs are: `CartPole-v1: DQN in three frameworks, 5 seeds each`."""
    known = [log for log in logs if log.recipe]
    if not known:
        return title_of_others(logs)
    envs = list(dict.fromkeys(log.recipe.env.id for log in known if log.recipe))
    games = join(envs) if len(envs) <= MOST_GAMES else f"{len(envs)} games"
    kinds = join(list(dict.fromkeys(log.recipe.algorithm.kind.upper() for log in known if log.recipe)))
    text = f"{games}: {kinds} in {frameworks([log.framework for log in known])}{variants(known)}"
    others = len(logs) - len(known)
    return text + (f", beside {counted(others, 'other log')}" if others else "")


def title_of_others(logs: list[Log]) -> str:
    """What logs of others are: `CartPole-v1: running reward in 2 logs`; a single one is named.

    Games are told where every log has one, and the measure is the best reward, or else column, that all of them have.
    """
    games = list(dict.fromkeys(log.game for log in logs))
    game = f"{join(games)}: " if all(games) and len(games) <= MOST_GAMES else ""
    columns = (*REWARDS, *column_names(logs))
    shared = next((name for name in columns if all(can_draw(log, name) for log in logs)), "")
    what = column_title(shared).partition(" (")[0] if shared else "what is recorded"
    where = f"the log {logs[0].name}" if len(logs) == 1 else counted(len(logs), "log")
    text = f"{what} in {where}"
    return game + text if game else text[:1].upper() + text[1:]


def frameworks(used: list[str]) -> str:
    """`PyTorch`, `PyTorch and JAX`, or from three on how many."""
    titles = list(dict.fromkeys(title_of(name) for name in used if name))
    return join(titles) if len(titles) < 3 else f"{NUMERALS.get(len(titles), len(titles))} frameworks"


def variants(logs: list[Log]) -> str:
    """How many seeds and settings there are of each, where there are several."""
    groups = grouped(logs)
    kinds = {(log.framework, log.recipe.algorithm.kind) for log in logs if log.recipe}
    seeds = {len(group) for group in groups}
    differing = differing_settings([group[0] for group in groups]) if len(groups) > len(kinds) else []
    settings = f", {setting_name(differing[0])} compared" if len(differing) == 1 else ", settings compared"
    text = settings if differing and len({log.recipe.env.id for log in logs if log.recipe}) == 1 else ""
    return text + (f", {seeds.pop()} seeds each" if len(seeds) == 1 and len(logs) > len(groups) else "")


def lead(logs: list[Log]) -> str:
    """What was trained, in a sentence; "" where no log says it."""
    known = [log for log in logs if log.recipe]
    if not known:
        return ""
    used = [name for log in known for name in (log.framework, *(row.get("framework", "") for row in log.resumes))]
    in_words = join(list(dict.fromkeys(title_of(name) for name in used if name)))
    runs = f"{len(known)} runs" if len(known) > 1 else "One run"
    played = join(list(dict.fromkeys(log.recipe.env.id for log in known if log.recipe)))
    kinds = join(list(dict.fromkeys(log.recipe.algorithm.kind.upper() for log in known if log.recipe)))
    return (
        f"{runs} of {kinds} on {played}, in {in_words}: an agent that learns to "
        f"play by trial and error. A step is one decision of the agent; the reward is the game's own score."
    )


def summary(games: dict[str, list[Log]], random: dict[str, dict[str, Any]]) -> list[str]:
    """What came out, game by game, in sentences."""
    return [
        (f"{game}. " if len(games) > 1 else "") + line for game, logs in games.items() for line in results(logs, random)
    ]


def results(logs: list[Log], random: dict[str, dict[str, Any]]) -> list[str]:
    """What came out of the runs of one game."""
    series = series_of(logs)
    lines = [over_seeds(one, random) for one in series if one.is_seeds]
    single = [one.logs[0] for one in series if not one.is_seeds]
    lines += [outcome(log, random) for log in single[:MOST_LINES]]
    if len(single) > MOST_LINES:
        lines.append(f"In the figures and tables below: {counted(len(single) - MOST_LINES, 'more run')}.")
    return lines


def over_seeds(series: Series, random: dict[str, dict[str, Any]]) -> str:
    """The result of several seeds in a sentence."""
    members = series.logs
    scores = [score for score in (last(log, "running_reward") for log in members) if score is not None]
    name = series.label
    if not scores:
        return f"{name}: no episode has ended yet."
    mean, low, high = bootstrap_mean([[score] for score in scores] if len(scores) > 1 else [scores])
    text = f"{name}: at the end the last 100 episodes scored {mean:,.1f} on average (95 % bootstrap over seeds: {low:,.1f} to {high:,.1f})"
    return text + best_stretch(members) + against_random(members[0], random)


def best_stretch(logs: list[Log]) -> str:
    """The score by which the best weights were chosen."""
    scores = [score for log in logs if (score := finite(log.summary.get("best_score"))) is not None]
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
    length = f" after {steps(log):,.0f} steps" if steps(log) else ""
    count = (
        min(FULL + 1, sum(value is not None for value in log.columns["running_reward"])) if running is not None else 0
    )
    if running is None:
        return f"{log.name}: no episode has ended yet." if not log.columns else f"{log.name}{length}: {instead(log)}."
    rewards = [value for value in log.columns["running_reward"] if value is not None]
    best = max(rewards[FULL:] or rewards)
    ends = f"the last {count} episodes{exploring(log)} scored {running:,.1f} on average"
    if not any(value is not None for value in log.columns.get("episode_reward", [])):  # a row may be of many episodes
        ends = f"its running reward{exploring(log)} ends at {running:,.1f}"
    text = f"{log.name}{length}: {ends}, at best {best:,.1f}"
    return text + best_stretch([log]) + tests(log) + against_random(log, random)


def instead(log: Log) -> str:
    """What a log without a running reward ends with."""
    lead = lead_of(log, column_names([log]))
    values = [value for part in log.parts for value in part.get(lead, []) if value is not None]
    if not values:
        return "no running reward recorded"
    return f"{column_title(lead)}, at the end {values[-1]:,.5g}, at most {max(values):,.5g}; no running reward recorded"


def exploring(log: Log) -> str:
    """What share of a training game's moves is random; it lowers the score."""
    epsilon = last(log, "epsilon")
    return f" (at the end with {percent(epsilon)} random moves)" if epsilon else ""


def tests(log: Log) -> str:
    """What the best weights scored in games of their own; tests of weights that others have replaced say nothing."""
    scores = [
        f"{test['mean']:,.1f}{interval(test)} in {counted(test['games'], 'new game')}{repeated(test)} {playing(test)}"
        for test in best_tests(log)[:MOST_TESTS]
    ]
    return f"; its best weights scored {join(scores)}" if scores else ""


def interval(test: dict[str, Any]) -> str:
    return f" (95 % interval {test['low']:,.1f} to {test['high']:,.1f})" if test["games"] > 1 else ""


def playing(test: dict[str, Any]) -> str:
    """How the moves of a test were chosen."""
    if test["epsilon"]:
        return f"with {percent(test['epsilon'])} random moves"
    return "with moves drawn from its policy" if test["policy"] == "sample" else "without random moves"


def sentences(logs: list[Log], random: dict[str, dict[str, Any]]) -> list[str]:
    """What a reader should not miss: runs that never left random play, that cannot be repeated, that had alarms, or whose numbers were not all finite."""
    lines = [
        f"{log.name} was played by A3C's workers on Ray, at their own pace: the same seed does not give the same numbers again."
        for log in logs
        if (log.config or {}).get("on") == "ray"
    ]
    lines += [line for log in logs for line in alarmed(log)]
    lost = [
        (log, unlearned(log.summary.get("broken_steps") or 0, log.summary.get("broken_first") or "")) for log in logs
    ]
    lines += [f"{log.name}: {told}." for log, told in lost if told]
    lines += [line for log in logs if (line := no_better_than_random(log, random.get(log.random_key)))]
    return lines


def no_better_than_random(log: Log, found: dict[str, Any] | None) -> str:
    """Says of a run that it scores no more than random play, as far as training and tests show it; "" where it does, or nothing is known.

    Training scores are those of an agent that explores, so a test above random play outweighs them.
    """
    rewards = [value for value in log.columns.get("running_reward", []) if value is not None][FULL:]
    if not found or not rewards or sum(value > found["band"][1] for value in rewards) > LUCK * len(rewards):
        return ""
    test = next(iter(best_tests(log)), None)
    if test is not None and test["low"] > found["high"]:
        return ""
    tested = (
        f", and its best weights scored {test['mean']:,.1f} in {counted(test['games'], 'test game')}" if test else ""
    )
    return (
        f"{log.name} plays no better than chance: its running reward stays within what random play reaches by luck "
        f"(up to {found['band'][1]:,.1f}){tested}."
    )


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


def join(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
