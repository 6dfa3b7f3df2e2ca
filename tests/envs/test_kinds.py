"""Each kind of environment has a config of its own: what is refused, carried over, written, read, and added from outside."""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import gymnasium
import pytest

import triptych
from tests.cli.test_cli import call
from triptych import envs
from triptych.cli.parse import parse
from triptych.cli.runs import Train
from triptych.envs import EnvConfig
from triptych.envs.atari import Atari
from triptych.envs.cartpole import CartPole
from triptych.envs.config import Unknown
from triptych.envs.emulator import Emulator
from triptych.envs.gym import Gym
from triptych.envs.toys import Toy
from triptych.experiments.studies.arms import fingerprint
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.recipes.serialise import from_dict, to_dict
from triptych.utils.checks import InputError

GRID = '''"""A walk on a line of places, as a kind of its own."""

from dataclasses import dataclass
from typing import ClassVar

import gymnasium
import numpy as np

from triptych.envs import GameConfig, Kind, register_kind
from triptych.envs.gym import GymGames, Gym


@dataclass(frozen=True)
class Grid(GameConfig):
    """The walk."""

    kind: ClassVar[str] = "grid"

    width: int = 5  # places
    slips: bool = False  # now and then the other way


class Walk(gymnasium.Env):
    def __init__(self, width=5, slips=False):
        self.width, self.slips = width, slips
        self.observation_space = gymnasium.spaces.Box(0, 1, (width,), np.float32)
        self.action_space = gymnasium.spaces.Discrete(2)

    def look(self):
        return np.eye(self.width, dtype=np.float32)[self.place]

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = 0
        return self.look(), {}

    def step(self, action):
        slipped = self.slips and self.np_random.random() < 0.1
        self.place = max(0, self.place + (1 if (action == 1) != slipped else -1))
        return self.look(), float(self.place == self.width - 1), self.place == self.width - 1, False, {}


gymnasium.register("Walk-v0", entry_point=Walk, max_episode_steps=60)


def make(config, spec, num_envs, threads):
    settings = '{"width": %d, "slips": %s}' % (config.width, str(config.slips).lower())
    return GymGames(Gym(config.id, kwargs=settings), spec, num_envs, threads)


register_kind(Kind(Grid, lambda spec: spec.id == "Walk-v0", make))
'''


