"""JSON that may be anybody's: bytes to plain values, and plain values to the types that they should be of.

Whatever stands in a file, its reader gets what its types say, or an `InputError` that names the place.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from triptych.utils.checks import InputError, hint_of, shown

MOST_BYTES = 100_000_000  # of a file; ours have some kB, those of checkpoints a few MB
MOST_DEPTH = 64  # of lists and objects in each other
MOST_DIGITS = 40  # of a whole number; a generator's state has 39
AS_LEFT = "the file as triptych left it"

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]  # of steps, updates, bytes
Finite = Annotated[float, msgspec.Meta(ge=-1.7e308, le=1.7e308)]

WORDS = {
    "int": "a whole number", "float": "a number", "bool": "true or false", "str": "text", "null": "null",
    "array": "a list", "object": "an object with named fields",
}  # fmt: skip


def read_json(path: Path, kind: Any = Any, any_text: bool = False) -> Any:
    """What a JSON file holds, as `kind`: a dataclass, a TypedDict, `list[float]`, and so on.

    Args:
        any_text: its texts may hold any character, as what users' callbacks keep; they are never printed.

    Raises:
        InputError: there is no such file, it is no JSON, or something in it is of another type; the line names it.
    """
    return typed(parse_json(content_of(path), path, any_text), kind, path)


def content_of(path: Path) -> bytes:
    """The bytes of a file; a device or a pipe, which may never end, is none."""
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is no file; allowed: {AS_LEFT}")
        with open(path, "rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a path that no system has
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read ({reason}); allowed: {AS_LEFT}") from None
    if len(content) > MOST_BYTES:
        raise InputError(f"{path} is longer than {MOST_BYTES / 1e6:.0f} MB; allowed: {AS_LEFT}")
    return content


def parse_json(content: bytes | str, where: Any, any_text: bool = False) -> Any:
    """The plain values of a JSON text. NaN and Infinity pass, since older versions wrote them; a byte-order mark does.

    Raises:
        InputError: it is no JSON, or has what no file of ours has: a name twice, a number of 100 digits, half a character.
    """
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
        found = json.loads(text, object_pairs_hook=each_once, parse_int=whole)
        check_tree(found, any_text)
    except (ValueError, RecursionError) as error:
        reason = "lists or objects too deep in each other" if isinstance(error, RecursionError) else error
        raise InputError(f"{where} cannot be read ({reason}); allowed: {AS_LEFT}") from None
    return found


def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{shown(next(name for name in names if names.count(name) > 1))} is there twice")
    return found


def whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError(f"a number has {len(text)} digits")
    return int(text)


def check_tree(found: Any, any_text: bool) -> None:
    """Refuses what would fail later: nesting that exhausts the stack, text that no path can hold or that a terminal obeys."""
    layer: list[Any] = [found]
    for _ in range(MOST_DEPTH):
        texts = [one for one in layer if isinstance(one, str)]
        if not all(not re.search(f"[{HALF}]", text) if any_text else is_text(text) for text in texts):
            raise ValueError("a text holds a character that none may have")
        layer = [item for one in layer for item in inside(one)]
        if not layer:
            return
    raise ValueError("lists or objects too deep in each other")


def inside(one: Any) -> Iterable[Any]:
    return (*one, *one.values()) if isinstance(one, dict) else one if isinstance(one, list) else ()


HALF = r"\ud800-\udfff"  # of a surrogate pair: no encoding has it
OBEYED = re.compile(rf"[\0-\x08\x0b-\x1f\x7f-\x9f{HALF}]")  # by a terminal, but for tab and line end


def is_text(text: str) -> bool:
    """Whether a text can stand in a path, a page and a terminal."""
    return text.isprintable() or OBEYED.search(text) is None


def typed(content: Any, kind: Any, file: Any, at: str = "", strict: bool = True) -> Any:
    """Plain values as what `kind` says.

    Args:
        file: what the error begins with.
        at: where in the file they stand: `recipe.algorithm`.
        strict: False: a text may stand for a number, as in a CSV file.

    Raises:
        InputError: something is of another type, or missing.
    """
    try:
        return msgspec.convert(content, kind, strict=strict)
    except msgspec.ValidationError as error:
        raise InputError(f"{file}: {told(str(error), content, at)}") from None


def told(said: str, content: Any, at: str) -> str:
    """msgspec's words in ours: `recipe.steps is 'x'; allowed: a whole number`."""
    said, _, found = said.partition(" - at `$")
    path = found.rstrip("`")
    missing = re.search(r"missing required field `(.*)`", said)
    if missing:
        return f"{joined(at, path, '.' + missing[1])} is missing; allowed: {AS_LEFT}"
    wanted = re.match(r"Expected (.*?)(, got .*)?$", said)
    allowed = re.sub(r"`([^`]*)`", in_words, wanted[1]) if wanted else said
    value = value_at(content, path)
    return f"{joined(at, path) or 'all of it'} is {'another' if value is None else shown(value[0])}; allowed: {allowed}"


def joined(*parts: str) -> str:
    return "".join(parts).lstrip(".")


def in_words(match: re.Match[str]) -> str:
    return " or ".join(WORDS.get(kind, kind) for kind in match[1].split(" | "))


def value_at(content: Any, path: str) -> tuple[Any] | None:
    """What stands at `.a.b[0]`; None where the path does not say, as for the values of a dict."""
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        try:
            content = content[int(index)] if index else content[name]
        except (LookupError, TypeError):
            return None
    return (content,)


def build(kind: Any, content: Any, file: Any, at: str, made: Mapping[str, Any] | None = None) -> Any:
    """A frozen dataclass of settings, from the object that holds its fields.

    Values stay as they were written (a 1 for a float is no 1.0), but for lists, which become tuples.

    Args:
        file: what the error begins with.
        at: where in the file it stands: `recipe.algorithm`.
        made: fields that are made already.

    Raises:
        InputError: a field is unknown, missing, of another type or not allowed; the line names it.
    """
    given = typed(content, dict[str, Any], file, at)
    values = dict(made or {})
    known = {field.name: field for field in dataclasses.fields(kind) if field.init}
    for name, value in given.items():
        if name not in known:
            raise InputError(f"{file}: {at} has {shown(name)}; allowed: {', '.join(known)}")
        values[name] = setting(value, hint_of(kind, name), file, f"{at}.{name}")
    for name, field in known.items():
        if name not in values and field.default is field.default_factory is dataclasses.MISSING:
            raise InputError(f"{file}: {at}.{name} is missing; allowed: {AS_LEFT}")
    try:
        return kind(**values)
    except InputError as error:
        raise InputError(f"{file}: {at}.{error}") from None
    except Exception as error:  # whatever a class of the user's own raises
        raise InputError(
            f"{file}: {at}: {type(error).__name__}: {error}; allowed: what {kind.__name__} takes"
        ) from None


def setting(value: Any, hint: Any, file: Any, at: str) -> Any:
    """A field's value, held to its type; one whose type msgspec does not know is left to its class."""
    plain = tuple(value) if isinstance(value, list) else value
    try:
        found = typed(value, hint, file, at)
    except TypeError:
        return plain
    return plain if plain == found else found
