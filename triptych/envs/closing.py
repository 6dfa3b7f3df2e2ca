"""The end of a user's games: closed once, and what fails there stops nothing any more."""

from __future__ import annotations

from collections.abc import Callable

from triptych.envs.checking import UNTOUCHED, described
from triptych.utils.console import warn

TOLD: set[str] = set()  # warnings, each of which is given once: a run makes games for several ends


class Closing:
    """Closes games the first time that it is called, each of them; one warning tells of what fails.

    Args:
        env_id: how they are called in what is told.
        closes: what closes them, one after the other.
    """

    def __init__(self, env_id: str, *closes: Callable[[], object]):
        self.env_id, self.closes = env_id, closes

    def __call__(self) -> None:
        closes, self.closes = self.closes, ()
        for close in closes:
            try:
                close()
            except UNTOUCHED:
                raise
            except BaseException as error:  # what has been played stands
                said = f"closing {self.env_id} failed: {described(error)}"
                if said not in TOLD:
                    TOLD.add(said)
                    warn(said)
