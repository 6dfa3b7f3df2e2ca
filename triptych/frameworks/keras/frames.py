"""A replay's single frames on the device, in TensorFlow."""

from __future__ import annotations

import tensorflow as tf

from triptych import frameworks
from triptych.utils.checks import InputError


def count_gpus() -> int:
    return len(tf.config.list_physical_devices("GPU"))


def find_device() -> tf.config.PhysicalDevice | None:
    """The GPU that the next learner is on, as `frameworks.set_device` was told; None: the processor.

    Raises:
        InputError: this process has used another one: TensorFlow shows or hides a GPU before its first operation alone.
    """
    gpus = tf.config.list_physical_devices("GPU")
    gpu = frameworks.gpu_of(len(gpus))
    wanted = gpus if frameworks.DEVICE == "auto" else [] if gpu is None else [gpus[gpu]]
    if tf.config.get_visible_devices("GPU") != wanted:
        try:
            tf.config.set_visible_devices(wanted, "GPU")
        except RuntimeError:
            allowed = "the device that TensorFlow began with in this process"
            raise InputError(f"device is {frameworks.DEVICE!r}; allowed: {allowed}") from None
    return None if gpu is None else gpus[gpu]


class Frames:
    """See `triptych.frameworks.Frames`."""

    def __init__(self, count: int, shape: tuple[int, ...]):
        try:
            self.array = tf.Variable(tf.zeros((count, *shape), tf.uint8), trainable=False)
        except tf.errors.ResourceExhaustedError as error:
            raise MemoryError(str(error)) from None

    def put(self, start, frames):
        self.array[start : start + len(frames)].assign(frames)

    def get(self, places, blank):
        found = tf.gather(self.array, places)
        kept = tf.cast(tf.logical_not(blank), tf.uint8)
        return found * tf.reshape(kept, (*blank.shape, *[1] * (len(found.shape) - blank.ndim)))

    def numpy(self, places):
        return tf.gather(self.array, places).numpy()
