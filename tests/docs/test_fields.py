"""The tables of settings that a page draws from the source."""

from __future__ import annotations

from docs.site.fields import fields_of
from triptych.envs.mazes.above import Maze


def test_a_setting_is_explained_by_the_comment_behind_it_or_above_it() -> None:
    found = fields_of(Maze)
    assert (
        found["view"][1]
        == "tiles that are seen: ahead, the agent's own row included, and across; None: the whole maze, whatever hides it"
    )
    assert found["through_walls"] == ("False", "see what walls hide")
    assert not [name for name, (_, told) in found.items() if not told and name != "id"]
