"""What tyro says of wrong arguments, as one line."""

from __future__ import annotations

import re


def one_line(box: str) -> str:
    """The message of tyro's error box, without its frame and its hints."""
    lines: list[str] = []
    rows = [row.strip().strip("│╰╯").strip() for row in re.sub(r"\x1b\[[0-9;]*m", "", box).splitlines()]
    if not any(row.startswith("╭") for row in rows):  # an encoding without frames: a title, and a rule below it
        rows = rows[next((index for index, row in enumerate(rows) if is_rule(row)), -1) + 1 :]
    for row in rows:
        if is_rule(row):
            break
        if not row.startswith("╭"):
            lines.append(row)
    text = " ".join(filter(None, lines))
    number = re.match(
        r"Error parsing (--[\w.-]+): (?:invalid literal for (int)\(\).*|could not convert .*): ('.*')", text
    )
    if number:
        return f"{number[1]} is {number[3]}; allowed: a {'whole ' if number[2] else ''}number"
    union = re.match(r"Error parsing (--[\w.-]+): no type matching (.+?) could be instantiated from (\[.*?\])", text)
    if union:
        return f"{union[1]} is {union[3]}; allowed: {union[2].replace('{None}', 'None').replace('|', ' or ')}"
    several = re.match(
        r"Error parsing (--[\w.-]+): Could not parse arguments (\[.*?\]) into tuple type \w+\.Tuple\[(.*)\]", text
    )
    if several:
        return f"{several[1]} is {several[2]}; allowed: {several[3]}, with spaces between them"
    # A field's own check says what is wrong; where tyro met it is no help.
    return re.sub(r"^Error parsing recipe[\w.]*: ", "", text)


def is_rule(row: str) -> bool:
    return bool(row) and set(row) <= {"─", "-"}
