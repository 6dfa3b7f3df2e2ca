"""A DQN as the public Keras example for Breakout has it, here with dense layers, and what `triptych check` asks of it."""

import keras
import numpy as np
import tensorflow as tf

gamma, batch_size, num_actions = 0.99, 32, 6
rng = np.random.default_rng()


def create_q_model():
    return keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(num_actions, activation="linear"),
        ]
    )


class Agent:
    observation_shape, num_actions = (8,), num_actions

    def __init__(self):
        self.settings = {
            "gamma": gamma,
            "loss": "huber",
            "learning_rate": 0.00025,
            "adam_epsilon": 1e-7,
            "batch_size": batch_size,
        }
        self.model, self.model_target = create_q_model(), create_q_model()
        self.model_target.set_weights(self.model.get_weights())
        self.optimizer = keras.optimizers.Adam(learning_rate=0.00025)
        self.loss_function = keras.losses.Huber()
        self.state_history, self.next_state_history = [], []
        self.action_history, self.rewards_history, self.done_history = [], [], []

    def learn(self, batch):
        state_sample, action_sample, rewards_sample, done_sample, state_next_sample = batch
        future_rewards = self.model_target(state_next_sample)
        updated_q_values = rewards_sample + gamma * (1 - done_sample) * tf.reduce_max(future_rewards, axis=1)
        masks = tf.one_hot(action_sample, num_actions)
        with tf.GradientTape() as tape:
            q_values = self.model(state_sample)
            q_action = tf.reduce_sum(tf.multiply(q_values, masks), axis=1)
            loss = self.loss_function(updated_q_values, q_action)
        grads = tape.gradient(loss, self.model.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.model.trainable_variables, strict=True))
        return float(loss)

    # What `triptych check` asks.

    def values(self, obs):
        return self.model(obs).numpy()

    def target_values(self, obs):
        return self.model_target(obs).numpy()

    def sync_target(self):
        self.model_target.set_weights(self.model.get_weights())

    def weights(self):
        return {variable.path: variable.numpy() for variable in self.model.trainable_variables}

    def observe(self, obs, action, reward, terminated, truncated, next_obs):
        self.state_history.append(obs)
        self.action_history.append(action)
        self.rewards_history.append(reward)
        self.done_history.append(terminated)
        self.next_state_history.append(next_obs)

    def sample(self):
        indices = rng.choice(len(self.done_history), size=batch_size)
        state_sample = np.array([self.state_history[i] for i in indices])
        state_next_sample = np.array([self.next_state_history[i] for i in indices])
        rewards_sample = np.array([self.rewards_history[i] for i in indices], np.float32)
        action_sample = np.array([self.action_history[i] for i in indices])
        done_sample = np.array([float(self.done_history[i]) for i in indices], np.float32)
        return state_sample, action_sample, rewards_sample, done_sample, state_next_sample
