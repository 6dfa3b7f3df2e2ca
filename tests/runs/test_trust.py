"""Nothing that is only read runs code: a run, a weights file or a page's input of somebody else."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

import triptych
from tests import forks
from triptych.runs.key import key_file, read_key
from triptych.spec.weights import save_weights
from triptych.utils.files import read_tensors

GAME = """
import gymnasium
from gymnasium import spaces
import numpy as np

class Guess(gymnasium.Env):
    observation_space, action_space = spaces.Box(-1, 1, (1,), np.float64), spaces.Discrete(2)
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps, self.x = 0, self.np_random.uniform(-1, 1, 1)
        return self.x, {}
    def step(self, action):
        reward = float((self.x[0] > 0) == bool(action))
        self.steps, self.x = self.steps + 1, self.np_random.uniform(-1, 1, 1)
        return self.x, reward, False, self.steps >= 20, {}
    def __init__(self, env_id=""):
        if env_id:
            gymnasium.make(env_id)

gymnasium.register("Guess-v0", entry_point=Guess)
"""
RECIPE = """
import os, pathlib, triptych
import beside
pathlib.Path({ran!r}).write_text(__file__)
changes = {{"env": "Guess-v0", "steps": 200, "algorithm.warm_up": 50, "evaluate_every": 0, "checkpoint_every": 100}}
recipe = triptych.override(triptych.load_recipe("cartpole"), changes)
"""


def triptych_command(*arguments: str | Path, home: Path | None = None, place: Path | None = None) -> Any:
    """The command in a process of its own, which knows nothing yet; `home`: of another user, or on another machine."""
    settings = {"XDG_CONFIG_HOME": str(home), "APPDATA": str(home)} if home else {}
    return forks.command(*arguments, environment=os.environ | settings, folder=place)


def refused(done: Any, *said: str) -> None:
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert done.stdout == ""
    for text in said:
        assert text in done.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run `r` of a recipe file whose environment lies in a module beside it, and what both wrote."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "code").mkdir()
    (folder / "code" / "beside.py").write_text(GAME)
    (folder / "code" / "mine.py").write_text(RECIPE.format(ran=str(folder / "ran")))
    done = triptych_command("train", folder / "code" / "mine.py", "--runs-dir", folder, "--run-name", "r", "--quiet")
    assert done.returncode == 0, done.stderr
    (folder / "ran").unlink()
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it, elsewhere; what its recipe's file writes goes there too."""
    shutil.copytree(trained / "r", tmp_path / "moved")
    (trained / "ran").unlink(missing_ok=True)
    return tmp_path / "moved"


def test_a_run_carries_its_recipe_s_file_and_a_mark(trained: Path) -> None:
    config = json.loads((trained / "r" / "config.json").read_text())
    assert (trained / "r" / "recipe.py").read_bytes() == (trained / "code" / "mine.py").read_bytes()
    assert len(config["mark"]) == len(config["recipe_file"]) == 64
    file, key = key_file(), read_key(make=False)
    assert file is not None
    assert key is not None
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert key.hex() not in json.dumps(config)
    assert [path.name for path in file.parent.iterdir()] == ["key"]


def test_ones_own_run_plays_and_resumes_wherever_it_lies(run: Path, trained: Path) -> None:
    done = triptych_command("evaluate", run, "--games", "2")
    assert done.returncode == 0, done.stderr
    assert (trained / "ran").read_text() == str(trained / "code" / "mine.py"), "the original while it is what it was"
    assert f"running {trained / 'code' / 'mine.py'}" in done.stderr
    done = triptych_command("resume", run)
    assert done.returncode == 0, done.stderr
    assert "is finished" in done.stdout
    done = triptych_command("evaluate", run / "checkpoints" / "latest.safetensors", "--games", "2")
    assert done.returncode == 0, done.stderr
    done = triptych_command("report", run)
    assert done.returncode == 0, done.stderr
    assert "playing 40 random games of Guess-v0" in done.stderr


