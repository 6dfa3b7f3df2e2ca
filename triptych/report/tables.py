"""The page's tables below the figures: speed, settings, machines."""

from __future__ import annotations

from typing import Any

from triptych import envs
from triptych.recipes import Recipe
from triptych.recipes.serialise import to_dict
from triptych.report.command import flat
from triptych.report.logs import Log
from triptych.report.numbers import finite, plain
from triptych.report.show import build as show
from triptych.utils.checks import InputError
from triptych.utils.console import counted

UNKNOWN = "not known"


def speed(log: Log) -> dict[str, Any]:
    """One row of the table of speed and memory."""
    names = ("steps", "updates", "seconds", "steps_per_second", "updates_per_second", "compile_seconds", "peak_memory")
    row = {"name": log.name, "framework": log.summary.get("framework", log.framework), "resumed": len(log.resumes)}
    return row | {name: finite(log.summary.get(name)) for name in names}


def settings(groups: list[list[Log]]) -> list[dict[str, Any]]:
    """Each setting, its value in each group of runs that has a config.json, and whether they differ.

    Args:
        groups: runs of one group differ in nothing but their seed; all their seeds stand in one value.
    """
    logs = [log for group in groups for log in group if log.recipe]
    games = {repr(log.recipe.env): log.recipe for log in logs if log.recipe}
    playable = {repr(log.recipe.env) for log in logs if log.recipe and log.playable}
    unread = {env: unread_settings(recipe) if env in playable else {"env.kind"} for env, recipe in games.items()}
    columns = [[readable(log, unread[log.random_key]) for log in group if log.recipe] for group in groups]
    names = dict.fromkeys(name for tables in columns for table in tables for name in table)
    rows = []
    for name in names:
        values = [" ".join(dict.fromkeys(plain(table.get(name, "")) for table in tables)) for tables in columns]
        rows.append({"name": name, "values": values, "differs": len(set(values)) > 1})
    return sorted(rows, key=lambda row: not row["differs"])


def readable(log: Log, unread: set[str]) -> dict[str, Any]:
    """A run's settings but those that its game never reads."""
    return {name: value for name, value in ({"framework": log.framework} | recorded(log)).items() if name not in unread}


def recorded(log: Log) -> dict[str, Any]:
    """A run's settings by dotted path; a field that came after the run is not recorded."""
    assert log.recipe is not None
    assert log.config is not None
    then = {"optimiser.kind": "adam"} | flat(log.config["recorded"])  # a run that does not say it had no other
    return {name: then.get(name, "not recorded") for name in flat(to_dict(log.recipe))}


def unread_settings(recipe: Recipe) -> set[str]:
    """The settings of the game that this one never reads, as far as it can be made here; its kind is what its id says."""
    try:
        return {"env.kind", *(f"env.{name}" for name in envs.unread(recipe.env, show.network_of(recipe).observation))}
    except InputError:
        return {"env.kind"}


def machines(logs: list[Log]) -> list[dict[str, Any]]:
    """Where and with what runs were made; runs of the same machine, versions and commit share a row."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for log in logs:
        if log.config:
            told = machine(log)
            row = found.setdefault(tuple(told.values()), told | {"names": []})
            row["names"].append(log.name)
    return list(found.values())


def machine(log: Log) -> dict[str, str]:
    """Where and with what a run was made."""
    config = log.config or {}
    versions = ", ".join(f"{name} {version}" for name, version in config.get("versions", {}).items())
    later = {f"{row.get('framework')} on {row.get('processor')}" for row in log.resumes}
    resumed = f"; resumed in {', '.join(sorted(later))}" if later else ""
    known = [config.get("processor"), counted(config.get("threads", 1), "thread"), config.get("device")]
    return {
        "processor": ", ".join(filter(None, known)) + resumed,
        "versions": versions,
        "commit": str(config.get("git_commit") or UNKNOWN),
    }
