"""A DQN in Flax and Optax, as a notebook would have it, and what `triptych check` asks of it."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

NUM_ACTIONS, GAMMA, LEARNING_RATE, BATCH_SIZE = 6, 0.99, 2.5e-4, 32


class QNetwork(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Dense(64)(x))
        x = nn.relu(nn.Dense(32)(x))
        return nn.Dense(NUM_ACTIONS)(x)


network, optimizer = QNetwork(), optax.adam(LEARNING_RATE)


@jax.jit
def train_step(params, target_params, opt_state, batch):
    obs, action, reward, terminated, next_obs = batch
    q_next = network.apply(target_params, next_obs).max(axis=1)
    target = reward + GAMMA * (1 - terminated) * q_next

    def loss_fn(params):
        q = network.apply(params, obs)
        q_taken = q[jnp.arange(len(action)), action]
        return optax.huber_loss(q_taken, target).mean()

    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, opt_state = optimizer.update(grads, opt_state)
    return optax.apply_updates(params, updates), opt_state, loss


class Agent:
    observation_shape, num_actions = (8,), NUM_ACTIONS

    def __init__(self):
        self.settings = {"gamma": GAMMA, "loss": "huber", "learning_rate": LEARNING_RATE, "batch_size": BATCH_SIZE}
        self.params = network.init(jax.random.PRNGKey(0), jnp.zeros((1, 8)))
        self.target_params = self.params
        self.opt_state = optimizer.init(self.params)
        self.replay = []

    def learn(self, batch):
        arrays = tuple(jnp.asarray(part) for part in batch)
        self.params, self.opt_state, loss = train_step(self.params, self.target_params, self.opt_state, arrays)
        return float(loss)

    # What `triptych check` asks.

    def values(self, obs):
        return network.apply(self.params, obs)

    def target_values(self, obs):
        return network.apply(self.target_params, obs)

    def sync_target(self):
        self.target_params = self.params

    def weights(self):
        layers = self.params["params"]
        return {f"{layer}/{name}": layers[layer][name] for layer in sorted(layers) for name in ("kernel", "bias")}

    def observe(self, obs, action, reward, terminated, truncated, next_obs):
        self.replay.append((obs, action, reward, float(terminated), next_obs))

    def sample(self):
        chosen = np.random.default_rng().integers(len(self.replay), size=BATCH_SIZE)
        obs, action, reward, terminated, next_obs = zip(*(self.replay[index] for index in chosen), strict=True)
        return np.array(obs), np.array(action), np.float32(reward), np.float32(terminated), np.array(next_obs)
