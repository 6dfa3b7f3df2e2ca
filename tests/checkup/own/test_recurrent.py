"""People's own networks with a memory: healthy learners in each framework, the mistakes that people make in them, and files of no use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.checkup.own.test_own_code import AGENTS, agent, names
from triptych.checkup.own.memory.unrolled import recognise_memory
from triptych.checkup.own.whole import check_own
from triptych.cli import exits
from triptych.cli.main import main
from triptych.experiments.own_code import check_file

TORCH, KERAS, JAX, A2C = (
    (AGENTS / f"{name}.py").read_text(encoding="utf-8")
    for name in ("torch_lstm", "keras_gru", "jax_lstm", "torch_lstm_a2c")
)
SEEN = {
    "the network",
    "the target network",
    "the memory",
    "updates beside NumPy's",
    "the loss",
    "copies of the target",
    "the replay",
}


@pytest.mark.parametrize(
    ("file", "seen"),
    [
        ("torch_lstm", SEEN | {"the burn-in"}),
        ("keras_gru", SEEN),
        ("jax_lstm", SEEN),
        ("torch_lstm_a2c", {"the policy and the value", "the memory", "the loss"}),
    ],
)
def test_a_learner_with_a_memory_as_its_author_writes_it_is_healthy(file: str, seen: set[str]) -> None:
    found = check_file(AGENTS / f"{file}.py")
    assert names(found) == []
    assert seen <= {look.what for look in found.looks if not look.left_out}


@pytest.mark.parametrize("source", [TORCH, KERAS, JAX], ids=["torch's LSTM", "Keras' GRU", "Flax' LSTM"])
def test_the_memories_of_each_framework_are_followed(source: str) -> None:
    """Else no update would be compared, and every one be taken for right."""
    own = agent(source)()
    rows = np.random.default_rng(0).normal(size=(3, 4, *own.observation_shape)).astype(np.float32)
    weights = {name: np.asarray(array, np.float64) for name, array in own.weights().items()}
    state, said = own.initial_state(3), []
    for at in range(4):
        q, state = own.step(rows[:, at], state, np.zeros(3, bool))
        said.append(np.asarray(q))
    network = recognise_memory(weights, rows, np.stack(said, axis=1))
    assert network is not None
    slopes = np.random.default_rng(1).normal(size=(3, 4, own.num_actions))
    kept = network.unroll(weights, rows, network.cell.start(3))[2]
    gradients, rng = network.gradients(weights, kept, slopes), np.random.default_rng(2)
    for name, array in weights.items():  # against finite differences
        way = rng.normal(size=array.shape)
        up, down = (
            (slopes * network.unroll(weights | {name: array + step * way}, rows, network.cell.start(3))[0]).sum()
            for step in (1e-6, -1e-6)
        )
        assert np.isclose((up - down) / 2e-6, (gradients[name] * way).sum(), rtol=1e-5, atol=1e-7), name


MISTAKES: dict[str, tuple[str, str, str, str, str]] = {  # source, what stands there, what stands there now, the signal, what it says
    "a state that is not begun anew (torch)": (TORCH, "keep = 1 - torch", "keep = 1 - 0 * torch", "own-state-kept", "as if nothing had begun"),
    "a state that is not begun anew (Keras)": (KERAS, "tf.where(reset[:, None], 0.0, state)", "tf.where(reset[:, None], state, state)", "own-state-kept", "as if nothing"),
    "a state that is not begun anew (JAX)": (JAX, "jnp.where(reset[:, None], 0.0, part)", "jnp.where(reset[:, None], part, part)", "own-state-kept", "as if nothing"),
    "a state that is zeroed at each step (torch)": (TORCH, "keep = 1 - torch", "keep = 0 * torch", "own-state-ignored", "history shuffled"),
    "a state that is zeroed at each step (Keras)": (KERAS, "tf.where(reset[:, None], 0.0, state)", "tf.where(reset[:, None], 0.0, 0 * state)", "own-state-ignored", "history shuffled"),
    "a state that is handed out as it came in (JAX)": (JAX, "    q, carry = network.apply(params, obs[:, None], carry)\n", "    q, _ = network.apply(params, obs[:, None], carry)\n", "own-state-ignored", "history shuffled"),
    "a reset that empties all (torch)": (TORCH, "1 - torch.as_tensor(reset, dtype=torch.float32).reshape(1, -1, 1)", "1 - float(reset.any())", "own-state-shared", "emptied too"),
    "a reset that empties all (Keras)": (KERAS, "tf.where(reset[:, None], 0.0, state)", "tf.where(reset.any(), 0.0, state)", "own-state-shared", "emptied too"),
    "a reset that empties all (JAX)": (JAX, "jnp.where(reset[:, None], 0.0, part)", "jnp.where(reset.any(), 0.0, part)", "own-state-shared", "emptied too"),
    "games taken for steps (torch)": (
        TORCH, "q, state = net(torch.as_tensor(obs).unsqueeze(1), (keep * state[0], keep * state[1]))\n        return q.squeeze(1), state",
        "q, after = net(torch.as_tensor(obs)[None], (keep[:, :1] * state[0][:, :1], keep[:, :1] * state[1][:, :1]))\n        return q[0], tuple(part.repeat(1, len(obs), 1) for part in after)",
        "own-", "alone",
    ),
    "a mean over the games' states (JAX)": (JAX, "    return q[:, 0], carry\n", "    return q[:, 0], tuple(0.9 * part + 0.1 * part.mean(0, keepdims=True) for part in carry)\n", "own-state-shared", "move the values of game"),
    "a state that the object keeps (torch)": (
        TORCH, "        return self.advance(self.net, obs, state, reset)",
        "        kept = getattr(self, 'kept', state)\n        state = kept if kept[0].shape == state[0].shape else state\n        q, self.kept = self.advance(self.net, obs, state, reset)\n        return q, self.kept",
        "own-state-kept", "played twice",
    ),
    "a gradient through the burn-in (torch)": (
        TORCH, "            _, state = self.net(obs[:, :BURN_IN], (h, c))\n", "            pass\n        _, state = self.net(obs[:, :BURN_IN], (h, c))\n        with torch.no_grad():\n",
        "own-update", "passes through the burn-in",
    ),
    "burn-in that counts (torch)": (
        TORCH,
        "        q = self.net(obs[:, BURN_IN:], state)[0]\n        action, reward, terminated, mask = (part[:, BURN_IN:] for part in (action, reward, terminated, mask))\n",
        "        q = self.net(obs, (h, c))[0]\n        next_q = self.target_net(obs, (h, c))[0][:, 1:].detach()\n",
        "own-sequence-loss", "burn-in steps that are learned from",
    ),
    "a stored state that is not used (torch)": (TORCH, "        h, c = batch[-1]\n", "        h, c = self.initial_state(len(batch[0]))\n", "own-sequence-loss", "in place of the state that came with the batch"),
    "a memory that begins anew behind the burn-in (torch)": (
        TORCH, "q = self.net(obs[:, BURN_IN:], state)[0]", "q = self.net(obs[:, BURN_IN:], None)[0]", "own-sequence-loss", "behind the burn-in",
    ),
    "padded steps that count (torch)": (TORCH, "* mask).sum() / mask.sum()", "* torch.ones_like(mask)).mean()", "own-sequence-loss", "padded steps that count"),
    "padded steps that count (Keras)": (KERAS, "tf.reduce_sum(mask * (target - taken) ** 2) / tf.reduce_sum(mask)", "tf.reduce_mean((target - taken) ** 2)", "own-sequence-loss", "padded steps that count"),
    "padded steps that count (JAX)": (JAX, "(mask * optax.huber_loss(taken, target)).sum() / mask.sum()", "optax.huber_loss(taken, target).mean()", "own-sequence-loss", "padded steps that count"),
    "no mask at an end (torch)": (TORCH, " * (1 - terminated)", "", "own-sequence-loss", "no mask where an episode ended"),
    "no mask at an end (Keras)": (KERAS, " * (1 - terminated)", "", "own-sequence-loss", "no mask where an episode ended"),
    "no mask at an end (JAX)": (JAX, " * (1 - terminated)", "", "own-sequence-loss", "no mask where an episode ended"),
    "a target whose memory begins late (Keras)": (KERAS, "self.model_target([obs, empty])[0][:, 1:]", "self.model_target([obs[:, 1:], empty])[0]", "own-sequence-loss", "has not seen the first observation"),
    "a target whose memory begins late (JAX)": (JAX, "network.apply(target_params, obs, empty(len(obs)))[0][:, 1:]", "network.apply(target_params, obs[:, 1:], empty(len(obs)))[0]", "own-sequence-loss", "has not seen the first observation"),
    "a memory that is not carried in learning (Keras)": (
        KERAS, "q = self.model([obs, empty])[0][:, :-1]", "q = tf.reshape(self.model([tf.reshape(obs, (-1, 1, 5)), tf.zeros((obs.shape[0] * obs.shape[1], UNITS))])[0], (*obs.shape[:2], -1))[:, :-1]",
        "own-sequence-loss", "begins anew at each step",
    ),
    "bootstrapping from the online network (Keras)": (KERAS, "self.model_target([obs, empty])[0]", "self.model([obs, empty])[0]", "own-sequence-loss", "from the online network"),
    "a ReLU on the head (torch)": (TORCH, "return self.head(x), state", "return torch.relu(self.head(x)), state", "own-head-relu", "exactly 0"),
    "a ReLU on the head (Keras)": (KERAS, "keras.layers.Dense(NUM_ACTIONS)(x)", 'keras.layers.Dense(NUM_ACTIONS, activation="relu")(x)', "own-head-relu", "exactly 0"),
    "a ReLU on the head (JAX)": (JAX, "return nn.Dense(NUM_ACTIONS)(x), carry", "return nn.relu(nn.Dense(NUM_ACTIONS)(x)), carry", "own-head-relu", "exactly 0"),
    "a target that is not initialised (Keras)": (KERAS, "        self.model_target.set_weights(self.model.get_weights())\n        self.optimizer", "        self.optimizer", "own-target-apart", "differ"),
    "a memory left out of the optimiser (torch)": (TORCH, "self.net.parameters(), lr", "self.net.head.parameters(), lr", "own-weights-still", "lstm"),
    "another learning rate (Keras)": (KERAS, "Adam(learning_rate=5e-4)", "Adam(learning_rate=5e-3)", "own-update", "learning rate of about 0.005"),
    "gradients that are not cut (JAX)": (JAX, "optax.clip_by_global_norm(5.0)", "optax.clip_by_global_norm(1e-9)", "own-update", "after update"),
    "truncation taken for termination (torch)": (TORCH, "float(terminated), state))", "float(terminated or truncated), state))", "fed-discount", "truncated there"),
    "a piece that crosses episodes (JAX)": (JAX, "if len(self.recent) == LENGTH or terminated or truncated:", "if len(self.recent) == LENGTH:", "fed-", ""),
    "an action one step late (Keras)": (KERAS, "self.recent.append((obs, action, reward, float(terminated)))", "self.recent.append((obs, self.recent[-1][4] if self.recent else 0, reward, float(terminated), action))", "fed-action", "as that of the step before"),
    "a state one step late (torch)": (TORCH, "*steps[0][4]))", "*steps[min(1, len(steps) - 1)][4]))", "fed-state", "not the one before that step"),
    "a state that is always empty (torch)": (TORCH, "*steps[0][4]))", "*self.initial_state(1)))", "fed-state", "as with an empty memory"),
    "draws from the newest (JAX)": (JAX, "chosen = rng.integers(len(self.pieces), size=16)", "chosen = [-1, -2, -3]", "own-replay-draws", "different steps in"),
    "draws from the newer half (JAX)": (JAX, "chosen = rng.integers(len(self.pieces), size=16)", "chosen = rng.integers(len(self.pieces) // 2, len(self.pieces), size=16)", "own-replay-draws", "from the oldest quarter"),
    "a reset that is left out within a rollout (A2C)": (A2C, "self.step(obs[:, at], state, reset[:, at])", "self.step(obs[:, at], state, 0 * reset[:, at])", "own-policy-loss", "not emptied where an episode begins"),
    "a rollout whose memory begins empty (A2C)": (A2C, "tuple(part.detach() for part in batch[-1])", "self.initial_state(len(obs))", "own-policy-loss", "in place of the state that came with the batch"),
    "entropy of the wrong sign (A2C)": (A2C, "- 0.01 * policy", "+ 0.01 * policy", "own-policy-loss", "wrong sign of the entropy"),
    "a state that is not begun anew (A2C)": (A2C, "keep = 1 - torch", "keep = 1 - 0 * torch", "own-state-kept", "as if nothing had begun"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_and_named(mistake: str) -> None:
    source, old, new, signal, says = MISTAKES[mistake]
    assert old in source, "the example has changed"
    source = source.replace(old, new)
    if mistake.startswith("an action one step late"):
        source = source.replace("terminated[row, at] = step", "terminated[row, at], _ = step")
    told = {one.signal.name: one.measured for one in check_own(agent(source), "mine.py").alarms}
    assert any(name.startswith(signal) and says in measured for name, measured in told.items()), told


def test_a_gradient_through_the_burn_in_is_found_in_any_network() -> None:
    """Also in one that is more than dense layers and a memory, whose updates NumPy does not follow."""
    old, new = MISTAKES["a gradient through the burn-in (torch)"][1:3]
    normed = TORCH.replace(
        "self.head = nn.Linear(16, 2)", "self.head = nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 2))"
    )
    assert names(check_own(agent(normed), "mine.py")) == []
    told = {one.signal.name: one.measured for one in check_own(agent(normed.replace(old, new)), "mine.py").alarms}
    assert "embed.weight" in told["own-burn-in-gradient"]


@pytest.mark.parametrize("cut", [True, False])
def test_a_piece_whose_steps_learn_from_themselves_alone_is_named(cut: bool) -> None:
    """A state that is detached at each step, in a loop over single steps, as with an LSTM cell."""
    old = "        q = self.net(obs[:, BURN_IN:], state)[0]\n"
    assert old in TORCH
    detached = "state[0].detach(), state[1].detach()" if cut else "*state"
    loop = (
        "        said = []\n        for at in range(BURN_IN, LENGTH + 1):\n"
        f"            one, state = self.net(obs[:, at : at + 1], ({detached},))\n            said.append(one)\n"
        "        q = torch.cat(said, dim=1)\n"
    ).replace("(*state,)", "state")
    told = {one.signal.name: one.measured for one in check_own(agent(TORCH.replace(old, loop)), "mine.py").alarms}
    assert ("no gradient through time" in told.get("own-update", "")) == cut
    assert bool(told) == cut


NETWORK = "import numpy as np\nclass Agent:\n    observation_shape, num_actions = (4,), 2\n"
STATE = "    def initial_state(self, count):\n        return np.zeros((count, 3))\n"
BAD = {
    "has no step": (f"{NETWORK}{STATE}", "initial_state without is 'step'"),
    "gives no state": (f"{NETWORK}{STATE}    def step(self, obs, state, reset):\n        return np.zeros((len(obs), 2))\n", "step gives is 'ndarray of 2'"),
    "gives another shape": (f"{NETWORK}{STATE}    def step(self, obs, state, reset):\n        return obs, state\n", "shape of what step gives first is (2, 4)"),
    "gives a value of another shape": (f"{NETWORK}{STATE}    def step(self, obs, state, reset):\n        return obs[:, :2], obs, state\n", "shape of step's value is (2, 4)"),
    "raises": (f"{NETWORK}{STATE}    def step(self, obs, state, reset):\n        return 1 / 0\n", "step fails: ZeroDivisionError"),
    "takes no reset": (f"{NETWORK}{STATE}    def step(self, obs, state):\n        return obs[:, :2], state\n", "step fails: TypeError"),
    "burns all in": (f"{NETWORK}    settings = {{'burn_in': 8}}\n{STATE}    def step(self, obs, state, reset):\n        return obs[:, :2], state\n", "settings burn_in is 8"),
    "hangs": (f"{NETWORK}{STATE}    def step(self, obs, state, reset):\n        while len(obs) > 2: ...\n        return obs[:, :2], state\n", "takes longer than 4 s, at the network"),
    "samples another length": (
        f"{NETWORK}{STATE}    def step(self, obs, state, reset):\n        return obs[:, :2] + state[:, :2], state + obs[:, :3]\n    def observe(self, *what): ...\n"
        "    def sample(self):\n        return np.zeros((5, 8, 4)), *np.zeros((4, 5, 8))\n",
        "shape of obs in a batch is (5, 8, 4)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_file_that_cannot_be_used_is_one_line(what: str, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    source, says = BAD[what]
    (tmp_path / "mine.py").write_text(source, encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["check", str(tmp_path / "mine.py"), *(["--time-limit", "4"] if what == "hangs" else [])])
    said = capsys.readouterr().err.strip()
    assert ended.value.code == exits.BAD_INPUT
    assert says in said
    assert len(said.splitlines()) == 1
