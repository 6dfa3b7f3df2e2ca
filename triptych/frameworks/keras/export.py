"""A trained policy as a folder that TensorFlow, or whatever serves its models, plays without Triptych."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from triptych.spec import each
from triptych.spec.signature import Signature, arrays_by_name

ABOUT = "triptych.json"  # what the folder says of itself


def write_savedmodel(learner: Any, signature: Signature, path: Path, about: Mapping[str, Any]) -> None:
    """A SavedModel with one signature, `serving_default`, whose arrays are named: `tf.saved_model.load(path)`."""
    module = tf.Module()
    module.weights = [variable.value for variable in learner.online.variables]  # TensorFlow's own: all that is saved

    def step(*flat: Any) -> dict[str, Any]:
        obs, state, started = signature.given(flat)
        if not learner.network.unrolls:
            return dict(zip(signature.outputs, signature.taken(learner.online(obs), None), strict=True))
        if state is None:  # it unrolls, but has no memory
            games = tf.shape(flat[0])[0]
            state, started = tf.zeros((games, 0), learner.precision), tf.zeros((games,), "bool")
        outputs, state = learner.online(each(lambda part: part[None], obs), state, started[None])
        return dict(zip(signature.outputs, signature.taken(outputs[0], state), strict=True))

    shapes = [tf.TensorSpec((None, *slot.shape), slot.dtype, name=slot.name) for slot in signature.inputs]
    module.step = tf.function(step, input_signature=shapes)
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.step})
    (path / ABOUT).write_text(json.dumps(about, sort_keys=True) + "\n", encoding="utf-8")


def open_savedmodel(signature: Signature, path: Path) -> Callable[[Sequence[np.ndarray]], list[np.ndarray]]:
    loaded = tf.saved_model.load(str(path))
    served = loaded.signatures["serving_default"]

    def play(flat: Sequence[np.ndarray]) -> list[np.ndarray]:
        found = served(**{name: tf.constant(array) for name, array in arrays_by_name(signature, flat).items()})
        return [found[name].numpy() for name in signature.outputs]

    play.loaded = loaded  # type: ignore[attr-defined]  # its variables go when nobody holds it
    return play


FORMATS = {"savedmodel": (write_savedmodel, open_savedmodel)}
