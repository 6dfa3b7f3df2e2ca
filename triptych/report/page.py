"""`triptych report`: runs as one self-contained HTML page. It reads logs and trains nothing."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from triptych import envs
from triptych.recipes import Recipe
from triptych.recipes.serialise import to_dict
from triptych.report import figures, words
from triptych.report.command import flat, repeat
from triptych.report.html import TEMPLATES, check_page, write_page
from triptych.report.logs import Log, read
from triptych.report.random_play import random_play
from triptych.report.show import build as show
from triptych.runs.names import run_path
from triptych.runs.records import read_verdict
from triptych.utils.checks import InputError
from triptych.utils.console import counted, warn

MOST_VIDEO_BYTES = 12_000_000  # in all; the newest videos of each run come first
VIDEOS_A_RUN = 3


def report(
    arguments: list[str], *, runs_dir: str | Path = "runs", out: Path | None = None, frames_are: str = "steps",
    trust: bool = False,
) -> Path:  # fmt: skip
    """Writes the page of some runs and returns its path.

    Args:
        arguments: run folders, runs' names, folders of runs, lockstep folders, CSV files (one run's joined by `+`).
        out: the file; None: report.html in the run's folder, or in `runs_dir` where there are several.
        frames_are: what a foreign file's `frames` column counts: `steps` or `emulator` frames.
        trust: run what the runs name, so that their games are known; without it only what this user's own runs name.

    Raises:
        InputError: an argument cannot be read, or a package is missing.
    """
    check_page("report")
    proofs = [path for path in (run_path(a, runs_dir) for a in arguments) if (path / "verdict.json").is_file()]
    names = [a for a in arguments if not (run_path(a, runs_dir) / "verdict.json").is_file()]
    logs = [log for name in names for log in read(name, Path(runs_dir), frames_are, trust)]
    if not logs:
        raise InputError("there is no run to report on; allowed: at least one run folder, run's name or CSV file")
    path = out or (logs[0].path if len(logs) == 1 and logs[0].path else Path(runs_dir)) / "report.html"
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    found = content(logs, [verdict(proof / "verdict.json") for proof in proofs])
    write_page(path, "page.html", **found, script=script)
    return path


def verdict(file: Path) -> str:
    """What a lockstep folder shows, in a sentence."""
    return words.verdict(read_verdict(file))


def content(logs: list[Log], proofs: list[str]) -> dict[str, Any]:
    """Everything that the template shows."""
    random = bands(logs)
    games = figures.by_game(logs)
    return {
        "title": words.title(logs),
        "summary": words.summary(games, random),
        "sentences": words.sentences(logs, random),
        "verdicts": proofs,
        "charts": [{"game": game} | figures.data(runs, random, len(logs)) for game, runs in games.items()],
        "tested": [(log.name, test) for log in logs for test in log.evaluations],
        "speed": [speed(log) for log in logs if log.summary],
        "settings": settings(logs),
        "names": [log.name for log in logs if log.recipe],
        "machines": [machine(log) for log in logs if log.config],
        "commands": [(log.name, repeat(log.recipe, log.framework)) for log in logs if log.recipe],
        "sources": sources(logs),
        "called": show.names_table(),
        "videos": videos(logs),
        "notes": [note for log in logs for note in log.notes],
    }


def bands(logs: list[Log]) -> dict[str, dict[str, Any]]:
    """What random play scores in each environment, remembered in the run's folder; not where it cannot be played."""
    found: dict[str, dict[str, Any]] = {}
    for log in logs:
        if log.recipe is None or not log.playable or log.random_key in found:
            continue
        try:
            found[log.random_key] = random_play(log.recipe.env, log.path / "random.json" if log.path else None)
        except InputError as error:
            warn(f"no band of random play: {error}")
    return found


def speed(log: Log) -> dict[str, Any]:
    """One row of the table of speed and memory."""
    names = ("steps", "updates", "seconds", "steps_per_second", "updates_per_second", "compile_seconds", "peak_memory")
    row = {"name": log.name, "framework": log.summary.get("framework", log.framework), "resumed": len(log.resumes)}
    return row | {name: log.summary.get(name) for name in names}


def settings(logs: list[Log]) -> list[dict[str, Any]]:
    """Each setting, its value in each run that has a config.json, and whether they differ."""
    games = {repr(log.recipe.env): log.recipe for log in logs if log.recipe}
    playable = {repr(log.recipe.env) for log in logs if log.recipe and log.playable}
    unread = {env: unread_settings(recipe) if env in playable else {"env.kind"} for env, recipe in games.items()}
    tables = [
        {
            name: value
            for name, value in ({"framework": log.framework} | recorded(log)).items()
            if name not in unread[repr(log.recipe.env)]
        }
        for log in logs
        if log.recipe
    ]
    names = dict.fromkeys(name for table in tables for name in table)
    rows = []
    for name in names:
        values = [words.plain(table.get(name, "")) for table in tables]
        rows.append({"name": name, "values": values, "differs": len(set(values)) > 1})
    return sorted(rows, key=lambda row: not row["differs"])


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


def machine(log: Log) -> dict[str, str]:
    """Where and with what a run was made."""
    config = log.config or {}
    versions = ", ".join(f"{name} {version}" for name, version in config.get("versions", {}).items())
    later = {f"{row.get('framework')} on {row.get('processor')}" for row in log.resumes}
    resumed = f"; resumed in {', '.join(sorted(later))}" if later else ""
    known = [config.get("processor"), counted(config.get("threads", 1), "thread"), config.get("device")]
    return {
        "name": log.name,
        "processor": ", ".join(filter(None, known)) + resumed,
        "versions": versions,
        "commit": str(config.get("git_commit") or "not known"),
    }


def sources(logs: list[Log]) -> dict[str, Any] | None:
    """The three native sources of the first run's agent, and its layers."""
    recipe = next((log.recipe for log in logs if log.recipe and log.playable), None)
    if recipe is None:
        return None
    try:
        network = show.network_of(recipe)
        found = show.show(recipe, network, recipe.env.id)
    except InputError as error:
        warn(f"no sources: {error}")
        return None
    parts = [
        {"name": part, "texts": [getattr(source, part) for source in found]}
        for part in ("network", "operations", "loss", "update")
    ]
    return {"titles": [source.title for source in found], "parts": parts, "layers": show.layer_table(network)}


def videos(logs: list[Log]) -> list[dict[str, str]]:
    """The newest videos of each run, as data addresses, as long as they stay small together."""
    found: list[dict[str, str]] = []
    room = MOST_VIDEO_BYTES
    for log in logs:
        films = sorted((log.path / "videos").glob("*.mp4")) if log.path else []
        for film in films[: -VIDEOS_A_RUN - 1 : -1]:
            if film.stat().st_size > room:
                warn(f"{film} is left out: videos take at most {MOST_VIDEO_BYTES / 1e6:.0f} MB of a page")
                continue
            room -= film.stat().st_size
            data = base64.b64encode(film.read_bytes()).decode("ascii")
            found.append({"run": log.name, "name": film.stem, "address": f"data:video/mp4;base64,{data}"})
    return found
