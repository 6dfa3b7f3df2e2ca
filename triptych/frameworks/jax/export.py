"""A trained policy as a file that JAX, or whatever runs StableHLO, plays without Triptych."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import export

from triptych.spec import each
from triptych.spec.signature import Signature


def write_stablehlo(learner: Any, signature: Signature, path: Path, about: Mapping[str, Any]) -> None:
    """A compiled step for any number of games, on a processor or a GPU: `jax.export.deserialize(bytes).call(observation)`.

    The bytes hold the program as StableHLO (`.mlir_module_serialized`) and the types of what goes in and out.
    """

    def step(*flat: Any) -> tuple[Any, ...]:
        obs, state, started = signature.given(flat)
        if state is None:
            return signature.taken(learner.net.apply({"params": learner.online}, obs), None)
        given = (each(lambda part: part[None], obs), state, started[None])
        outputs, state = learner.net.apply({"params": learner.online}, *given)
        return signature.taken(outputs[0], state)

    (games,) = export.symbolic_shape("games")
    shapes = [jax.ShapeDtypeStruct((games, *slot.shape), slot.dtype) for slot in signature.inputs]
    path.write_bytes(export.export(jax.jit(step), platforms=("cpu", "cuda"))(*shapes).serialize())


def open_stablehlo(signature: Signature, path: Path) -> Callable[[Sequence[np.ndarray]], list[np.ndarray]]:
    call = jax.jit(export.deserialize(bytearray(path.read_bytes())).call)
    return lambda flat: [np.asarray(output) for output in call(*flat)]


FORMATS = {"stablehlo": (write_stablehlo, open_stablehlo)}
