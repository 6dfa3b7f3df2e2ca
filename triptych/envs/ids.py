"""Environment ids that are nearly the one given."""

from __future__ import annotations

import contextlib
import re

import gymnasium

from triptych.utils.words import nearest

VERSION = re.compile(r"-v(\d{1,9})$")


def near_ids(name: str, most: int = 3, exact: bool = False) -> list[str]:
    """Registered ids that look like a name, the likeliest first: `Pong` and `pong-v5` are nearly `ALE/Pong-v5`.

    Args:
        exact: only those that differ in case, namespace or version.
    """
    with contextlib.suppress(ModuleNotFoundError):
        import ale_py

        gymnasium.register_envs(ale_py)
    by_stem: dict[str, list[str]] = {}
    for known in gymnasium.registry:
        by_stem.setdefault(stem(known), []).append(known)
    wanted = stem(name)
    stems = [wanted] if wanted in by_stem else [] if exact else nearest(wanted, by_stem, most, alike=0.8)
    return [newest(by_stem[found]) for found in stems][:most]


def stem(name: str) -> str:
    """An id without its namespace and version, in small letters."""
    return VERSION.sub("", name.rpartition("/")[2].rpartition(":")[2]).casefold()


def newest(ids: list[str]) -> str:
    """Of the ids of one game the one to take: ALE's own, else one without a namespace; the highest version of these."""

    def rank(found: str) -> tuple[int, int]:
        version = VERSION.search(found)
        return (2 if found.startswith("ALE/") else 0 if "/" in found else 1), int(version[1]) if version else -1

    return max(ids, key=rank)
