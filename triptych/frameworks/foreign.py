"""Tensors of files that others wrote. Nothing in them is unpickled: no code of theirs runs."""

from __future__ import annotations

import io
import pickle
import warnings

import msgspec
import numpy as np

from triptych.utils.checks import InputError
from triptych.utils.install import check_package


def read_torch(content: bytes, where: str) -> dict[str, np.ndarray]:
    """The tensors of a state dict that `torch.save` wrote, by name.

    PyTorch's own restricted reader builds tensors and plain containers alone, and refuses whatever else a pickle names.

    Raises:
        InputError: it is damaged, holds something else, or names code to run; or PyTorch is not installed.
    """
    check_package("torch", "torch", "a file of PyTorch's")
    import torch

    try:
        with warnings.catch_warnings(
            action="ignore"
        ):  # PyTorch's of a pickle that it did not write; refused or not, our line says
            found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:  # PyTorch says the same of a pickle that names code and of one that is none
        raise InputError(
            f"{where} is damaged, no file of PyTorch's, or holds more than tensors, which may be code; allowed: a state dict of tensors"
        ) from None
    except Exception as error:  # whatever a damaged file makes of PyTorch's reader
        reason = str(error).strip().split("\n")[0]
        raise InputError(
            f"{where} is damaged, or no file of PyTorch's ({reason}); allowed: a state dict of tensors"
        ) from None
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise InputError(f"{where} holds no tensors by name; allowed: a state dict of tensors")
    others = [name for name, tensor in found.items() if not isinstance(tensor, torch.Tensor)]
    if others:
        raise InputError(f"{where} holds {others[0]}, which is no tensor; allowed: a state dict of tensors")
    return {name: as_numpy(tensor, f"{where}: tensor {name}") for name, tensor in found.items()}


def as_numpy(tensor: object, what: str) -> np.ndarray:
    """A tensor as NumPy has it; bfloat16, which NumPy has not, as float32.

    Raises:
        InputError: it is of a kind that NumPy has not, such as a sparse one or one of float8.
    """
    import torch

    assert isinstance(tensor, torch.Tensor)
    tensor = tensor.detach()
    try:
        found: np.ndarray = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
    except (TypeError, RuntimeError, NotImplementedError):
        kind = f"{tensor.dtype}, {tensor.layout}, on {tensor.device.type}".replace("torch.", "")
        raise InputError(f"{what} is of a kind that NumPy has not ({kind}); allowed: dense float32, float64 or bfloat16") from None  # fmt: skip
    return found


def read_flax(content: bytes, where: str) -> dict[str, np.ndarray]:
    """The arrays of a tree that `flax.serialization.to_bytes` wrote, by their path (`params/Dense_0/kernel`).

    Words and numbers beside them are left out, as CleanRL puts its arguments there. The tree is MessagePack with arrays as extensions, which needs no Flax to read and can hold no code.

    Raises:
        InputError: it is damaged, or no such tree.
    """
    try:
        found = flat(msgspec.msgpack.decode(content, ext_hook=array_of))
        if not found:
            raise ValueError("it holds no array")
        return found
    except (msgspec.DecodeError, ValueError, TypeError, RecursionError) as error:
        reason = str(error).split("\n")[0]
        raise InputError(f"{where} is no tree of arrays of Flax's ({reason}); allowed: what to_bytes wrote") from None


def array_of(code: int, data: memoryview) -> np.ndarray:
    """An array, or NumPy's number, of Flax's extensions 1 and 3: shape, dtype and bytes. 2 is a complex number."""
    if code not in (1, 3):
        raise ValueError(f"extension {code}")
    shape, dtype, content = msgspec.msgpack.decode(data, type=tuple[tuple[int, ...], str, bytes])
    if np.dtype(dtype).hasobject:
        raise ValueError(f"arrays of {dtype}")
    return np.frombuffer(content, dtype).reshape(shape)


def flat(tree: object, before: str = "") -> dict[str, np.ndarray]:
    """The arrays of a tree of dicts by path."""
    if isinstance(tree, np.ndarray):
        return {before: tree}
    if before and (tree is None or isinstance(tree, str | bool | int | float)):
        return {}
    if not isinstance(tree, dict):
        raise ValueError(f"{before or 'the whole'} is a {type(tree).__name__}")
    found: dict[str, np.ndarray] = {}
    for name, branch in tree.items():
        found |= flat(branch, f"{before}/{name}" if before else str(name))
    return found
