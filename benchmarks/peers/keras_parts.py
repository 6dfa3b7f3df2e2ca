"""What both of Keras' own peers share: games with Gymnasium's wrappers, the layers, and how many threads TensorFlow may use."""

import json

import ale_py
import gymnasium
import keras
import numpy as np
import tensorflow as tf
from gymnasium.wrappers import AtariPreprocessing, FrameStackObservation, TransformReward

gymnasium.register_envs(ale_py)


def game(env_id: str) -> gymnasium.Env:
    """An Atari game of 84 x 84 grey pixels in stacks of four [4, 84, 84], its rewards cut to their signs."""
    stacked = FrameStackObservation(AtariPreprocessing(gymnasium.make(env_id)), 4)
    return TransformReward(stacked, lambda reward: float(np.sign(reward)))


def body() -> list[keras.Layer]:
    """The layers of Mnih et al. (2015) up to the last: pictures [B, 4, 84, 84] to [B, 512]."""
    layers = keras.layers
    return [
        layers.Permute((2, 3, 1)),
        layers.Rescaling(1 / 255),
        layers.Conv2D(32, 8, strides=4, activation="relu"),
        layers.Conv2D(64, 4, strides=2, activation="relu"),
        layers.Conv2D(64, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(512, activation="relu"),
    ]


def set_threads(threads: int) -> None:
    """As many as ours has, of an operation and beside each other."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def tell(rate: float, **more: object) -> None:
    """Prints the last line, steps/s and versions."""
    versions = {"keras": keras.__version__, "its tensorflow": tf.__version__, "its gymnasium": gymnasium.__version__}
    print(json.dumps({"rate": rate, "versions": versions, **more}))
