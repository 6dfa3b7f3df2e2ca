"""People's own code: three healthy learners, the mistakes that people make in them, and files that cannot be used."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import triptych
from triptych.checkup.looks import Checkup
from triptych.checkup.own import whole
from triptych.checkup.own.whole import check_own
from triptych.cli import exits
from triptych.cli.main import main
from triptych.experiments.own_code import check_file, is_own
from triptych.utils.checks import InputError

AGENTS = Path(__file__).parents[3] / "docs" / "examples" / "own_agents"
TORCH = (AGENTS / "torch_cartpole.py").read_text(encoding="utf-8")
NETWORK = "class Agent:\n    observation_shape, num_actions = (4,), 2\n"


def agent(source: str) -> Any:
    """The class that a file of this text would define."""
    module = ModuleType("own_agent")
    exec(source, module.__dict__)
    return module.Agent


def names(found: Checkup) -> list[str]:
    return [finding.signal.name for finding in found.alarms]


@pytest.mark.parametrize("file", ["torch_cartpole.py", "keras_dqn.py", "jax_dqn.py"])
def test_a_learner_as_its_author_writes_it_is_healthy(file: str) -> None:
    found = check_file(AGENTS / file)
    assert names(found) == []
    seen = {look.what for look in found.looks if not look.left_out}
    assert {"the network", "the target network", "updates beside NumPy's", "the loss", "the replay"} <= seen


MISTAKES: dict[str, tuple[str, str, str, str]] = {  # what stands there, what stands there now, the signal, what it must say
    "a ReLU on the head": ("return self.head(x)", "return functional.relu(self.head(x))", "own-head-relu", "exactly 0"),
    "a softmax on the head": ("return self.head(x)", "return self.head(x).softmax(1)", "own-head-softmax", "sum of 1"),
    "a tanh on the head": ("return self.head(x)", "return self.head(x).tanh()", "own-head-bounded", "at most"),
    "a mean over the batch": (
        "return self.head(x)", "return self.head(x) - self.head(x).mean(0)", "own-values-of-the-batch", "alone",
    ),
    "a target that is not initialised": (
        "        self.target_net.load_state_dict(self.policy_net.state_dict())\n        self.opt", "        self.opt",
        "own-target-apart", "differ",
    ),
    "a target that is the online network": (
        "self.policy_net, self.target_net = DQN(), DQN()", "self.policy_net = self.target_net = DQN()",
        "own-target-moves", "3 updates",
    ),
    "a copy the other way round": (
        "    def sync_target(self):\n        self.target_net.load_state_dict(self.policy_net.state_dict())",
        "    def sync_target(self):\n        self.policy_net.load_state_dict(self.policy_net.state_dict())",
        "own-target-not-copied", "still differ",
    ),
    "errors that broadcast": (
        "functional.mse_loss(state_action_values, expected.unsqueeze(1))", "((state_action_values - expected) ** 2).mean()", "own-loss", "[B] against values [B, 1]",
    ),
    "no mask": (" * (1 - done)", "", "own-", "no mask where an episode ended"),
    "bootstrapping from the online network": (
        "self.target_net(next_state).max", "self.policy_net(next_state).max", "own-loss", "from the online network",
    ),
    "another gamma": ("reward + 0.99", "reward + 0.9", "own-loss", "returns a loss"),
    "another learning rate": ("lr=1e-3", "lr=1e-2", "own-update", "learning rate of about 0.01"),
    "another loss": ("functional.mse_loss", "functional.smooth_l1_loss", "own-loss", "the huber loss"),
    "a layer that is left out of the optimiser": (
        "self.policy_net.parameters()", "self.policy_net.head.parameters()", "own-weights-still", "fc1.weight",
    ),
    "updates that are not made": ("        self.optimizer.step()\n", "", "own-weights-still", "6 of 6 tensors"),
    "truncation taken for termination": ("reward, terminated, next_obs", "reward, terminated or truncated, next_obs", "fed-discount", "truncated there"),
    "the next observation is the same": ("terminated, next_obs))", "terminated, obs))", "fed-next-observation", "0 steps later"),
    "rewards that are clipped": ("(obs, action, reward,", "(obs, action, np.sign(reward),", "fed-reward", "reward"),
    "actions that are lost": ("(obs, action, reward,", "(obs, 0, reward,", "fed-action", "action 0"),
    "draws from the newest": ("random.sample(self.memory, 64)", "list(self.memory)[-64:]", "own-replay-draws", "different steps in"),
    "a loop that never learns": ("if len(self.memory) >= 64:", "if len(self.memory) >= 64_000:", "own-no-updates", "no call of learn"),
    "a loop that stores the state after the reset": (
        "            self.observe(state, action, reward, terminated, truncated, next_state)\n            state = env.reset()[0] if terminated or truncated else next_state",
        "            next_state = env.reset()[0] if terminated or truncated else next_state\n            self.observe(state, action, reward, terminated, truncated, next_state)\n            state = next_state",
        "fed-next-observation", "of another episode",
    ),
    "an environment whose observation is constant": (
        'return gym.make("CartPole-v1")', 'return gym.wrappers.TransformObservation(gym.make("CartPole-v1"), lambda obs: obs * 0, None)',
        "own-env-constant", "the same one",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_and_named(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new, signal, says = MISTAKES[mistake]
    assert old in TORCH, "the example has changed"
    late = [one for one in ("loop", "environment") if one not in mistake]  # these take the longest
    monkeypatch.setattr(whole, "LOOKS", [look for look in whole.LOOKS if look[0].split()[-1] not in late])
    found = check_own(agent(TORCH.replace(old, new)), "mine.py")
    told = {finding.signal.name: finding.measured for finding in found.alarms}
    assert any(name.startswith(signal) and says in measured for name, measured in told.items()), told


BAD = {
    "does not import": ("import nothing_of_that_name\nclass Agent:\n    pass\n", "line 1 fails: ModuleNotFoundError"),
    "has no method": ("class Agent:\n    pass\n", "without any of the methods"),
    "gives another shape": (f"{NETWORK}    def values(self, obs):\n        return obs\n", "shape of values is (64, 4)"),
    "gives no numbers": (f"{NETWORK}    def values(self, obs):\n        return 'much'\n", "values is 'str'"),
    "raises": (
        f"{NETWORK}    def values(self, obs):\n        return 1 / 0\n",
        "values fails: ZeroDivisionError: division by zero (mine.py, line 4)",
    ),
    "is not made": ("class Agent:\n    def __init__(self, size):\n        pass\n", "Agent() fails: TypeError"),
    "says no shape": ("class Agent:\n    def values(self, obs):\n        return obs\n", "observation_shape"),
    "has a setting of no such name": (
        f"{NETWORK}    settings = {{'gama': 1}}\n    def values(self, obs): ...\n",
        "gama",
    ),
    "has weights of other names later": (
        f"{NETWORK}    n = 0\n    def values(self, obs): return obs[:, :2]\n    def learn(self, batch): self.n += 1\n"
        "    def weights(self): return {f'w{self.n}': [[1.0, 2.0]]}\n",
        "allowed: the same at each call",
    ),
    "has weights of another shape later": (
        f"{NETWORK}    n = 1\n    def values(self, obs): return obs[:, :2]\n    def learn(self, batch): self.n += 1\n"
        "    def weights(self): return {'w': [[1.0, 2.0]] * self.n}\n",
        "shape of weights w is (2, 2); allowed: (1, 2)",
    ),
    "is no Python": ("class Agent:\n    def values(self, obs) return obs\n", "agent file"),
    "defines nothing of ours": ("x = 1\n", "for `triptych check` also make_agent, Agent or agent"),
    "ends its process": ("import os\nos._exit(7)\nclass Agent:\n    pass\n", "ends its process with code 7"),
    "hangs": (
        f"{NETWORK}    def values(self, obs):\n        while True:\n            pass\n",
        "takes longer than 4 s, at the network",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_file_that_cannot_be_used_is_one_line(what: str, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    source, says = BAD[what]
    (tmp_path / "mine.py").write_text(source, encoding="utf-8")
    limit = ["--time-limit", "4"] if what == "hangs" else []
    with pytest.raises(SystemExit) as ended:
        main(["check", str(tmp_path / "mine.py"), *limit])
    assert ended.value.code == exits.BAD_INPUT
    said = capsys.readouterr().err.strip()
    assert says in said
    assert len(said.splitlines()) == 1


def test_a_file_with_a_recipe_is_a_recipe(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("class Agent: ...\nrecipe = None\n", encoding="utf-8")
    assert not is_own(str(tmp_path / "mine.py"))
    assert is_own(str(AGENTS / "jax_dqn.py"))


@pytest.mark.parametrize(
    "text",
    [
        "agent: Mine = Mine()\n",
        "class Agent\n    pass\n",
        "agent = Mine(\n",
        "def make_agent(:\n",
        "from mine import Agent\n",
    ],
)
def test_an_agent_is_seen_however_it_is_defined(text: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    assert is_own(str(tmp_path / "mine.py"))


@pytest.mark.parametrize(
    "text", ["agent: Mine\n", "recipe = Agent(\n", "agents = [\n", "recipe: object = 1\nagent = 1\n"]
)
def test_what_is_no_agent_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    assert not is_own(str(tmp_path / "mine.py"))


LOG = "steps,reward,loss\n1,0,1\n2,0,1\n"


@pytest.mark.parametrize(
    ("subject", "given", "unused"),
    [
        ("log.csv", {"stepz": 3, "audit": -7, "framework": "caffe"}, "an argument for a log is 'stepz, framework, audit'"),
        ("log.csv", {"time_limit": 1}, "a log is 'time_limit'"),
        ("mine.py", {"audit": 100}, "a file with code of your own is 'audit'; allowed: framework, label, time_limit"),
        ("mine.py", {"framework": "caffe"}, "framework is 'caffe'"),
        (None, {"famework": "jax", "time_limit": 1}, "code of your own is 'famework, time_limit'"),
        ("cartpole", {"columns": ["a=b"]}, "a recipe is 'columns'"),
    ],
)  # fmt: skip
def test_an_argument_that_is_not_used_is_one_line(
    subject: str | None, given: dict[str, Any], unused: str, tmp_path: Path
) -> None:
    (tmp_path / "log.csv").write_text(LOG, encoding="utf-8")
    source = f"{NETWORK}    def values(self, obs): return obs[:, :2]\n"
    (tmp_path / "mine.py").write_text(source, encoding="utf-8")
    what: Any = agent(source) if subject is None else tmp_path / subject if "." in subject else subject
    with pytest.raises(InputError, match=unused):
        triptych.check(what, **given)


def test_arguments_are_handed_on(tmp_path: Path) -> None:
    rows = [f"{step},{step % 7},1.0\n" for step in range(1, 300)]
    (tmp_path / "log.csv").write_text("steps,reward,mine\n" + "".join(rows), encoding="utf-8")
    assert "log-loss-constant" not in names(triptych.check(tmp_path / "log.csv"))
    found = triptych.check(tmp_path / "log.csv", columns=["mine=loss"], label="theirs")
    assert "log-loss-constant" in names(found)
    assert found.subject == "theirs"
    (tmp_path / "mine.py").write_text(BAD["hangs"][0], encoding="utf-8")
    with pytest.raises(InputError, match="longer than 5 s"):
        triptych.check(tmp_path / "mine.py", time_limit=5)
    assert triptych.check(agent(f"{NETWORK}    def values(self, obs): return obs[:, :2]\n")).subject == "Agent"


def test_either_place_of_adams_epsilon_is_right() -> None:
    """Keras adds it before the moments are corrected, which is a larger one in the first steps: 3e-2 here, where PyTorch's is 1e-3."""
    source = TORCH.replace("lr=1e-3", "lr=1e-3, eps=1e-3")
    source = source.replace('"learning_rate": 1e-3', '"learning_rate": 1e-3, "adam_epsilon": 1e-3')
    assert source.count("1e-3, eps=1e-3") == 1
    assert names(check_own(agent(source), "mine.py")) == []
    keras = source.replace("eps=1e-3", "eps=1e-3 / 0.001**0.5")
    told = [finding.signal.name for finding in check_own(agent(keras), "mine.py").alarms]
    assert told == ["own-update"], "the eighth update is not that of either"


