"""What `--help` says: every flag is explained, in words of its own."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from triptych.cli.flags import flags_of, listed
from triptych.cli.main import COMMANDS
from triptych.cli.parse import takes_recipe
from triptych.recipes import BUILT_IN, load_recipe


def helped(command: Any, recipe: str) -> list[Any]:
    return listed(flags_of(command, load_recipe(recipe) if takes_recipe(command) else None), lambda flag: True)


@pytest.mark.parametrize("recipe", sorted(BUILT_IN))
def test_every_flag_is_explained(recipe: str) -> None:
    for name, command in COMMANDS.items():
        assert [flag.name for flag in helped(command, recipe) if not flag.help.strip()] == [], name


@pytest.mark.parametrize("name", COMMANDS)
def test_no_flag_is_explained_by_the_words_of_another(name: str) -> None:
    """A comment that slips from its field would become the help of the next one."""
    often = Counter(flag.help for flag in helped(COMMANDS[name], "cartpole") if not flag.name.startswith("network."))
    assert [text for text, times in often.items() if times > 1] == []
