"""The files of `show --loop`: each trains as Triptych does, is lint-clean and short, and what it cannot do is refused."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import triptych
from tests.cli.test_cli import call
from triptych import envs, frameworks
from triptych.cli.main import main
from triptych.recipes import Recipe, load_recipe
from triptych.recipes.override import override
from triptych.report.show.build import loops, network_of, show, write
from triptych.spec import Conv, Dense, Flatten, RMSprop
from triptych.training.build import make_training

STEPS = 1_000
SMALL = {"precision": "float64", "steps": STEPS, "evaluate_every": 0}
OFF_POLICY = {
    "algorithm.warm_up": 100,
    "algorithm.epsilon_steps": 500,
    "algorithm.replay_size": 600,
    "algorithm.delta": 0.5,
    "batch_size": 8,
}
RECIPES: dict[str, Recipe] = {
    "dqn": override(
        load_recipe("cartpole"),
        {
            **SMALL,
            **OFF_POLICY,
            "network.0.units": 24,
            "network.1.units": 16,
            "num_envs": 2,
            "algorithm.update_every": 4,
        },
    ),
    "drqn": override(
        load_recipe("drqn-cartpole"),
        {
            **SMALL,
            **OFF_POLICY,
            "algorithm.sequence_length": 6,
            "algorithm.burn_in": 2,
            "algorithm.n_step": 2,
            "network.1.units": 8,
        },
    ),
    "a2c": override(
        load_recipe("cartpole-a2c"),
        {**SMALL, "algorithm.rollout_steps": 4, "algorithm.entropy_weight": 0.01, "algorithm.entropy_end": 0.0},
    ),
    "ppo": override(
        load_recipe("cartpole-ppo"), {**SMALL, "algorithm.epochs": 3, "algorithm.normalise_advantages": True}
    ),
}


class Trained(NamedTuple):
    """What a run did."""

    actions: np.ndarray  # [steps, N]
    losses: np.ndarray  # [updates]


def by_triptych(recipe: Recipe, framework: str) -> Trained:
    training = make_training(recipe, envs.make(recipe.env, recipe.num_envs), frameworks.load(framework).Learner)
    actions, losses = [], []
    for tick in training.ticks():
        actions.append(tick.actions)
        losses += [float(update["loss"]) for update in tick.updates]
        if training.counters.steps >= recipe.steps:
            training.close()
            return Trained(np.array(actions), np.array(losses))
    raise AssertionError


def by_itself(file: Path, monkeypatch: pytest.MonkeyPatch, *flags: str) -> Trained:
    """Runs a file as Python does, and writes down what its games and its agent are told."""
    monkeypatch.setattr(sys, "argv", [str(file), "--runs-dir", str(file.parent / "runs"), *flags])
    defined, main = file.read_text().split('if __name__ == "__main__":\n')
    monkeypatch.setitem(sys.modules, "loop", type(sys)("loop"))  # where Flax looks its modules up
    module: dict[str, Any] = sys.modules["loop"].__dict__
    module["__file__"] = str(file)
    exec(compile(defined, file.name, "exec"), module)
    actions: list[np.ndarray] = []
    losses: list[float] = []
    make_games, update = module["make_games"], module["Agent"].update

    def watched_games(count: int) -> Any:
        games = make_games(count)
        step = games.step
        if not actions:  # those that are learned from come first
            games.step = lambda chosen: (actions.append(np.array(chosen)), step(chosen))[1]
        return games

    def watched_update(self: Any, *given: Any) -> Any:
        logged = update(self, *given)
        losses.append(float(logged["loss"]))
        return logged

    module["make_games"], module["Agent"].update = watched_games, watched_update
    exec(compile(textwrap.dedent(main), file.name, "exec"), module)
    return Trained(np.array(actions), np.array(losses))


def check_training(recipe: Recipe, framework: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Actions and losses of a file are those of Triptych."""
    paths = {path.stem: path for path in write(loops(recipe, network_of(recipe), "a recipe"), folder)}
    file = paths[f"{recipe.algorithm.kind}_{framework}"]
    if framework == "jax":
        import jax

        with jax.numpy_rank_promotion("allow"):  # which the tests of our own code forbid
            found = by_itself(file, monkeypatch)
    else:
        found = by_itself(file, monkeypatch)
    wanted = by_triptych(recipe, framework)
    np.testing.assert_array_equal(found.actions, wanted.actions)
    np.testing.assert_allclose(found.losses, wanted.losses, rtol=1e-7)
    assert len(wanted.losses) > 10


