"""PPO on KungFuMaster as a Keras user would write it, after a tutorial such as keras.io's for CartPole; needs what Triptych needs.

peers/actor_critics_keras.py ppo THREADS ROLLOUTS

One keras.Model with two heads, a `tf.function` to choose and one to learn, with a GradientTape, and NumPy for what lies between.
Games, network, steps, passes and minibatches are those that the other peers have; Gymnasium steps the games one after the other.
"""

import sys
import time
from typing import Any

import gymnasium
import keras
import numpy as np
import tensorflow as tf
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from keras_parts import body, game, set_threads, tell

GAMES, STEPS, PASSES, MINIBATCH = 8, 128, 4, 256
GAMMA, LAMBDA, CLIP, VALUE_WEIGHT, ENTROPY_WEIGHT = 0.99, 0.95, 0.1, 0.5, 0.01


def network(actions: int) -> keras.Model:
    """Pictures [B, 4, 84, 84] to the actions' logits [B, A] and values [B, 1]."""
    pictures = keras.Input((4, 84, 84))
    features = keras.Sequential(body())(pictures)
    return keras.Model(pictures, [keras.layers.Dense(actions)(features), keras.layers.Dense(1)(features)])


def advantages_of(rewards: np.ndarray, values: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Generalised advantages [T, N] of rewards and ends [T, N] and values [T + 1, N]."""
    found, after = np.zeros_like(rewards), np.zeros_like(rewards[0])
    for t in reversed(range(len(rewards))):
        goes_on = 1 - ends[t]
        error = rewards[t] + GAMMA * goes_on * values[t + 1] - values[t]
        found[t] = after = error + GAMMA * LAMBDA * goes_on * after
    return found


class PPO:
    """The network, and what TensorFlow compiles of it."""

    def __init__(self, actions: int):
        self.model = network(actions)
        self.optimizer = keras.optimizers.Adam(2.5e-4, epsilon=1e-5, global_clipnorm=0.5)

    @tf.function
    def act(self, states: Any) -> tuple[Any, Any, Any]:
        """Actions [N], the logarithms of their chances, and values."""
        logits, values = self.model(states)
        actions = tf.random.categorical(logits, 1)[:, 0]
        return actions, self.log_chance(logits, actions), values[:, 0]

    def log_chance(self, logits: Any, actions: Any) -> Any:
        return tf.gather(tf.nn.log_softmax(logits), actions, axis=1, batch_dims=1)

    @tf.function
    def train(self, states: Any, actions: Any, before: Any, advantages: Any, returns: Any) -> Any:
        """One step on a minibatch; its loss."""
        advantages = (advantages - tf.reduce_mean(advantages)) / (tf.math.reduce_std(advantages) + 1e-8)
        with tf.GradientTape() as tape:
            logits, values = self.model(states)
            ratio = tf.exp(self.log_chance(logits, actions) - before)
            gain = tf.minimum(ratio * advantages, tf.clip_by_value(ratio, 1 - CLIP, 1 + CLIP) * advantages)
            error = tf.reduce_mean((returns - values[:, 0]) ** 2)
            entropy = -tf.reduce_sum(tf.nn.softmax(logits) * tf.nn.log_softmax(logits), axis=1)
            loss = VALUE_WEIGHT * error - tf.reduce_mean(gain) - ENTROPY_WEIGHT * tf.reduce_mean(entropy)
        gradients = tape.gradient(loss, self.model.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.model.trainable_variables, strict=True))
        return loss


def rollout(ppo: PPO, games: gymnasium.vector.VectorEnv, states: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Plays it; the states behind it, and what PPO trains on, one row a step and game."""
    rows: list[tuple[Any, ...]] = []
    for _ in range(STEPS):
        actions, chances, values = (part.numpy() for part in ppo.act(states))
        next_states, rewards, terminated, truncated, _ = games.step(actions)
        rows.append(
            (states, actions, chances, values, rewards.astype("float32"), (terminated | truncated) * np.float32(1))
        )
        states = next_states
    seen, actions, chances, values, rewards, ends = (np.array(part) for part in zip(*rows, strict=True))
    advantages = advantages_of(rewards, np.vstack([values, ppo.act(states)[2].numpy()]), ends)
    columns = (seen, actions, chances, advantages, advantages + values)
    return states, [column.reshape(-1, *column.shape[2:]) for column in columns]


def learn(ppo: PPO, data: list[np.ndarray], rng: np.random.Generator) -> None:
    for _ in range(PASSES):
        order = rng.permutation(len(data[0]))
        for at in range(0, len(order), MINIBATCH):
            loss = ppo.train(*(column[order[at : at + MINIBATCH]] for column in data))
    loss.numpy()  # waits for it


def main(threads: int, rollouts: int) -> None:
    set_threads(threads)
    make = [lambda: game("KungFuMasterNoFrameskip-v4")] * GAMES
    games = SyncVectorEnv(make, autoreset_mode=AutoresetMode.SAME_STEP)
    tf.random.set_seed(0)  # and where TensorFlow is told to be deterministic, it wants one
    ppo = PPO(int(games.single_action_space.n))
    states, _ = games.reset(seed=0)
    rng, start = np.random.default_rng(0), 0.0
    for done in range(1 + rollouts):
        states, data = rollout(ppo, games, states)
        learn(ppo, data, rng)
        if done == 0:
            start = time.perf_counter()
    tell(rollouts * STEPS * GAMES / (time.perf_counter() - start))


if __name__ == "__main__":
    main(int(sys.argv[2]), int(sys.argv[3]))