@pytest.fixture
def grid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The name of a module outside the package that adds a kind; nothing of it is left afterwards."""
    (tmp_path / "grid_of_mine.py").write_text(GRID)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = list(envs.KINDS)
    yield "grid_of_mine"
    sys.modules.pop("grid_of_mine", None)
    gymnasium.registry.pop("Walk-v0", None)
    envs.KINDS[:] = before


@pytest.mark.parametrize(
    ("env_id", "kind"),
    [
        ("CartPole-v1", CartPole),
        ("triptych/CartPoleWide-v0", CartPole),
        ("triptych/CartPolePhysics-v0", CartPole),
        ("triptych/Catch-v0", Toy),
        ("Acrobot-v1", Gym),
        ("SpaceInvadersNoFrameskip-v4", Atari),
        ("ALE/Pong-v5", Atari),
        ("KungFuMaster-v0", Emulator),
        ("ale_py:ALE/Pong-v5", Atari),
        ("Nothing-v0", Gym),
        ("NothingNoFrameskip-v4", Atari),
        ("ALE/Nothing-v5", Atari),
    ],
)
def test_the_kind_of_an_id(env_id: str, kind: type) -> None:
    assert type(EnvConfig(env_id)) is kind


@pytest.mark.parametrize(
    ("env_id", "settings", "said"),
    [
        ("CartPole-v1", {"noop_max": 8}, "noop_max is 8; allowed: nothing, as these games do not read it: CartPole-v1 has flicker, crop"),
        ("Acrobot-v1", {"observe": "all"}, "observe is 'all'; allowed: nothing"),
        ("ALE/Pong-v5", {"kwargs": '{"full_action_space": true}'}, "ALE/Pong-v5 has flicker, crop, .*, sticky, noop_max, fire"),
        ("triptych/Catch-v0", {"size": 3}, "triptych/Catch-v0 has flicker, length, blind"),
        ("KungFuMaster-v0", {"sticky": 0.0}, "sticky is 0.0; allowed: nothing"),
    ],
)  # fmt: skip
def test_a_setting_that_a_kind_never_reads_is_refused_in_one_line(
    env_id: str, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said) as caught:
        EnvConfig(env_id, **settings)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=said):
        override(load_recipe("cartpole"), {"env": env_id, **{f"env.{name}": value for name, value in settings.items()}})


@pytest.mark.parametrize(
    ("recipe", "changes", "said"),
    [
        ("cartpole", {"env.stack": 8}, "stack is 8; allowed: nothing but 4, as these games do not read it"),
        ("cartpole", {"env.crop": (0.0, 0.5, 0.0, 1.0)}, "crop is "),
        ("space-invaders", {"env": "ALE/SpaceInvaders-v5", "env.frame_skip": 8, "env.sticky": None}, "frame_skip is 8"),
    ],
)
def test_a_setting_that_this_game_never_reads_is_refused_in_one_line(
    recipe: str, changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=said):
        triptych.train(recipe, runs_dir=tmp_path, **changes)
    assert not list(tmp_path.iterdir())


def test_another_id_may_be_of_another_kind() -> None:
    recipe = load_recipe("space-invaders")
    for cartpole in (
        override(recipe, {"env": "CartPole-v1"}),
        override(dataclasses.replace(recipe, env=dataclasses.replace(recipe.env, id="CartPole-v1")), {}),
    ):
        assert cartpole.env == CartPole("CartPole-v1")
    catch = override(load_recipe("cartpole"), {"env.id": "triptych/Catch-v0", "env.blind": 8, "env.flicker": 0.25})
    assert catch.env == Toy("triptych/Catch-v0", blind=8, flicker=0.25)
    assert override(catch, {"env": "Acrobot-v1", "env.time_limit": 7}).env == Gym("Acrobot-v1", 0.25, time_limit=7)


def test_flags_are_those_of_the_id(capsys: pytest.CaptureFixture) -> None:
    assert call("train", "space-invaders", "--env", "CartPole-v1", "--help") == 0
    said = capsys.readouterr().out
    assert "--env.observe" in said
    assert "--env.noop-max" not in said
    assert "CartPole-v1" in said
    assert call("train", "cartpole", "--env.noop-max", "3") == 2
    assert "--env.noop-max" in capsys.readouterr().err
    assert parse(Train, "train", ["--env.no-fire", "breakout"]).name == "breakout"


BEFORE = {
    "frame_skip": 4, "sticky": None, "noop_max": 30, "time_limit": None, "render": False, "crop": [0.0, 1.0, 0.0, 1.0],
    "size": 84, "colour": False, "stack": 4, "fill": "zeros", "observe": "all", "flicker": 0.0, "length": 10,
    "blind": 0, "kwargs": "{}",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "config"),
    [
        ({"id": "CartPole-v1", "sticky": 0.0, "observe": "speeds"}, CartPole("CartPole-v1", observe="speeds")),
        ({"id": "BreakoutNoFrameskip-v4", "sticky": 0.0, "size": [40, 90]}, Atari("BreakoutNoFrameskip-v4", sticky=0.0, size=(40, 90))),
        ({"id": "triptych/Catch-v0", "length": 50, "blind": 8, "stack": 1}, Toy("triptych/Catch-v0", length=50, blind=8)),
        ({"id": "Gone-v3", "render": True, "noop_max": 3}, Gym("Gone-v3", render=True)),
        ({"id": "GoneNoFrameskip-v4", "noop_max": 3}, Atari("GoneNoFrameskip-v4", noop_max=3)),
        ({"id": "no_such_module:Gone-v0"}, Gym("no_such_module:Gone-v0", layout="before")),
        # Such games were played without any of it.
        ({"id": "KungFuMaster-v0", "noop_max": 7}, Emulator("KungFuMaster-v0", noop_max=0, fire=False, maximum=False)),
    ],
)  # fmt: skip
def test_configs_of_before_there_were_kinds(changes: dict[str, Any], config: Any) -> None:
    """Each is what it was, and its runs keep their fingerprint."""
    content = to_dict(load_recipe("cartpole"))
    content["env"] = BEFORE | changes
    recipe = from_dict(content)
    assert recipe.env == config
    assert type(recipe.env) is type(config)
    assert from_dict(json.loads(json.dumps(to_dict(recipe)))) == recipe
    read = {"id", *dataclasses.asdict(config)} - config.before.keys()
    then = {name: value if name in read else BEFORE[name] for name, value in (BEFORE | changes).items()}
    assert json.loads(json.dumps(envs.as_before(recipe.env))) == then


def test_runs_of_before_keep_their_fingerprint() -> None:
    """As the version before there were kinds made them."""
    kept = {
        "cartpole": "582bab6f",
        "space-invaders": "da39fdfe",
        "memory-chain": "3b89eecb",
        "cartpole-pixels": "20083792",
    }
    assert {name: fingerprint(load_recipe(name)) for name in kept} == kept
    for name, changes in (
        ("space-invaders", {"env.fire": False}),
        ("space-invaders", {"env.maximum": False}),
        ("cartpole", {"env": "KungFuMaster-v0"}),
        ("cartpole", {"env": "KungFuMaster-v0", **{f"env.{key}": value for key, value in envs.PLAIN.items()}}),
    ):
        kept[str(changes)] = fingerprint(override(load_recipe(name), changes))
    assert len(set(kept.values())) == len(kept)


def test_reading_a_config_imports_nothing_that_it_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "strangers_module.py").write_text("raise SystemExit('run')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    content = to_dict(load_recipe("cartpole"))
    for env in (BEFORE | {"id": "strangers_module:X-v0"}, {"kind": "x", "id": "strangers_module:X-v0", "flicker": 0.0}):
        assert from_dict(content | {"env": env}).env.id == "strangers_module:X-v0"
    assert "strangers_module" not in sys.modules


def test_a_kind_of_ones_own(grid: str, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """A file outside the package and one call: flags, training, a config.json, a test and a page."""
    name = f"{grid}:Walk-v0"
    small = ["--env", name, "--framework", "jax", "--steps", "400", "--warm-up", "100", "--threads", "1", "--quiet"]
    where = ["--runs-dir", str(tmp_path / "runs")]
    assert call("train", *small, *where, "--run-name", "a", "--env.width", "4", "--env.slips") == 0
    written = json.loads((tmp_path / "runs" / "a" / "config.json").read_text())["recipe"]
    assert written["env"] == {"kind": "grid", "id": name, "flicker": 0.0, "width": 4, "slips": True}
    assert written["algorithm"]["kind"] == "dqn"
    assert from_dict(written).env.width == 4  # type: ignore[attr-defined]
    with pytest.raises(
        InputError, match=r"stack is 3; allowed: nothing, as these games do not read it: .* width, slips"
    ):
        EnvConfig(name, stack=3)
    assert triptych.evaluate("a", 2, runs_dir=tmp_path / "runs").games == 2


def test_a_config_of_a_kind_that_is_not_there_is_kept_until_it_is(grid: str) -> None:
    env = {"kind": "grid", "id": f"{grid}:Walk-v0", "flicker": 0.0, "width": 4, "slips": True}
    recipe = from_dict(to_dict(load_recipe("cartpole")) | {"env": env})
    assert isinstance(recipe.env, Unknown)
    assert to_dict(recipe)["env"] == env, "nothing is lost"
    assert grid not in sys.modules
    envs.find(recipe.env.id, may_import=True)  # as where the user trusts the run
    games = envs.make(recipe.env, 1)
    assert games.observation.shape == (4,)
    assert from_dict(to_dict(recipe)).env.width == 4, "its module has been imported to make the games"  # type: ignore[attr-defined]
    lost = from_dict(to_dict(recipe) | {"env": env | {"kind": "gone", "id": "CartPole-v1"}})
    with pytest.raises(InputError, match="kind of 'CartPole-v1' is 'gone'; allowed: grid, atari"):
        envs.make(lost.env, 1)


def test_kinds_are_named_and_do_not_take_ours(grid: str) -> None:
    module = importlib.import_module(grid)
    with pytest.raises(InputError, match="kind is 'atari'; allowed: another name than atari, cartpole"):
        envs.register_kind(envs.Kind(Atari, lambda spec: False, module.make))

    @dataclasses.dataclass(frozen=True)
    class Nameless(Gym):
        """It took no name of its own."""

    with pytest.raises(InputError, match="kind is 'gym'; allowed: a name of its own, given in Nameless"):
        envs.register_kind(envs.Kind(Nameless, lambda spec: False, module.make))
    envs.register_kind(envs.KINDS[0])
    assert [kind.name for kind in envs.KINDS].count("grid") == 1, "the same again takes its place"
