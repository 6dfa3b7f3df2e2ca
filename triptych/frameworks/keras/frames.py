"""A replay's single frames on the device, in TensorFlow."""

from __future__ import annotations

import tensorflow as tf


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
