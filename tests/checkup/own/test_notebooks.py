"""The Space Invaders notebook's learners in the three frameworks, as their author writes them; and the mistakes of such notebooks."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.checkup.own.test_own_code import AGENTS, TORCH, agent, names
from triptych.checkup.looks import Checkup
from triptych.checkup.own import whole
from triptych.checkup.own.convolutions import recognise_pictures
from triptych.checkup.own.whole import check_own
from triptych.experiments.own_code import check_file
from triptych.frameworks import FRAMEWORKS

FILE = AGENTS / "space_invaders.py"
SOURCE = FILE.read_text(encoding="utf-8")


def checked(source: str, framework: str) -> Checkup:
    module = ModuleType("own_agent")
    exec(source, module.__dict__)
    return check_own(lambda: module.make_agent(framework), "mine.py")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_notebooks_learner_is_healthy_and_told_in_a_sentence(framework: str) -> None:
    found = check_file(FILE, framework)
    assert names(found) == []
    notes = " ".join(one.measured for one in found.findings)
    assert "padding valid, 3,136 flat features, dense 512, 256, 6, relu between; pixels divided by 255" in notes
    assert "epsilon reaches its floor, 0.1, after 9.9 % of the run" in notes
    seen = {look.what for look in found.looks if not look.left_out}
    assert {"the network's layers", "exploration", "the loop", "the replay", "the conversion to tensors"} <= seen


# What stands there and what stands there now, by framework; the signal, what it must say, and the look that it comes of.
Edits = dict[str, tuple[str, str]]
ANY = "any"
MISTAKES: dict[str, tuple[Edits, str, str, str]] = {
    "a ReLU on the head": (
        {
            "torch": ("nn.Linear(256, NUM_ACTIONS),", "nn.Linear(256, NUM_ACTIONS), nn.ReLU(),"),
            "keras": ('activation="linear"', 'activation="relu"'),
            "jax": ("return nn.Dense(NUM_ACTIONS)(x)", "return nn.relu(nn.Dense(NUM_ACTIONS)(x))"),
        },
        "own-head-relu", "exactly 0", "the network",
    ),
    "a target that is never initialised": (
        {
            "torch": ("            self.target.load_state_dict(self.model.state_dict())\n            self.opt", "            self.opt"),
            "keras": ("            self.target.set_weights(self.model.get_weights())\n            self.opt", "            self.opt"),
            "jax": ("self.target_params = self.params\n            self.opt", "self.target_params = network.init(jax.random.PRNGKey(1), jnp.zeros((1, 4, 84, 84)))\n            self.opt"),
        },
        "own-target-apart", "differ by up to", "the target network",
    ),
    "a loop that never trains": ({ANY: ("            if step % TRAIN_EVERY == 0", "            if step % TRAIN_EVERY == 1e9")}, "own-no-updates", "no call of learn in 532 steps", "the loop"),
    "a batch larger than the replay": ({ANY: ("deque(maxlen=100_000)", "deque(maxlen=30)")}, "own-no-updates", "no call of learn", "the loop"),
    "an epsilon at its floor at once": ({ANY: ("TARGET_EVERY = 1.0, 0.1, 1_000_000", "TARGET_EVERY = 1.0, 0.1, 10_000")}, "epsilon-floor-early", "of 10,000,000 steps", "exploration"),
    "an epsilon that rises": ({ANY: ("- (EPSILON - EPSILON_MIN) * step", "+ (EPSILON - EPSILON_MIN) * step"), "more": ("max(EPSILON_MIN, EPSILON", "min(1.0, 0.1 + 0 * EPSILON")}, "epsilon-rises", "from 0.1", "exploration"),
    "an epsilon that goes on below 0": ({ANY: ("max(EPSILON_MIN, EPSILON - (EPSILON - EPSILON_MIN) * step / EPSILON_STEPS)", "EPSILON - (EPSILON - EPSILON_MIN) * step / EPSILON_STEPS")}, "own-epsilon", "epsilon is -", "exploration"),
    "a loop that does not act by its epsilon": ({ANY: ("random.random() < self.epsilon(step)", "random.random() > self.epsilon(step)")}, "random-share", "are not the best one", "the loop"),
    "pixels that are divided by 255 twice": (
        {"torch": (".float() / 255", ".float() / 255 / 255"), "keras": ("tf.float32) / 255", "tf.float32) / 255 / 255"), "jax": ("jnp.float32) / 255", "jnp.float32) / 255 / 255")},
        "own-pixels", "divided by 255 twice", "the network's layers",
    ),
    "pixels that are not divided": (
        {"torch": (".float() / 255", ".float()"), "keras": ("tf.float32) / 255", "tf.float32)"), "jax": ("jnp.float32) / 255", "jnp.float32)")},
        "own-pixels", "not scaled", "the network's layers",
    ),
    "pixels that learning divides once more than acting": (
        {
            "torch": ("            obs, action, reward, terminated, next_obs = batch\n            action, reward", "            obs, action, reward, terminated, next_obs = batch\n            obs, next_obs = obs / np.float32(255), next_obs / np.float32(255)\n            action, reward"),
            "keras": ("            obs, action, reward, terminated, next_obs = batch\n            target = reward", "            obs, action, reward, terminated, next_obs = batch\n            obs, next_obs = obs / np.float32(255), next_obs / np.float32(255)\n            target = reward"),
            "jax": ("arrays = [jnp.asarray(part) for part in batch]", "arrays = [jnp.asarray(part / np.float32(255) if part.ndim == 4 else part) for part in batch]"),
        },
        "own-loss", "learning divides by 255 once more", "the loss",
    ),
    "padding that is same": (
        {
            "torch": ("nn.Conv2d(4, 32, 8, stride=4), nn.ReLU(),", "nn.ZeroPad2d((2, 2, 2, 2)), nn.Conv2d(4, 32, 8, stride=4), nn.ReLU(), nn.ZeroPad2d((1, 2, 1, 2)),"),
            "keras": ('activation="relu"),\n                keras.layers.Conv2D', 'activation="relu", padding="same"),\n                keras.layers.Conv2D'),
            "jax": ('padding="VALID"', 'padding="SAME"'),
        },
        "own-padding", "7,744 flat features", "the network's layers",
    ),
    "a list of arrays that is made a tensor number by number": (
        {
            "torch": ("model(torch.as_tensor(obs).float()", "model(torch.tensor([list(row.reshape(-1)) for row in obs]).reshape(obs.shape).float()"),
            "keras": ("tf.cast(np.moveaxis(obs, 1, -1), tf.float32)", "tf.constant(np.moveaxis(obs, 1, -1).tolist(), tf.float32)"),
            "jax": ("arrays = [jnp.asarray(part) for part in batch]", "arrays = [jnp.asarray(np.array(part.tolist(), part.dtype)) for part in batch]"),
        },
        "conversion-slow", "times what a copy takes", "the conversion to tensors",
    ),
}  # fmt: skip


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_notebooks_mistake_is_found_and_named(mistake: str, framework: str, monkeypatch: pytest.MonkeyPatch) -> None:
    edits, signal, says, look = MISTAKES[mistake]
    source = SOURCE
    for old, new in [edits.get(framework) or edits[ANY], *([edits["more"]] if "more" in edits else [])]:
        assert old in source, "the example has changed"
        source = source.replace(old, new)
    if mistake == "padding that is same" and framework == "torch":
        source = source.replace(
            "nn.Conv2d(32, 64, 4, stride=2), nn.ReLU(),", "nn.Conv2d(32, 64, 4, stride=2), nn.ReLU(), nn.ZeroPad2d(1),"
        )
        source = source.replace("nn.Linear(3136, 512)", "nn.Linear(7744, 512)")
    if mistake == "padding that is same" and framework == "keras":
        source = source.replace('strides=1, activation="relu")', 'strides=1, activation="relu", padding="same")')
    monkeypatch.setattr(whole, "LOOKS", [one for one in whole.LOOKS if one[0] == look])
    told = {one.signal.name: one.measured for one in checked(source, framework).alarms}
    assert any(name == signal and says in measured for name, measured in told.items()), told


def test_a_sample_that_takes_its_arrays_apart_is_slow() -> None:
    """Whatever the framework: a list of lists of numbers is made an array."""
    source = SOURCE.replace(
        "return np.stack(obs)", "return np.array([np.asarray(one).tolist() for one in obs], np.uint8)"
    )
    assert source != SOURCE
    told = {one.signal.name: one.measured for one in checked(source, "torch").alarms}
    assert "sample takes" in told.get("conversion-slow", ""), told


def test_a_network_of_another_kind_is_not_taken_for_one_of_these() -> None:
    rng = np.random.default_rng(0)
    weights = {
        "a": rng.normal(size=(3, 3, 2, 4)),
        "b": np.zeros(4),
        "c": rng.normal(size=(16, 2)) / 100,
        "d": np.zeros(2),
    }
    obs = rng.integers(256, size=(4, 4, 4, 2)).astype(np.uint8)
    assert recognise_pictures(weights, obs, rng.normal(size=(4, 2))) is None


def test_the_cartpole_notebooks_epsilon_is_told() -> None:
    """Its fall of 0.001 a step is over after a few thousand of its steps."""
    method = "    def epsilon(self, step):\n        return 0.01 + 0.99 * np.exp(-0.001 * step)\n\n    def make_env("
    source = TORCH.replace("    def make_env(", method).replace(
        '"batch_size": 64', '"batch_size": 64, "steps": 200_000'
    )
    found: Any = check_own(agent(source), "mine.py")
    assert names(found) == []
    assert any("epsilon reaches its floor, 0.01, after 2.3 % of the run" in one.measured for one in found.findings)
