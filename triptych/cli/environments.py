"""The command that lists environments, and tries them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from triptych.cli import exits
from triptych.cli.options import Command, Settings, print_json, settings_of
from triptych.utils.checks import check
from triptych.utils.console import put, say


@dataclass(frozen=True)
class Envs(Command):
    """Lists environments that were tried, or tries one: does it obey its seed, end, change, pay?"""

    # Gymnasium ids to try now, of your own too: my_games:Mine-v0; none: the list
    ids: Annotated[Positional[tuple[str, ...]], arg(metavar="[ID...]", help_behavior_hint="")] = ()
    setting: Settings = ()  # of the environment, as split=test; may be given several times
    episodes: int = 20  # of random play in which an environment is tried
    again: bool = False  # try the whole list again, which takes minutes and all the packages
    out: Path | None = None  # a folder for the table and its numbers; None: they are only printed

    def run(self) -> int:
        from triptych.cli.tables import environments_table
        from triptych.experiments.environments import attempt, flags_of, listed, score, try_all, write_table

        check(self.episodes > 0, "episodes", self.episodes, "above 0")
        check(not (self.ids and self.again), "again", True, "False where ids are given")
        settings = settings_of(self.setting)
        check(bool(self.ids or not settings), "setting", self.setting, "none without ids")
        if self.again:
            found = try_all(lambda one: say(f"{one.id}: {len(one.findings)} found"))
        else:
            found = [attempt(env_id, settings, self.episodes) for env_id in self.ids] if self.ids else listed()
        if self.ids:
            for one in found:
                told = one.findings or ["nothing wrong was seen"]
                how = f" with {flags_of(one)}" if one.settings else ""
                put(f"{one.id}{how}: {one.observation}, {one.actions} actions, random play {score(one)}")
                put("\n".join(f"  {line}" for line in told))
        else:
            environments_table(found)
        if self.out is not None:
            put(str(write_table(found, self.out)))
        print_json(self, {"environments": [dataclasses.asdict(one) for one in found]})
        return exits.DONE
