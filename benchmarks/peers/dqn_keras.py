"""DQN on Space Invaders as a Keras user would write it, after a tutorial such as keras.io's for Breakout; needs what Triptych needs.

peers/dqn_keras.py NUM_ENVS THREADS WARM_UP STEPS FRAMEWORK tutorial|train-on-batch (NUM_ENVS is 1)

Two models, what was seen in lists, and `model(...)` for each move. `tutorial` asks `predict` for the next values and follows the loss
with a GradientTape, neither compiled by hand; `train-on-batch` asks `predict_on_batch` and leaves the step to `train_on_batch`.
Game, network, batch, updates and exploration are those that the other peers have.
"""

import random
import sys
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras_parts import body, game, set_threads, tell

GAMMA, BATCH, EVERY, COPY_EVERY, KEPT = 0.99, 32, 4, 1_000, 20_000
BEFORE = 400  # steps after the warm-up before the clock starts
Batch = tuple[np.ndarray, ...]  # states, actions, rewards, next states, ends


def network(actions: int) -> keras.Model:
    """Pictures [B, 4, 84, 84] to action values [B, A], compiled for `train_on_batch`."""
    model = keras.Sequential([keras.Input((4, 84, 84)), *body(), keras.layers.Dense(actions)])
    model.compile(optimizer=keras.optimizers.Adam(1e-4), loss=keras.losses.Huber())
    return model


def targets(batch: Batch, next_values: np.ndarray) -> np.ndarray:
    """What the values of the actions taken shall become [B]."""
    _, _, rewards, _, ends = batch
    return rewards + GAMMA * (1 - ends) * next_values.max(axis=1)


def by_tape(model: keras.Model, target: keras.Model, batch: Batch) -> None:
    """An update in the tutorial's way."""
    states, actions, _, next_states, _ = batch
    wanted = targets(batch, target.predict(next_states, verbose=0))
    taken = tf.one_hot(actions, model.output_shape[1])
    with tf.GradientTape() as tape:
        values = tf.reduce_sum(model(states) * taken, axis=1)
        loss = model.loss(wanted, values)
    gradients = tape.gradient(loss, model.trainable_variables)
    model.optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))


def on_batch(model: keras.Model, target: keras.Model, batch: Batch) -> None:
    """An update by `train_on_batch`: the values of actions that were not taken are their own targets."""
    states, actions, _, next_states, _ = batch
    values = model.predict_on_batch(states)
    values[np.arange(len(actions)), actions] = targets(batch, target.predict_on_batch(next_states))
    model.train_on_batch(states, values)


UPDATES: dict[str, Callable[[keras.Model, keras.Model, Batch], None]] = {
    "tutorial": by_tape,
    "train-on-batch": on_batch,
}


def drawn(seen: list[tuple[Any, ...]]) -> Batch:
    return tuple(np.array(part) for part in zip(*random.sample(seen, BATCH), strict=True))


def main(variant: str, threads: int, warm_up: int, steps: int) -> None:
    set_threads(threads)
    env, update = game("SpaceInvadersNoFrameskip-v4"), UPDATES[variant]
    actions = int(env.action_space.n)
    model, target = network(actions), network(actions)
    target.set_weights(model.get_weights())
    seen: list[tuple[Any, ...]] = []
    state, _ = env.reset(seed=0)
    start, last, updates = 0.0, warm_up + BEFORE + steps, 0
    for step in range(1, last + 1):
        epsilon = max(0.01, 1 - 0.99 * step / (0.1 * last))
        if step <= warm_up or random.random() < epsilon:
            action = random.randrange(actions)
        else:
            action = int(np.argmax(model(state[None], training=False)[0]))
        next_state, reward, terminated, truncated, _ = env.step(action)
        seen.append((state, action, reward, next_state, float(terminated)))
        del seen[:-KEPT]
        state = env.reset()[0] if terminated or truncated else next_state
        if step > warm_up and step % EVERY == 0:
            update(model, target, drawn(seen))
            updates += 1
        if step % COPY_EVERY == 0:
            target.set_weights(model.get_weights())
        if step == warm_up + BEFORE:
            start = time.perf_counter()
    tell(steps / (time.perf_counter() - start), updates=updates)


if __name__ == "__main__":
    main(sys.argv[6], *map(int, sys.argv[2:5]))