def test_the_copy_is_run_where_the_original_has_changed(run: Path, trained: Path) -> None:
    original = trained / "code" / "mine.py"
    before = original.read_bytes()
    try:
        for change in (lambda: original.write_text("raise SystemExit('changed')"), original.unlink):
            change()
            done = triptych_command("evaluate", run, "--games", "2")
            assert done.returncode == 0, done.stderr
            assert f"running {run / 'recipe.py'}, the copy of '{original}'" in done.stderr
            assert (trained / "ran").read_text() == str(run / "recipe.py")
        (run / "beside.py").write_text("raise SystemExit('from the run folder')")
        done = triptych_command("evaluate", run, "--games", "2")
        assert done.returncode == 0, "its neighbours come from the original's folder alone"
    finally:
        original.write_bytes(before)


@pytest.mark.parametrize("command", ["evaluate", "resume"])
def test_a_stranger_s_run_is_refused_in_one_line(command: str, run: Path, trained: Path, tmp_path: Path) -> None:
    """The same run under another user's key, and under this one's with anything changed."""
    original = str(trained / "code" / "mine.py")
    done = triptych_command(command, run, home=tmp_path / "other")
    refused(done, "moved wants to run", original, "env 'Guess-v0'", "--recipe FILE", "--trust")
    assert not (trained / "ran").exists()
    content = json.loads((run / "config.json").read_text())
    for change in ({"source": str(run / "recipe.py")}, {"seed": 5}):
        (run / "config.json").write_text(json.dumps(content | {"recipe": content["recipe"] | change}))
        refused(triptych_command(command, run), "wants to run")
    for change in ({"mark": "0" * 64}, {"mark": None}, {"recipe_file": None}):
        (run / "config.json").write_text(json.dumps(content | change))
        refused(triptych_command(command, run), "wants to run")
    (run / "config.json").write_text(json.dumps(content | {"mark": "\ud800"}))
    refused(triptych_command(command, run), "config.json cannot be read")
    assert not (trained / "ran").exists()


def test_a_changed_copy_is_not_run(run: Path, trained: Path) -> None:
    original = trained / "code" / "mine.py"
    before = original.read_bytes()
    original.unlink()
    try:
        (run / "recipe.py").write_text(f"open({str(trained / 'ran')!r}, 'w')")
        refused(triptych_command("evaluate", run), "are gone or not what they were; allowed: --recipe FILE")
        assert not (trained / "ran").exists()
        done = triptych_command("evaluate", run, "--trust")
        assert (trained / "ran").exists(), "whoever trusts it takes it as it is"
        assert "defines no `recipe`" in done.stderr
    finally:
        original.write_bytes(before)


@pytest.mark.parametrize("allowed", ["--recipe", "--trust"])
def test_the_user_may_allow_it(allowed: str, run: Path, trained: Path, tmp_path: Path) -> None:
    flags = [allowed, trained / "code" / "mine.py"] if allowed == "--recipe" else [allowed]
    done = triptych_command("evaluate", run, "--games", "2", *flags, home=tmp_path / "other")
    assert done.returncode == 0, done.stderr
    done = triptych_command("resume", run, *flags, home=tmp_path / "other")
    assert done.returncode == 0, done.stderr
    assert (trained / "ran").exists()