def test_names_that_are_near_and_looks_that_are_few_are_told() -> None:
    """In place of `nothing looks wrong`, of a file at which hardly anything was looked at."""
    source = f"{NETWORK}    def value(self, obs): ...\n    def update(self, batch): ...\n    def epsilon(self, step): return 0.1\n"
    found = check_own(agent(source), "mine.py")
    notes = [one.measured for one in found.findings]
    assert "`value` is none of the methods that are asked; did you mean `values`?" in notes
    assert "`update` is none of the methods that are asked; did you mean `learn`?" in notes
    assert found.verdict().startswith(f"only 0 of {len(found.looks)} things could be looked at")


def test_a_network_of_dense_layers_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "LOOKS", whole.those("the network's layers"))
    found = check_own(agent(TORCH), "mine.py")
    assert [one.measured for one in found.findings] == ["the network is: dense 24, 32, 2, relu between"]


def test_a_flag_of_recipes_is_none_of_own_code(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", str(AGENTS / "torch_cartpole.py"), "--learning-rate", "1"])
    assert ended.value.code == exits.BAD_INPUT
    said = capsys.readouterr().err
    assert "not read for code of your own" in said
    assert "--time-limit" in said


def test_own_code_is_told_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in those of a recipe; and whether the loop or the replay gave the sample."""
    monkeypatch.setattr(whole, "LOOKS", whole.those("the replay"))
    source = TORCH.replace("(obs, action, reward,", "(obs, action, np.sign(reward),")
    (told,) = check_own(agent(source), "mine.py").alarms
    assert told.measured.startswith("in the replay: ")
    assert told.signal.look == "observe and sample"
    assert not any("recipe" in text for text in (told.signal.title, *told.signal.causes))


def test_a_file_that_trains_at_its_import_is_told_where_that_belongs(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import time\nclass Agent: ...\ntime.sleep(60)\n", encoding="utf-8")
    with pytest.raises(InputError, match='at its import: what trains belongs under `if __name__ == "__main__":`'):
        check_file(tmp_path / "mine.py", time_limit=6)
