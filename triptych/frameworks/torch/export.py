"""A trained policy as a file that PyTorch, or an ONNX runtime, plays without Triptych."""

from __future__ import annotations

import copy
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from triptych.spec import each
from triptych.spec.signature import Signature, arrays_by_name
from triptych.utils.install import check_package

ABOUT = "triptych.json"  # what a TorchScript file says of itself


class Step(nn.Module):
    """A network on one step of N games, with arrays in and out in the order of the signature."""

    def __init__(self, learner: Any, signature: Signature):
        super().__init__()
        self.signature = signature
        self.network = copy.deepcopy(learner.online).cpu().requires_grad_(False).eval()

    def forward(self, *flat: Tensor) -> tuple[Tensor, ...]:
        obs, state, started = self.signature.given(flat)
        if state is None:
            return self.signature.taken(self.network.through(obs, None, None)[0], None)
        outputs, state = self.network(each(lambda part: part[None], obs), state, started[None])
        return self.signature.taken(outputs[0], state)


def example(signature: Signature) -> tuple[Tensor, ...]:
    """Arrays of two games, as the exporters want to see."""
    return tuple(torch.zeros((2, *slot.shape), dtype=getattr(torch, slot.dtype)) for slot in signature.inputs)


@contextmanager
def without_notes() -> Iterator[None]:
    """Both exporters say at length what they are to become and what they keep as a constant."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def write_torchscript(learner: Any, signature: Signature, path: Path, about: Mapping[str, Any]) -> None:
    """A traced module: `torch.jit.load(path)(observation)`."""
    with without_notes():
        traced = torch.jit.trace(Step(learner, signature), example(signature), check_trace=False)
        torch.jit.save(traced, str(path), _extra_files={ABOUT: json.dumps(about, sort_keys=True)})


def open_torchscript(signature: Signature, path: Path) -> Callable[[Sequence[np.ndarray]], list[np.ndarray]]:
    with without_notes():
        module = torch.jit.load(str(path))

    def play(flat: Sequence[np.ndarray]) -> list[np.ndarray]:
        with without_notes():
            return [output.numpy() for output in module(*map(torch.from_numpy, flat))]

    return play


def write_onnx(learner: Any, signature: Signature, path: Path, about: Mapping[str, Any]) -> None:
    """An ONNX graph with its weights in the one file; each array's first axis may be of any length.

    Raises:
        InputError: a package that writes it is not there.
    """
    for package in ("onnx", "onnxscript"):
        check_package(package, "onnx", "an ONNX file")
    games = torch.export.Dim("games")
    with without_notes():
        program = torch.onnx.export(
            Step(learner, signature),
            example(signature),
            dynamo=True,
            input_names=[slot.name for slot in signature.inputs],
            output_names=list(signature.outputs),
            dynamic_shapes=(tuple({0: games} for _ in signature.inputs),),
            verbose=False,
        )
    assert program is not None  # it is where an exported program is asked for
    program.model.metadata_props["triptych"] = json.dumps(about, sort_keys=True)
    program.save(str(path), external_data=False)


def open_onnx(signature: Signature, path: Path) -> Callable[[Sequence[np.ndarray]], list[np.ndarray]]:
    check_package("onnxruntime", "onnx", "playing an ONNX file")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda flat: session.run(list(signature.outputs), dict(arrays_by_name(signature, flat)))


FORMATS = {"torchscript": (write_torchscript, open_torchscript), "onnx": (write_onnx, open_onnx)}