def test_another_game_that_the_user_names_needs_no_trust(run: Path, trained: Path, tmp_path: Path) -> None:
    content = json.loads((run / "config.json").read_text())
    content["recipe"]["env"]["id"] = "evil:Evil-v0"
    (run / "config.json").write_text(json.dumps(content))
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')")
    refused(triptych_command("evaluate", run, place=tmp_path), "the module of env 'evil:Evil-v0'")
    (tmp_path / "good.py").write_text(GAME)
    done = triptych_command("evaluate", run, "--games", "2", "--env", "good:Guess-v0", place=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_run_of_the_version_before(run: Path, trained: Path) -> None:
    """Without a mark and without a copy, though its file is there."""
    content = json.loads((run / "config.json").read_text())
    del content["mark"], content["recipe_file"]
    (run / "config.json").write_text(json.dumps(content))
    (run / "recipe.py").unlink()
    refused(triptych_command("resume", run), str(trained / "code" / "mine.py"), "--recipe FILE", "--trust")
    assert triptych_command("resume", run, "--trust").returncode == 0


def test_a_plain_run_needs_no_mark(tmp_path: Path) -> None:
    triptych.train("cartpole", "jax", run_name="r", runs_dir=tmp_path, steps=60, warm_up=100, evaluate_every=0)
    content = json.loads((tmp_path / "r" / "config.json").read_text())
    assert content["recipe_file"] is None
    assert not (tmp_path / "r" / "recipe.py").exists()
    del content["mark"], content["recipe_file"]
    (tmp_path / "r" / "config.json").write_text(json.dumps(content))
    done = triptych_command("evaluate", tmp_path / "r", "--games", "2", home=tmp_path / "other")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "other").exists(), "reading makes no key"


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    """A module that tells when it is imported."""
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n" + GAME)
    return tmp_path


def stranger(folder: Path, changes: dict[str, Any]) -> Path:
    """A run that names something in its environment."""
    triptych.train("cartpole", "jax", run_name="r", runs_dir=folder, steps=60, warm_up=100, evaluate_every=0)
    config = json.loads((folder / "r" / "config.json").read_text())
    config["recipe"]["env"] |= changes
    (folder / "r" / "config.json").write_text(json.dumps(config))
    tensors, metadata = read_tensors(folder / "r" / "checkpoints" / "latest.safetensors")
    save_weights(folder / "w.safetensors", tensors, (metadata or {}) | {"recipe": config["recipe"]})
    return folder / "r"


def test_no_reader_imports_the_module_of_an_id(evil: Path) -> None:
    path = stranger(evil, {"id": "evil:Guess-v0"})
    for arguments in (["evaluate", path], ["resume", path], ["evaluate", evil / "w.safetensors"]):
        refused(triptych_command(*arguments, place=evil), "wants to run code for the module of env 'evil:Guess-v0'")
    done = triptych_command("report", path, place=evil)
    assert done.returncode == 0, done.stderr
    assert "its page leaves out what needs its game" in done.stderr
    with pytest.raises(triptych.InputError, match="wants to run code"):
        triptych.load_agent(evil / "w.safetensors")
    assert not (evil / "ran").exists()
    assert triptych_command("report", path, "--trust", place=evil).returncode == 0
    assert (evil / "ran").exists()


def test_a_stranger_s_run_lends_its_settings_and_no_code(evil: Path, run: Path, trained: Path) -> None:
    """`train RUN` and `compare RUN` begin anew with a run's settings."""
    named = stranger(evil, {"id": "evil:Guess-v0"})
    for command in ("train", "compare"):
        refused(triptych_command(command, named, place=evil), "instead of this run")
        refused(triptych_command(command, run, home=evil / "other"), "wants to run", "instead of this run")
    assert not (evil / "ran").exists()
    assert not (trained / "ran").exists()
    done = triptych_command("train", run, "--runs-dir", evil / "new", "--steps", "60", "--quiet")
    assert done.returncode == 0, "one's own: " + done.stderr
    assert (trained / "ran").exists()
    assert next((evil / "new").glob("*/recipe.py")).read_bytes() == (run / "recipe.py").read_bytes()


def test_a_stranger_s_weights_name_no_file_of_a_new_run(tmp_path: Path) -> None:
    """The recipe needs no code, so nothing is refused: but the file that it names is neither copied nor marked."""
    named = tmp_path / "named.py"
    named.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    triptych.train("cartpole", "jax", run_name="r", runs_dir=tmp_path, steps=60, warm_up=100, evaluate_every=0)
    inside = tmp_path / "r" / "checkpoints" / "latest.safetensors"
    tensors, metadata = read_tensors(inside)
    assert metadata is not None
    metadata["recipe"]["source"] = str(named)
    for place in (inside, tmp_path / "w.safetensors"):
        save_weights(place, tensors, metadata)
        new = triptych.train(framework="jax", from_run=place, runs_dir=tmp_path / "new", run_name=place.stem).path
        config = json.loads((new / "config.json").read_text())
        assert (config["recipe"]["source"], config["recipe_file"]) == ("", None)
        assert not (new / "recipe.py").exists()
    assert not (tmp_path / "ran").exists()


