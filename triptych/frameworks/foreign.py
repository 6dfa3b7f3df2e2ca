"""Tensors of files that others wrote. Nothing in them is unpickled: no code of theirs runs."""

from __future__ import annotations

import io
import pickle

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
    return {name: as_numpy(tensor) for name, tensor in found.items()}


def as_numpy(tensor: object) -> np.ndarray:
    """A tensor as NumPy has it; bfloat16, which NumPy has not, as float32."""
    import torch

    assert isinstance(tensor, torch.Tensor)
    tensor = tensor.detach()
    found: np.ndarray = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
    return found
