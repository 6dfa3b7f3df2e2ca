"""Faults in files: what a bad disk, a torn write, an editor or a stranger makes of them."""

from __future__ import annotations

import copy
import json
import struct
from collections.abc import Callable
from random import Random
from typing import Any

from triptych.utils.checks import InputError

ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**63, 10**30, -(10**30), 0.5, -0.0, 1e308, float("nan"), float("inf"), "", "x", "nan", "0",
    "../../home", "\x1b[2J\r\n", "\ud800", "\0", "x" * 100_000, "torch", "CartPole-v1", [], [[]], [1] * 1_000, ["x"], {}, {"kind": "x"},
    {"": {}}, [None], "steps", [1, "steps"], "module:name", "7" * 5_000,
)  # fmt: skip
NAMES = ("kind", "id", "", "x" * 1_000, "\x1b[31m", "steps", "__class__", "network", "\ud800")


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path in nested JSON, that of the whole among them."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path, *(place for key, value in pairs for place in places(value, (*path, key)))]


def mutated_tree(tree: Any, rng: Random) -> Any:
    """The same with one place changed: another value, another type, a part of the tree elsewhere, a field gone, a field more."""
    tree = copy.deepcopy(tree)
    path = rng.choice(places(tree))
    if not path:
        return rng.choice(ODD) if rng.random() < 0.1 else tree | {rng.choice(NAMES): rng.choice(ODD)}
    parent = at(tree, path[:-1])
    value, key = parent[path[-1]], path[-1]
    how = rng.randrange(6)
    if how == 0:
        del parent[key]
    elif how == 1:
        parent[key] = copy.deepcopy(at(tree, rng.choice(places(tree))))
    elif how == 2 and isinstance(value, int | float):
        parent[key] = rng.choice([value + 1, -value, value * 10**9, value / 3, str(value), [value]])
    elif how == 3 and isinstance(parent, dict):
        parent[rng.choice(NAMES)] = parent.pop(key)
    else:
        parent[key] = rng.choice(ODD)
    return tree


def at(tree: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def mutated_json(content: bytes, rng: Random) -> bytes:
    """JSON still, with faults in one to three places."""
    tree = json.loads(content)
    for _ in range(rng.randint(1, 3)):
        tree = mutated_tree(tree, rng) if isinstance(tree, dict) else tree
    return json.dumps(tree).encode()


def mutated_bytes(content: bytes, rng: Random) -> bytes:
    """Flipped bits, a torn end, a piece of noise, a piece twice, what no text is."""
    found = bytearray(content)
    spot = rng.randrange(len(found) + 1)
    how = rng.randrange(7)
    if how == 0:
        for _ in range(rng.randint(1, 8)):
            found[rng.randrange(len(found))] ^= 1 << rng.randrange(8)
    elif how == 1:
        del found[spot:]
    elif how == 2:
        found[spot : spot + rng.randint(0, 20)] = rng.randbytes(rng.randint(1, 20))
    elif how == 3:
        found[spot:spot] = found[max(0, spot - 50) : spot]
    elif how == 4:
        found[spot:spot] = rng.choice(
            [
                b"\xff\xfe",
                b"[" * 3_000,
                b'{"a":' * 2_000,
                b"\0",
                b"1" * 6_000,
                b'"',
                b"\n",
                b",,,,",
                b"NaN",
                b"\xef\xbb\xbf",
            ]
        )
    elif how == 5:
        found = bytearray(rng.randbytes(rng.randint(0, 300)))
    else:
        found[:0] = rng.choice([b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f\x8b", b"\n\n", b"#"])
    return bytes(found)


def mutated_csv(content: bytes, rng: Random) -> bytes:
    """A table still, with faults in one to three fields."""
    rows = [line.split(",") for line in content.decode().splitlines()]
    for _ in range(rng.randint(1, 3)):
        row = rng.choice(rows)
        place = rng.randrange(len(row) + 1)
        odd = rng.choice(
            ["", "x", "nan", "inf", "-1", "1e400", "9" * 400, '"', "\x1b[2J", "1.5", "0x10", "é", " 7 ", "1_000"]
        )
        row[place : place + rng.randint(0, 1)] = [odd]
    return "\n".join(",".join(row) for row in rows).encode() + b"\n" * rng.randint(0, 1)


def mutated_tensors(content: bytes, rng: Random) -> bytes:
    """A safetensors file whose header is JSON still, or whose numbers are others."""
    size = struct.unpack("<Q", content[:8])[0]
    header, body = json.loads(content[8 : 8 + size]), bytearray(content[8 + size :])
    how = rng.randrange(4)
    if how == 0 and body:
        spot = rng.randrange(len(body)) // 4 * 4
        body[spot : spot + 4] = rng.choice(
            [b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\xff\xff\x7f\x7f"]
        )  # NaN, infinity, the largest
    elif how == 1:
        name = rng.choice(list(header))
        header[name]["dtype"] = rng.choice(["F32", "I32", "U32", "F64", "BOOL", "BF16", "F8_E4M3", "I64", "x"])
    elif how == 2 and "__metadata__" in header:
        text = header["__metadata__"].get("triptych", "{}").encode()
        mutate = rng.choice([mutated_json, mutated_bytes])
        header["__metadata__"]["triptych"] = mutate(text, rng).decode("utf-8", errors="replace")
    else:
        header = mutated_tree(header, rng)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(body)


MUTATORS: dict[str, Callable[[bytes, Random], bytes]] = {
    ".json": mutated_json, ".csv": mutated_csv, ".safetensors": mutated_tensors,
}  # fmt: skip


def mutated(name: str, content: bytes, rng: Random) -> bytes:
    """A fault in a file of that name: of its content in two of three cases, else of its bytes."""
    suffix = name[name.rfind(".") :]
    return MUTATORS[suffix](content, rng) if rng.random() < 0.67 else mutated_bytes(content, rng)


def outcome(read: Callable[[], Any]) -> str:
    """`""` where there was an answer, else the line that was said. Anything else fails the test that asks."""
    try:
        read()
    except InputError as error:
        line = str(error)
        assert line, "an error says something"
        assert len(line) < 500, line
        assert line.isprintable(), line
        return line
    return ""
