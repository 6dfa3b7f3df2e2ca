"""Whether what a game returns is a member of its spaces: taken where the meaning is plain, refused in words where not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from triptych.envs.layout import looks_like


class WrongError(ValueError):
    """What a game returned is not what it says, or not what Gymnasium says: what it is, and what is allowed."""


def wrong(what: str, value: Any, allowed: str) -> WrongError:
    shown = value if isinstance(value, str) else " ".join(repr(value).split())
    return WrongError(f"{what} is {shown if len(shown) <= 80 else shown[:77] + '...'}; allowed: {allowed}")


def number_of(reward: Any) -> float:
    """A reward as a float: a number of any type, or an array of one."""
    if isinstance(reward, float | int):
        return float(reward)
    array = as_array(reward, "its reward", "a number")
    if array.size != 1 or array.dtype.kind not in "biuf":
        raise wrong("its reward", reward, "a number")
    return float(array.reshape(()))


def flag_of(value: Any, name: str) -> bool:
    """`terminated` or `truncated` as a bool."""
    if isinstance(value, bool):
        return value
    array = as_array(value, f"its {name}", "True or False")
    if array.size != 1 or array.dtype.kind not in "biuf":
        raise wrong(f"its {name}", value, "True or False")
    return bool(array.reshape(()))


def as_array(value: Any, what: str, allowed: str) -> np.ndarray:
    try:
        array = np.asarray(value)
        return array.astype(np.float64) if array.dtype == object and value is not None else array  # Decimals, say
    except (TypeError, ValueError, RuntimeError, OverflowError):  # ragged lists, strings, tensors on a device
        raise wrong(what, value, allowed) from None


def taken(space: spaces.Space, value: Any, bright: set[str] | None = None, name: str = "") -> Any:
    """An observation as its space has it: arrays of its shape and dtype, in a dict or a tuple where it says so.

    Args:
        bright: which pictures have shown a number above 1, in words; those that do are added; None: nobody asks.

    Raises:
        WrongError: it is not in the space. Numbers beyond the bounds of a Box pass; `beyond` tells them.
    """
    if type(space) is spaces.Box and type(value) is np.ndarray and value.dtype == space.dtype and value.shape == space.shape:  # fmt: skip
        return value  # nearly always
    what = f"its observation {name}".strip()
    if isinstance(space, spaces.Dict):
        if not isinstance(value, Mapping) or not space.spaces.keys() <= value.keys():
            held = sorted(map(str, value)) if isinstance(value, Mapping) else type(value).__name__
            raise wrong(what, str(held), f"a dict of {', '.join(map(str, space.spaces))}, as its space says")
        return {key: taken(child, value[key], bright, joined(name, key)) for key, child in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        if not isinstance(value, tuple | list) or len(value) != len(space.spaces):
            raise wrong(what, value, f"a tuple of {len(space.spaces)}, as its space says")
        return tuple(
            taken(child, held, bright, joined(name, i))
            for i, (child, held) in enumerate(zip(space.spaces, value, strict=True))
        )
    if isinstance(space, spaces.Discrete):
        return choice(space, value, what)
    if isinstance(space, spaces.Box | spaces.MultiDiscrete | spaces.MultiBinary):
        return numbers(space, value, what, bright)
    return value


def joined(name: str, key: Any) -> str:
    return f"{name}.{key}" if name else str(key)


def choice(space: spaces.Discrete, value: Any, what: str) -> np.int64:
    array = as_array(value, what, f"one of {space}")
    start, end = int(space.start), int(space.start + space.n)
    if array.size != 1 or array.dtype.kind not in "biuf" or not start <= array.reshape(()) < end or array % 1:
        raise wrong(what, value, f"a whole number from {start} to {end - 1}, as its space {space} says")
    return np.int64(array.reshape(()))


def numbers(space: Any, value: Any, what: str, bright: set[str] | None) -> np.ndarray:
    """An array of a space's shape and dtype."""
    array, dtype = as_array(value, what, f"numbers of the shape {space.shape}"), space.dtype
    if array.dtype == dtype and array.shape == space.shape and isinstance(space, spaces.Box):
        return array
    if array.dtype.kind not in "biuf":
        raise wrong(what, value, f"numbers of the shape {space.shape}")
    if array.shape != space.shape:
        if array.size != 1 or space.shape not in ((), (1,)):
            raise wrong(f"the shape of {what}", array.shape, f"{space.shape}, as its space says")
        array = array.reshape(space.shape)
    if dtype.kind in "iu" and array.dtype.kind == "f":
        check_whole(space, array, what, bright)
    elif dtype.kind in "iu" and array.size and array.dtype.kind != "b":
        limits = np.iinfo(dtype)
        if int(array.min()) < limits.min or int(array.max()) > limits.max:
            raise wrong(what, f"{array.min()} to {array.max()}", f"what {dtype} of its space holds")
    if not isinstance(space, spaces.Box):
        check_choices(space, array, what)
    with np.errstate(over="ignore"):  # too large a number becomes infinite, which is told
        return array.astype(dtype)


