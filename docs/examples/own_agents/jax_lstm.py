"""A recurrent Q-learner in Flax and Optax, whose memory begins empty with each piece, and what `triptych check` asks of it."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

LENGTH, UNITS, NUM_ACTIONS, GAMMA = 8, 16, 4, 0.99
rng = np.random.default_rng()


class QNetwork(nn.Module):
    @nn.compact
    def __call__(self, obs, carry):  # obs [B, T, 6]
        x = nn.relu(nn.Dense(24)(obs))
        carry, x = nn.RNN(nn.OptimizedLSTMCell(UNITS), return_carry=True)(x, initial_carry=carry)
        return nn.Dense(NUM_ACTIONS)(x), carry


def empty(count):
    return jnp.zeros((count, UNITS)), jnp.zeros((count, UNITS))


network, optimizer = QNetwork(), optax.chain(optax.clip_by_global_norm(5.0), optax.adam(1e-3))


@jax.jit
def train_step(params, target_params, opt_state, batch):
    obs, action, reward, terminated, mask = batch
    q_next = network.apply(target_params, obs, empty(len(obs)))[0][:, 1:].max(axis=2)
    target = reward + GAMMA * (1 - terminated) * q_next

    def loss_fn(params):
        q = network.apply(params, obs, empty(len(obs)))[0][:, :-1]
        taken = jnp.take_along_axis(q, action[..., None], axis=2)[..., 0]
        return (mask * optax.huber_loss(taken, target)).sum() / mask.sum()

    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, opt_state = optimizer.update(grads, opt_state)
    return optax.apply_updates(params, updates), opt_state, loss


@jax.jit
def one_step(params, obs, carry, reset):
    carry = tuple(jnp.where(reset[:, None], 0.0, part) for part in carry)
    q, carry = network.apply(params, obs[:, None], carry)
    return q[:, 0], carry


class Agent:
    observation_shape, num_actions = (6,), NUM_ACTIONS

    def __init__(self):
        self.settings = {"gamma": GAMMA, "loss": "huber", "learning_rate": 1e-3, "max_norm": 5.0}
        self.settings |= {"batch_size": 16, "sequence_length": LENGTH}
        self.params = network.init(jax.random.PRNGKey(0), jnp.zeros((1, 1, 6)), empty(1))
        self.target_params = self.params
        self.opt_state = optimizer.init(self.params)
        self.pieces, self.recent = [], []

    def learn(self, batch):
        arrays = tuple(jnp.asarray(part) for part in batch)
        self.params, self.opt_state, loss = train_step(self.params, self.target_params, self.opt_state, arrays)
        return float(loss)

    # What `triptych check` asks.

    def initial_state(self, count):
        return empty(count)

    def step(self, obs, state, reset):
        return one_step(self.params, obs, state, reset)

    def target_step(self, obs, state, reset):
        return one_step(self.target_params, obs, state, reset)

    def sync_target(self):
        self.target_params = self.params

    def weights(self):
        leaves = jax.tree_util.tree_flatten_with_path(self.params["params"])[0]
        return {"/".join(part.key for part in path): leaf for path, leaf in leaves}

    def observe(self, obs, action, reward, terminated, truncated, next_obs):
        self.recent.append((obs, action, reward, float(terminated), next_obs))
        if len(self.recent) == LENGTH or terminated or truncated:
            obs = np.zeros((LENGTH + 1, 6), np.float32)
            action, (reward, ends, mask) = np.zeros(LENGTH, np.int64), np.zeros((3, LENGTH), np.float32)
            for at, step in enumerate(self.recent):
                obs[at], action[at], reward[at], ends[at], obs[at + 1] = step
                mask[at] = 1
            self.pieces.append((obs, action, reward, ends, mask))
            self.recent = []

    def sample(self):
        chosen = rng.integers(len(self.pieces), size=16)
        return tuple(np.stack(part) for part in zip(*(self.pieces[index] for index in chosen), strict=True))
