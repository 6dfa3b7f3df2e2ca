"""The DQN of the Space Invaders notebook in Keras, PyTorch and JAX, as its author writes it, and what `triptych check` asks of it.

triptych check space_invaders.py --framework jax
"""

import random
from collections import deque

import ale_py
import gymnasium as gym
import numpy as np

GAMMA, BATCH_SIZE, LEARNING_RATE, NUM_ACTIONS = 0.99, 32, 2.5e-4, 6
EPSILON, EPSILON_MIN, EPSILON_STEPS, TRAIN_EVERY, TARGET_EVERY = 1.0, 0.1, 1_000_000, 6, 10_000
gym.register_envs(ale_py)


class Base:
    """What does not depend on the framework: the environment, the replay, the loop."""

    def __init__(self):
        self.settings = {"gamma": GAMMA, "loss": "huber", "batch_size": BATCH_SIZE, "reward": "sign"}
        self.settings |= {"padding": "valid", "steps": 10_000_000, "warm_up": BATCH_SIZE, "target_every": TARGET_EVERY}
        self.replay = deque(maxlen=100_000)

    def make_env(self):
        env = gym.make("SpaceInvadersNoFrameskip-v4")
        env = gym.wrappers.AtariPreprocessing(env, noop_max=0)
        return gym.wrappers.FrameStackObservation(env, 4)  # (4, 84, 84)

    def epsilon(self, step):
        return max(EPSILON_MIN, EPSILON - (EPSILON - EPSILON_MIN) * step / EPSILON_STEPS)

    def train(self, env, steps):
        state, _ = env.reset()
        for step in range(steps):
            if random.random() < self.epsilon(step):
                action = random.randrange(NUM_ACTIONS)
            else:
                action = int(np.argmax(self.values(np.asarray(state)[None])))
            next_state, reward, terminated, truncated, _ = env.step(action)
            self.observe(state, action, reward, terminated, truncated, next_state)
            state = env.reset()[0] if terminated or truncated else next_state
            if step % TRAIN_EVERY == 0 and len(self.replay) >= BATCH_SIZE:
                self.learn(self.sample())
            if step % TARGET_EVERY == 0:
                self.sync_target()

    def observe(self, obs, action, reward, terminated, truncated, next_obs):
        self.replay.append((obs, action, np.sign(reward), terminated, next_obs))

    def sample(self):
        obs, action, reward, terminated, next_obs = zip(*random.sample(self.replay, BATCH_SIZE), strict=True)
        return np.stack(obs), np.array(action), np.float32(reward), np.float32(terminated), np.stack(next_obs)


def torch_agent():
    import torch
    from torch import nn, optim
    from torch.nn import functional

    def create_q_model():
        return nn.Sequential(
            nn.Conv2d(4, 32, 8, stride=4), nn.ReLU(),
            nn.Conv2d(32, 64, 4, stride=2), nn.ReLU(),
            nn.Conv2d(64, 64, 3, stride=1), nn.ReLU(), nn.Flatten(),
            nn.Linear(3136, 512), nn.ReLU(),
            nn.Linear(512, 256), nn.ReLU(),
            nn.Linear(256, NUM_ACTIONS),
        )  # fmt: skip

    class Agent(Base):
        def __init__(self):
            super().__init__()
            self.model, self.target = create_q_model(), create_q_model()
            self.target.load_state_dict(self.model.state_dict())
            self.optimizer = optim.Adam(self.model.parameters(), lr=LEARNING_RATE)

        def q(self, model, obs):
            return model(torch.as_tensor(obs).float() / 255)

        def learn(self, batch):
            obs, action, reward, terminated, next_obs = batch
            action, reward, terminated = (torch.as_tensor(part) for part in (action, reward, terminated))
            with torch.no_grad():
                target = reward + GAMMA * (1 - terminated) * self.q(self.target, next_obs).max(1)[0]
            taken = self.q(self.model, obs).gather(1, action.unsqueeze(1)).squeeze(1)
            loss = functional.huber_loss(taken, target)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            return loss.item()

        def values(self, obs):
            return self.q(self.model, obs).detach().numpy()

        def target_values(self, obs):
            return self.q(self.target, obs).detach().numpy()

        def sync_target(self):
            self.target.load_state_dict(self.model.state_dict())

        def weights(self):
            return self.model.state_dict()

    return Agent()


