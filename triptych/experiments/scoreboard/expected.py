"""Which alarms name which mistake, and which are expected of recipes as they were published.

The signals know nothing of this: it is how the scoreboard reads them.
"""

from __future__ import annotations

from triptych.checkup.faults import Fault

# Alarms of recipes that repeat somebody's original settings, which are as odd as the alarm says.
EXPECTED: dict[str, tuple[str, ...]] = {
    "breakout": ("epsilon-floor-early",),  # epsilon is 0.017 already when its learning begins: results/breakout/
}  # by recipe

# By the row of the list of mistakes; a fault that has an entry of its own is named by that as well.
NAMED: dict[str, tuple[str, ...]] = {
    "replay never trains": ("no-updates", "never-trains"),
    "not a number, exploding gradient": ("not-finite",),
}


def names_of(fault: Fault) -> tuple[str, ...]:
    """The signals that name a fault."""
    return (*NAMED.get(fault.row, ()), *NAMED.get(fault.name, ()))
