"""The curves' colours: each stands out from a light page and from a dark one."""

from __future__ import annotations

from collections.abc import Iterable

from triptych.frameworks import FRAMEWORKS

FRAMEWORK = {name: framework.colour for name, framework in FRAMEWORKS.items()}
# For what is no framework, or a framework's second curve. Told apart by colour-blind readers too, one after the other.
OTHERS = ("#0f8a5f", "#7a68e8", "#9a7b00", "#138a9c", "#cc4b48", "#5a8a1f", "#a06a3c", "#7d8592", "#d1458b", "#8e5bc9")
ALL = (*FRAMEWORK.values(), *OTHERS)
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
# What lies behind a figure, as page.css has it.
LIGHT, DARK = "#ffffff", "#1d2026"
LEAST_CONTRAST = 3.0  # of graphics, by WCAG 2.2, success criterion 1.4.11


def by_name(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name, in their order; after the last one they begin again."""
    return {name: ALL[index % len(ALL)] for index, name in enumerate(dict.fromkeys(names))}


def luminance(colour: str) -> float:
    """The relative luminance of `#rrggbb`, 0 to 1, as WCAG defines it."""
    shares = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21, as WCAG defines it."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def give(frameworks: list[str]) -> list[tuple[str, str]]:
    """A colour and a dash for each curve, by its framework ("": none); no two curves share both.

    The first curve of a framework has the framework's colour, the others have what is left.
    """
    taken = {FRAMEWORK[name] for name in frameworks if name in FRAMEWORK}
    left = [colour for colour in ALL if colour not in taken]
    used: list[str] = []
    free = 0
    found = []
    for name in frameworks:
        if name in FRAMEWORK and FRAMEWORK[name] not in used:
            colour, dash = FRAMEWORK[name], 0
        else:
            colour, dash = left[free % len(left)], free // len(left)
            free += 1
        used.append(colour)
        found.append((colour, DASHES[dash % len(DASHES)]))
    return found