def check_whole(space: spaces.Space, array: np.ndarray, what: str, bright: set[str] | None) -> None:
    """Refuses floats where the space says whole numbers, but for whole ones, and a picture of 0 to 1 that calls itself one of bytes.

    A picture's floats of 0 to 255 are cut to bytes, whether or not they are whole.
    """
    if not np.isfinite(array).all():
        raise wrong(what, "not finite", f"whole numbers, as its space says {space.dtype}")
    low, high = array.min(initial=0), array.max(initial=0)
    pixels = looks_like(space)
    if bright is not None and high > 1:
        bright.add(what)
    elif bright is not None and what not in bright and pixels and high > 0 and box_high(space) > 1:
        scaled = f"a space that says so (Box(0, 1, {space.shape}, np.float32)), or numbers up to {box_high(space):g}"
        raise wrong(what, f"0 to {high:g} in {array.dtype} where its space says {space.dtype}: a black picture", scaled)
    if not pixels and (array % 1).any():
        raise wrong(
            f"a number of {what}", f"{array[array % 1 != 0].flat[0]:g}", f"whole ones, as its space says {space.dtype}"
        )
    limits = np.iinfo(space.dtype)  # type: ignore[arg-type, type-var]
    if low < limits.min or high > limits.max:
        raise wrong(what, f"{low:g} to {high:g}", f"what {space.dtype} of its space holds")


def box_high(space: spaces.Space) -> float:
    return float(space.high.flat[0]) if isinstance(space, spaces.Box) else 1.0


def check_choices(space: Any, array: np.ndarray, what: str) -> None:
    """Refuses what a MultiDiscrete or MultiBinary does not have."""
    binary = isinstance(space, spaces.MultiBinary)
    first = np.zeros(space.shape) if binary else space.start
    last = first + 1 if binary else space.start + space.nvec - 1
    if (array < first).any() or (array > last).any():
        raise wrong(what, array.tolist(), f"what its space {space} holds")


def leaves_of(space: spaces.Space, value: Any, name: str = "") -> Iterator[tuple[str, spaces.Space, Any]]:
    """Each array of an observation that was `taken`, with its name and space."""
    if isinstance(space, spaces.Dict):
        for key, child in space.spaces.items():
            yield from leaves_of(child, value[key], joined(name, key))
    elif isinstance(space, spaces.Tuple):
        for index, child in enumerate(space.spaces):
            yield from leaves_of(child, value[index], joined(name, index))
    else:
        yield name, space, value


def not_finite(space: spaces.Space, obs: Any) -> str:
    """What of an observation is NaN or infinite, in words; '' where all is finite."""
    if isinstance(obs, np.ndarray) and (obs.dtype.kind != "f" or np.isfinite(obs).all()):
        return ""
    for name, _, array in leaves_of(space, obs):
        if isinstance(array, np.ndarray) and array.dtype.kind == "f" and not np.isfinite(array).all():
            return f"the observation {name}".strip() + f" holds {float(array[~np.isfinite(array)].flat[0])}"
    return ""


def beyond(box: spaces.Box, array: np.ndarray) -> str:
    """A number that lies beyond the bounds of its space, and the bounds that it has, in words; ''."""
    if not ((array < box.low).any() or (array > box.high).any()):
        return ""
    place = int(np.flatnonzero((array < box.low) | (array > box.high))[0])
    return f"{array.flat[place]:g}, and its space says {box.low.flat[place]:g} to {box.high.flat[place]:g}"


def parts(space: spaces.Space, name: str = "") -> Iterator[tuple[str, spaces.Space]]:
    """The leaves of a space, with their names."""
    if isinstance(space, spaces.Dict | spaces.Tuple):
        held = space.spaces.items() if isinstance(space, spaces.Dict) else enumerate(space.spaces)
        for key, child in held:
            yield from parts(child, joined(name, key))
    else:
        yield name, space


def is_bounded(box: spaces.Box) -> bool:
    """Whether numbers of its dtype can lie beyond it."""
    whole = np.iinfo(box.dtype) if box.dtype.kind in "iu" else None  # type: ignore[arg-type, type-var, union-attr]
    low, high = (-np.inf, np.inf) if whole is None else (whole.min, whole.max)
    return bool((box.low > low).any() or (box.high < high).any())