# Each framework and each algorithm; the other pairs take a minute of compiling.
PAIRS = [("torch", name) for name in RECIPES] + [("jax", "dqn"), ("jax", "a2c"), ("keras", "ppo"), ("keras", "drqn")]
OTHERS = [
    (framework, name) for framework in frameworks.FRAMEWORKS for name in RECIPES if (framework, name) not in PAIRS
]


@pytest.mark.parametrize(
    ("framework", "algorithm"), [*PAIRS, *(pytest.param(*pair, marks=pytest.mark.long) for pair in OTHERS)]
)
def test_a_file_trains_as_triptych_does(
    algorithm: str, framework: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_training(RECIPES[algorithm], framework, tmp_path, monkeypatch)


VARIANTS: dict[str, dict[str, Any]] = {  # of the recipes above, so that each mark is tried both ways
    "dqn/plain": {"algorithm.double": False, "algorithm.loss": "squared", "algorithm.n_step": 3, "algorithm.reward": "sign"},
    "dqn/late": {
        "algorithm.epsilon_shape": "exponential", "algorithm.epsilon_from": 50, "algorithm.learn_from": 60,
        "algorithm.skip_first": 3, "algorithm.target_every": (9, "episodes"), "algorithm.loss": "absolute",
        "optimiser": RMSprop(learning_rate=1e-4, max_norm=None),
    },
    "dqn/from": {"algorithm.epsilon_from": 150, "algorithm.target_every": (30, "updates"), "episodes": 25},
    "drqn/gru": {"memory": "gru", "algorithm.burn_in": 0, "algorithm.stored_state": False, "algorithm.n_step": 1},
    "drqn/rnn": {"memory": "rnn", "algorithm.double": False},
    "drqn/none": {"memory": "none", "algorithm.burn_in": 0},
    "a2c/lstm": {"memory": "lstm", "algorithm.burn_in": 1, "algorithm.reward": "clip", "optimiser.final_rate": None},
    "a2c/rms": {"optimiser": RMSprop(learning_rate=7e-4, max_norm=0.5), "algorithm.entropy_end": None},
    "ppo/gru": {"memory": "gru", "algorithm.burn_in": 2, "algorithm.clip_end": None, "algorithm.entropy_end": 0.0},
    "ppo/raw": {"algorithm.normalise_advantages": False, "algorithm.reward_scale": 1.0, "algorithm.loss": "huber"},
}  # fmt: skip


def variant(name: str) -> Recipe:
    return override(RECIPES[name.partition("/")[0]], {"steps": 400, **VARIANTS[name]})


@pytest.mark.parametrize("name", VARIANTS)
def test_a_file_trains_with_other_settings(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_training(variant(name), "torch", tmp_path, monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize("framework", ["jax", "keras"])
@pytest.mark.parametrize("name", VARIANTS)
def test_a_file_trains_with_other_settings_elsewhere(
    name: str, framework: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_training(variant(name), framework, tmp_path, monkeypatch)


PIXELS = {
    "precision": "float64", "steps": 150, "num_envs": 2, "env.size": 42, "env.stack": 2,
    "network": (Conv(4, 8, 4), Flatten(), Dense(16)), "batch_size": 4, "algorithm.replay_size": 100,
    "algorithm.life_loss_reward": -1.0, "algorithm.learn_from": 20, "algorithm.warm_up": 30, "algorithm.update_every": 4,
}  # fmt: skip


def test_a_file_trains_on_atari(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_training(override(load_recipe("space-invaders"), PIXELS), "torch", tmp_path, monkeypatch)


def test_a_changed_discount_is_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test of equality can fail."""
    recipe = override(RECIPES["dqn"], {"steps": 200})
    file = write(loops(recipe, network_of(recipe), "dqn"), tmp_path)[0]
    ours, theirs = by_itself(file, monkeypatch), by_itself(file, monkeypatch, "--gamma", "0.98")
    assert len(ours.losses) == len(theirs.losses) > 20
    assert not np.allclose(ours.losses, theirs.losses, rtol=1e-3)


WRITTEN = (
    "cartpole", "cartpole-a2c", "cartpole-ppo", "breakout", "space-invaders", "space-invaders-ppo", "kung-fu-master",
    "cartpole-positions-ppo", "drqn-cartpole", "drqn-lstm", "drqn-lstm-tuned", "drqn-template",
)  # fmt: skip


def test_the_files_are_short_and_linters_find_nothing(tmp_path: Path) -> None:
    long = {}
    for name in WRITTEN:
        recipe = load_recipe(name)
        for path in write(loops(recipe, network_of(recipe), name), tmp_path / name):
            lines = len(path.read_text().splitlines())
            long |= {f"{name}/{path.name}": lines} if lines >= 400 else {}
    for name in ("cartpole", "drqn-cartpole", "darqn", "rainbow-lite", "kung-fu-master", "maze-neural-map"):
        recipe = load_recipe(name)
        write(show(recipe, network_of(recipe), name), tmp_path / "shown" / name)
    settings = Path(triptych.__file__).parents[1] / "pyproject.toml"
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--config", str(settings), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert not long


REFUSED = {
    "rainbow-lite": "algorithm.prioritised is True; allowed: False with --loop",
    "cartpole-a3c": "algorithm is 'a3c'; allowed: dqn, drqn, a2c, ppo with --loop",
    "cartpole-ppo --algorithm.policy-units 64 64": "algorithm.policy_units is (64, 64); allowed: none with --loop",
    "darqn": "memory is 'visual_attention'; allowed: none, rnn, gru, lstm with --loop",
    "maze-neural-map": "memory is 'neural_map'; allowed: none, rnn, gru, lstm with --loop",
    "memory-chain": "env is 'triptych/MemoryChain-v0'; allowed: games of Gymnasium and ale-py with --loop",
    "cartpole --env.frame-skip 2": "env.frame_skip is 2; allowed: 1 with --loop, but for Atari",
    "cartpole --env.flicker 0.5": "env.flicker is 0.5; allowed: 0 with --loop",
    "cartpole --precision bfloat16": "precision is 'bfloat16'; allowed: float32, float64 with --loop",
}


@pytest.mark.parametrize("arguments", REFUSED)
def test_what_no_file_can_do_is_refused_by_its_name(
    arguments: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["show", *arguments.split(), "--loop", "--write", str(tmp_path / "files")])
    assert stop.value.code == 2
    assert REFUSED[arguments] in capsys.readouterr().err
    assert not (tmp_path / "files").exists()


def test_loop_wants_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["show", "cartpole", "--loop"])
    assert stop.value.code == 2
    assert "loop needs a folder for its files; allowed: --loop --write DIR" in capsys.readouterr().err


GAME = """import gymnasium
import numpy as np
from length_of_its_own import LENGTH


class Line(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        self.steps = 0
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.steps += 1
        return np.full(2, self.steps / LENGTH, np.float32), 0.5, self.steps >= LENGTH, False, {}


gymnasium.register("its_own/Short-v0", Line)
"""
OF_ITS_OWN = """import triptych
from triptych.recipes import load_recipe

recipe = triptych.override(load_recipe("cartpole"), {"env": "short_game_of_its_own:its_own/Short-v0"})
"""


def test_a_file_starts_with_a_game_of_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its module and what that imports are copied; the run says where it wrote, and whole numbers are whole."""
    names = {"short_game_of_its_own.py": GAME, "length_of_its_own.py": "LENGTH = 7\n", "mine.py": OF_ITS_OWN}
    for name, text in names.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    show_loop = ["show", "mine.py", "--loop", "--write", "trains"]
    assert call(*show_loop) == 0
    files = sorted(path.name for path in (tmp_path / "trains").iterdir())
    assert files == ["dqn_jax.py", "dqn_keras.py", "dqn_torch.py", "length_of_its_own.py", "short_game_of_its_own.py"]

    (tmp_path / "elsewhere").mkdir()
    command = [sys.executable, str(tmp_path / "trains" / "dqn_torch.py"), "--steps", "20"]
    done = subprocess.run(command, cwd=tmp_path / "elsewhere", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "elsewhere" / "runs").iterdir()
    assert done.stdout.splitlines()[-1] == f"written to runs/{folder.name}"
    assert [row.split(",")[3:] for row in (folder / "episodes.csv").read_text().splitlines()[1:]] == [["3.5", "7"]] * 2

    capsys.readouterr()
    (tmp_path / "trains" / "length_of_its_own.py").write_text("LENGTH = 8\n")
    assert call(*show_loop) == 2
    assert "length_of_its_own.py exists and is not" in capsys.readouterr().err


@pytest.mark.parametrize("flags", ["--steps -3", "--num-envs 0", "--seed -1"])
def test_a_file_refuses_numbers_that_no_run_can_have(
    flags: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(loops(RECIPES["dqn"], network_of(RECIPES["dqn"]), "dqn"), tmp_path)[0]
    with pytest.raises(SystemExit) as stop:
        by_itself(file, monkeypatch, *flags.split())
    assert stop.value.code == 2
    assert "allowed: --steps and --num-envs above 0, --seed 0 or more" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
