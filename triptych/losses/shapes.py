"""What the losses demand of their arrays, checked where they are handed over."""

from __future__ import annotations

from triptych.spec.batches import Array

KINDS = {"float": ("float", "bfloat"), "int": ("int", "uint"), "bool": ("bool",), "any": ("",)}  # how dtypes begin
MET = set[tuple[object, ...]]()  # demands with the shapes and dtypes that met them: an eager step brings the same few


def check_arrays(**arrays: tuple[Array, str, str]) -> None:
    """Checks ranks, axes and dtypes; what does not fit would broadcast or be promoted, and nobody would notice.

    Reads shapes and dtypes only: in a compiled step it costs nothing once that is traced, else a microsecond an array.

    Args:
        arrays: by name, any framework's array (of observations of several parts a dict of them), its axes, and what it
            holds: "float", "int", "bool" or "any".
            Axes are a letter each ("TB"), and "..." where more may follow; axes of one letter are equally long. "*"
            stands for any axes, the same in all arrays that say so. All floats are of one dtype.

    Raises:
        ValueError: one does not fit; the message names it, and the array that it does not agree with.
    """
    demand = tuple(
        [
            (f"{name}/{part}" if part else name, axes, kind, one.shape, one.dtype)
            for name, (array, axes, kind) in arrays.items()
            for part, one in (array.items() if isinstance(array, dict) else (("", array),))
        ]
    )
    if demand in MET:
        return
    known: dict[str, tuple[str, object]] = {}  # an axis' length, the shape, the dtype: who had it first, what it is
    for name, axes, kind, size, dtype in demand:
        shape, held = tuple(size), str(getattr(dtype, "name", dtype)).removeprefix("torch.")
        if not held.startswith(KINDS[kind]):
            raise ValueError(f"{name} has dtype {held}; expected {kind}")
        letters = axes.removesuffix("...")
        if axes != "*" and (len(shape) < len(letters) or (letters == axes and len(shape) > len(letters))):
            raise ValueError(f"{name} has shape {shape}; expected [{', '.join(letters)}{axes[len(letters) :]}]")
        facts: list[tuple[str, object]] = [("shape", shape)] if axes == "*" else list(zip(letters, shape, strict=False))
        for what, found in [*facts, *([("dtype", held)] if kind == "float" else [])]:
            other, expected = known.setdefault(what, (name, found))
            if found != expected:
                raise ValueError(
                    f"{name} has shape {shape} and dtype {held}: {what} is {found}, but {expected} in {other}"
                )
    MET.add(demand)


def steps_of(obs: Array, start: int, end: int | None = None) -> Array:
    """The observations [T, B, ...] from step `start` until before step `end`; where they have several parts, of each part."""
    if start == 0 and end is None:
        return obs  # as it is: who asks twice gets the same array
    return {name: part[start:end] for name, part in obs.items()} if isinstance(obs, dict) else obs[start:end]
