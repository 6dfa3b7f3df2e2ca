"""The agents' sources on a page: each text once, and of which runs it is."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from triptych.report.logs import Log
from triptych.report.series import Series
from triptych.report.show import build as show
from triptych.utils.checks import InputError
from triptych.utils.console import warn

PARTS = ("network", "operations", "loss", "update")
ALIKE = 0.6  # share of two texts that is the same, above which only what differs is shown
MOST_LETTERS = 300_000  # of all texts of a page


@dataclass(frozen=True)
class Shown:
    """One agent in the frameworks, and whose it is."""

    labels: list[str]
    sources: list[show.Source]
    layers: list[tuple[str, str, Any, int]]


def sources(series: list[Series]) -> dict[str, Any] | None:
    """The native sources of every agent that differs.

    Returns:
        `titles` of the frameworks; `layers`, a table for each network; `parts`, each with its `variants`. A variant has
        `labels`, whose it is, and `texts`, a framework each, or one that is all of theirs; `is_changes`: they say what is
        not as in the part's first variant; `is_cut`: they had no room.
        None where no agent can be shown.
    """
    found = distinct(series)
    if not found:
        return None
    room = MOST_LETTERS
    parts = []
    for part in PARTS:
        made, room = variants(found, part, room)
        parts.append({"name": part, "variants": made})
    return {
        "titles": [source.title for source in found[0].sources],
        "layers": merged([(one.labels, one.layers) for one in found]),
        "parts": parts,
        "several": len(found) > 1,
    }


def distinct(series: list[Series]) -> list[Shown]:
    """Each agent once; the frameworks of a recipe have the same one."""
    found: dict[str, Shown] = {}
    for one in series:
        log = one.logs[0]
        if log.recipe is None or not log.playable:
            continue
        made = shown(log)
        if made is None:
            continue
        key = repr([(source.network, source.operations, source.loss, source.update) for source in made.sources])
        found.setdefault(key, made).labels.append(one.label)
    return list(found.values())


def shown(log: Log) -> Shown | None:
    assert log.recipe is not None
    try:
        network = show.network_of(log.recipe)
        return Shown([], show.show(log.recipe, network, log.recipe.env.id), show.layer_table(network))
    except InputError as error:
        warn(f"no sources of {log.name}: {error}")
        return None


def variants(found: list[Shown], part: str, room: int) -> tuple[list[dict[str, Any]], int]:
    """The different texts of a part, and how many letters are left for others."""
    texts = merged([(one.labels, [getattr(source, part) for source in one.sources]) for one in found])
    made: list[dict[str, Any]] = []
    for labels, of_frameworks in texts:
        unique = list(dict.fromkeys(of_frameworks))
        whole: list[str] = unique if len(unique) == 1 else of_frameworks
        first = texts[0][1]
        is_near = bool(made) and min(map(alike, first, of_frameworks)) > ALIKE
        changed = changes(first, of_frameworks) if is_near else []
        shown = changed or whole
        is_cut = sum(map(len, shown)) > room
        room -= 0 if is_cut else sum(map(len, shown))
        made.append({"labels": labels, "texts": [] if is_cut else shown, "is_changes": is_near, "is_cut": is_cut})
    return made, room


def merged(pairs: list[tuple[list[str], Any]]) -> list[tuple[list[str], Any]]:
    """Equal contents stand together, under the labels of all of them."""
    found: list[tuple[list[str], Any]] = []
    for labels, content in pairs:
        same = next((names for names, known in found if known == content), None)
        if same is None:
            found.append(([*labels], content))
        else:
            same.extend(labels)
    return found


def alike(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one.splitlines(), other.splitlines(), autojunk=False).ratio()


def changes(first: list[str], other: list[str]) -> list[str]:
    """What differs from the first texts, as `diff` shows it; once where it is the same in every framework."""
    told = []
    for one, text in zip(first, other, strict=True):
        lines = list(difflib.unified_diff(one.splitlines(), text.splitlines(), lineterm="", n=2))[2:]
        told.append("\n".join(line for line in lines if not line.startswith("@@")))
    unique = list(dict.fromkeys(told))
    return unique if len(unique) == 1 else told