def test_one_s_own_weights_keep_the_file_of_their_recipe(run: Path) -> None:
    file = run / "checkpoints" / "latest.safetensors"
    done = triptych_command("train", "--from", file, "--runs-dir", run.parent / "new", "--steps", "60", "--quiet")
    assert done.returncode == 0, done.stderr
    assert next((run.parent / "new").glob("*/recipe.py")).read_bytes() == (run / "recipe.py").read_bytes()


def test_no_reader_imports_what_a_registered_maker_is_given(evil: Path) -> None:
    """As Shimmy's GymV26Environment-v0 does, whose `env_id` may be `module:id`."""
    path = stranger(evil, {"id": "Guess-v0", "kwargs": '{"env_id": "evil:Guess-v0"}'})
    (evil / "mine.py").write_text(GAME + "import triptych\nrecipe = triptych.load_recipe('cartpole')\n")
    done = triptych_command("evaluate", path, "--recipe", evil / "mine.py", place=evil)
    refused(done, "env 'Guess-v0' with kwargs")
    (evil / "good.py").write_text(GAME)
    refused(triptych_command("evaluate", path, "--env", "good:Guess-v0", place=evil), "env 'good:Guess-v0' with kwargs")
    done = triptych_command("report", path, place=evil)
    assert done.returncode == 0, done.stderr
    assert "warning: no sources of r: env is 'Guess-v0'" in done.stderr
    assert not (evil / "ran").exists()


def test_what_the_user_types_is_imported(evil: Path) -> None:
    quick = ["--steps", "60", "--warm-up", "50", "--evaluate-every", "0", "--quiet"]
    where = ["--runs-dir", evil, "--run-name", "m"]
    done = triptych_command("train", "--env", "evil:Guess-v0", *where, *quick, place=evil)
    assert done.returncode == 0, done.stderr
    done = triptych_command("evaluate", evil / "m", "--games", "2", place=evil)
    assert done.returncode == 0, "a run of one's own: " + done.stderr
    done = triptych_command("show", "cartpole", "--env", "evil:Guess-v0", "--write", evil / "shown", place=evil)
    assert done.returncode == 0, done.stderr


def test_the_processes_of_compare_run_the_recipe_s_file(trained: Path, tmp_path: Path) -> None:
    command = ["compare", trained / "code" / "mine.py", "--frameworks", "torch", "jax", "--games", "2", "--quiet"]
    done = triptych_command(*command, "--runs-dir", tmp_path)
    assert done.returncode == 0, done.stderr
    assert all((path / "recipe.py").is_file() for path in tmp_path.glob("compare-*"))


def test_where_no_key_can_be_written_a_run_has_no_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").write_text("a file, so that no folder can be made in it")
    for name in ("XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    run = triptych.train("cartpole", "jax", run_name="r", runs_dir=tmp_path, steps=60, warm_up=100, evaluate_every=0)
    assert "mark" not in json.loads((run.path / "config.json").read_text())


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX's")
def test_a_key_that_others_may_read_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    key, file = read_key(make=True), key_file()
    assert file is not None
    assert key is not None
    assert read_key(make=True) == key
    file.chmod(0o644)
    assert read_key(make=True) is None
    assert "is not only yours" in capsys.readouterr().err
    file.unlink()
    file.symlink_to(tmp_path / "elsewhere")
    assert read_key(make=True) is None
    assert not (tmp_path / "elsewhere").exists()
    file.unlink()
    file.write_bytes(b"short")
    file.chmod(0o600)
    assert read_key(make=True) is None


def test_a_page_reads_a_stranger_s_recipe_and_runs_nothing(trained: Path, run: Path, tmp_path: Path) -> None:
    done = triptych_command("report", run, home=tmp_path / "other")
    assert done.returncode == 0, done.stderr
    assert "wants to run" in done.stderr
    assert not (trained / "ran").exists()
