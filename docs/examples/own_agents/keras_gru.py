"""A recurrent Q-learner in Keras, whose memory begins empty with each piece, and what `triptych check` asks of it."""

import keras
import numpy as np
import tensorflow as tf

LENGTH, UNITS, NUM_ACTIONS, GAMMA = 6, 16, 3, 0.99
rng = np.random.default_rng()


def create_q_model():
    obs, state = keras.Input((None, 5)), keras.Input((UNITS,))
    x = keras.layers.Dense(24, activation="relu")(obs)
    x, after = keras.layers.GRU(UNITS, return_sequences=True, return_state=True)(x, initial_state=state)
    return keras.Model([obs, state], [keras.layers.Dense(NUM_ACTIONS)(x), after])


class Agent:
    observation_shape, num_actions = (5,), NUM_ACTIONS

    def __init__(self):
        self.settings = {"gamma": GAMMA, "loss": "squared", "learning_rate": 5e-4, "adam_epsilon": 1e-7}
        self.settings |= {"batch_size": 16, "sequence_length": LENGTH}
        self.model, self.model_target = create_q_model(), create_q_model()
        self.model_target.set_weights(self.model.get_weights())
        self.optimizer = keras.optimizers.Adam(learning_rate=5e-4)
        self.episodes, self.recent = [], []

    def learn(self, batch):
        obs, action, reward, terminated, mask = (tf.convert_to_tensor(part) for part in batch)
        empty = self.initial_state(len(obs))
        next_q = tf.reduce_max(self.model_target([obs, empty])[0][:, 1:], axis=2)
        target = reward + GAMMA * (1 - terminated) * next_q
        with tf.GradientTape() as tape:
            q = self.model([obs, empty])[0][:, :-1]
            taken = tf.reduce_sum(q * tf.one_hot(action, NUM_ACTIONS), axis=2)
            loss = tf.reduce_sum(mask * (target - taken) ** 2) / tf.reduce_sum(mask)
        grads = tape.gradient(loss, self.model.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.model.trainable_variables, strict=True))
        return float(loss)

    # What `triptych check` asks.

    def initial_state(self, count):
        return tf.zeros((count, UNITS))

    def advance(self, model, obs, state, reset):
        q, state = model([tf.constant(obs[:, None]), tf.where(reset[:, None], 0.0, state)])
        return q[:, 0], state

    def step(self, obs, state, reset):
        return self.advance(self.model, obs, state, reset)

    def target_step(self, obs, state, reset):
        return self.advance(self.model_target, obs, state, reset)

    def sync_target(self):
        self.model_target.set_weights(self.model.get_weights())

    def weights(self):
        return {variable.path: variable.numpy() for variable in self.model.trainable_variables}

    def observe(self, obs, action, reward, terminated, truncated, next_obs):
        self.recent.append((obs, action, reward, float(terminated)))
        if terminated or truncated:
            self.episodes.append((self.recent, next_obs))
            self.recent = []

    def sample(self):
        obs = np.zeros((16, LENGTH + 1, 5), np.float32)
        action, (reward, terminated, mask) = np.zeros((16, LENGTH), np.int64), np.zeros((3, 16, LENGTH), np.float32)
        lengths = np.array([len(steps) for steps, _ in self.episodes])
        for row, index in enumerate(rng.choice(len(lengths), size=16, p=lengths / lengths.sum())):
            steps, last = self.episodes[index]
            start = rng.integers(max(1, len(steps) - LENGTH + 1))
            seen = [step[0] for step in steps] + [last]
            for at, step in enumerate(steps[start : start + LENGTH]):
                obs[row, at], action[row, at], reward[row, at], terminated[row, at] = step
                obs[row, at + 1], mask[row, at] = seen[start + at + 1], 1
        return obs, action, reward, terminated, mask