def keras_agent():
    import keras
    import tensorflow as tf

    def create_q_model():
        return keras.Sequential(
            [
                keras.Input((84, 84, 4)),
                keras.layers.Conv2D(32, 8, strides=4, activation="relu"),
                keras.layers.Conv2D(64, 4, strides=2, activation="relu"),
                keras.layers.Conv2D(64, 3, strides=1, activation="relu"),
                keras.layers.Flatten(),
                keras.layers.Dense(512, activation="relu"),
                keras.layers.Dense(256, activation="relu"),
                keras.layers.Dense(NUM_ACTIONS, activation="linear"),
            ]
        )

    class Agent(Base):
        def __init__(self):
            super().__init__()
            self.model, self.target = create_q_model(), create_q_model()
            self.target.set_weights(self.model.get_weights())
            self.optimizer = keras.optimizers.Adam(learning_rate=LEARNING_RATE)
            self.loss_function = keras.losses.Huber()

        def q(self, model, obs):
            return model(tf.cast(np.moveaxis(obs, 1, -1), tf.float32) / 255)

        def learn(self, batch):
            obs, action, reward, terminated, next_obs = batch
            target = reward + GAMMA * (1 - terminated) * tf.reduce_max(self.q(self.target, next_obs), axis=1)
            with tf.GradientTape() as tape:
                taken = tf.reduce_sum(self.q(self.model, obs) * tf.one_hot(action, NUM_ACTIONS), axis=1)
                loss = self.loss_function(target, taken)
            grads = tape.gradient(loss, self.model.trainable_variables)
            self.optimizer.apply_gradients(zip(grads, self.model.trainable_variables, strict=True))
            return float(loss)

        def values(self, obs):
            return self.q(self.model, obs)

        def target_values(self, obs):
            return self.q(self.target, obs)

        def sync_target(self):
            self.target.set_weights(self.model.get_weights())

        def weights(self):
            return {variable.path: variable.numpy() for variable in self.model.trainable_variables}

    return Agent()


def jax_agent():
    import flax.linen as nn
    import jax
    import jax.numpy as jnp
    import optax

    class QNetwork(nn.Module):
        @nn.compact
        def __call__(self, x):
            x = jnp.moveaxis(x, 1, -1).astype(jnp.float32) / 255
            x = nn.relu(nn.Conv(32, (8, 8), strides=4, padding="VALID")(x))
            x = nn.relu(nn.Conv(64, (4, 4), strides=2, padding="VALID")(x))
            x = nn.relu(nn.Conv(64, (3, 3), strides=1, padding="VALID")(x))
            x = x.reshape((x.shape[0], -1))
            x = nn.relu(nn.Dense(512)(x))
            x = nn.relu(nn.Dense(256)(x))
            return nn.Dense(NUM_ACTIONS)(x)

    network, optimizer = QNetwork(), optax.adam(LEARNING_RATE)
    apply = jax.jit(network.apply)

    @jax.jit
    def train_step(params, target_params, opt_state, obs, action, reward, terminated, next_obs):
        target = reward + GAMMA * (1 - terminated) * network.apply(target_params, next_obs).max(axis=1)

        def loss_fn(params):
            taken = jnp.take_along_axis(network.apply(params, obs), action[:, None], axis=1)[:, 0]
            return optax.huber_loss(taken, target).mean()

        loss, grads = jax.value_and_grad(loss_fn)(params)
        updates, opt_state = optimizer.update(grads, opt_state)
        return optax.apply_updates(params, updates), opt_state, loss

    class Agent(Base):
        def __init__(self):
            super().__init__()
            self.params = network.init(jax.random.PRNGKey(0), jnp.zeros((1, 4, 84, 84)))
            self.target_params = self.params
            self.opt_state = optimizer.init(self.params)

        def learn(self, batch):
            arrays = [jnp.asarray(part) for part in batch]
            self.params, self.opt_state, loss = train_step(self.params, self.target_params, self.opt_state, *arrays)
            return float(loss)

        def values(self, obs):
            return apply(self.params, obs)

        def target_values(self, obs):
            return apply(self.target_params, obs)

        def sync_target(self):
            self.target_params = self.params

        def weights(self):
            layers = self.params["params"]
            return {f"{layer}/{name}": array for layer in sorted(layers) for name, array in layers[layer].items()}

    return Agent()


def make_agent(framework):
    return {"torch": torch_agent, "keras": keras_agent, "jax": jax_agent}[framework]()
