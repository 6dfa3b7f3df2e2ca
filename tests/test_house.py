"""The house's one-way imports, read from the source with `ast`: late, relative and dynamic ones too."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import triptych

ROOT = Path(triptych.__file__).parent
# Left may import right, never the other way; names in one set never import each other.
ORDER: list[set[str]] = [
    {"__main__"}, {"cli"}, {"experiments"}, {"checkup"}, {"training", "report", "trackers"}, {"runs"}, {"recipes"},
    {"algorithms", "buffers", "envs", "frameworks"}, {"losses"}, {"spec"}, {"utils"},
]  # fmt: skip
MOST_NAMES = 18  # at the top of the package
FRAMEWORKS = {"torch", "jax", "jaxlib", "flax", "optax", "keras", "tensorflow"}


def imports(path: Path, root: Path) -> set[str]:
    """Every module that a file imports, anywhere in it, as a dotted name."""
    found: set[str] = set()
    package = ["triptych", *path.relative_to(root).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{module}.{alias.name}" for alias in node.names}
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).endswith(("import_module", "__import__"))
            and node.args
        ):
            argument = node.args[0]
            if isinstance(argument, ast.Constant):
                found.add(str(argument.value))
            elif isinstance(argument, ast.JoinedStr) and isinstance(argument.values[0], ast.Constant):
                found.add(str(argument.values[0].value))
    return found


def home(module: str) -> str:
    """`triptych.losses.value.huber` -> `losses`."""
    return module.split(".")[1]


def violations(root: Path = ROOT) -> list[str]:
    level = {name: index for index, names in enumerate(ORDER) for name in names}
    wrong = []
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        here = parts[0].removesuffix(".py")
        if here == "__init__":
            continue  # the public names, lazily
        for module in imports(path, root):
            top = module.split(".")[0]
            if top in FRAMEWORKS and here != "frameworks":
                wrong.append(f"{path.relative_to(root)} imports {module}: frameworks live in frameworks/")
            if top == "triptych" and module.count(".") >= 1 and home(module) not in (here, "__version__"):
                assert home(module) in level, f"{home(module)} has no place in ORDER"
                if level[home(module)] <= level[here]:
                    wrong.append(f"{path.relative_to(root)} imports {module}: against the order")
    return wrong


def test_imports_go_one_way() -> None:
    assert violations() == []


def test_a_wrong_import_is_found(tmp_path: Path) -> None:
    """The test can fail: late, relative and dynamic imports against the order are all seen."""
    (tmp_path / "spec.py").write_text("def f():\n    from triptych.training.loop import run_loop\n")
    (tmp_path / "utils.py").write_text("import importlib\nimportlib.import_module('triptych.experiments.compare')\n")
    (tmp_path / "runs.py").write_text("import torch\n")
    assert len(violations(tmp_path)) == 3


def test_the_front_hall_is_small_and_each_room_says_what_may_be_in_it() -> None:
    names = [path for path in ROOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    assert len(names) <= MOST_NAMES
    for room in (path / "__init__.py" for path in names if path.is_dir()):
        said = ast.get_docstring(ast.parse(room.read_text(encoding="utf-8"))) or ""
        assert "May be in here" in said, room
        assert "May not" in said, room


def test_no_framework_is_loaded_by_import_and_help() -> None:
    code = (
        "import sys, triptych\n"
        "from triptych.__main__ import main\n"
        "for arguments in (['--help'], ['train', '--help'], ['recipes']):\n"
        "    try: main(arguments)\n"
        "    except SystemExit as stop: assert stop.code == 0, stop.code\n"
        "loaded = {'torch', 'jax', 'tensorflow', 'keras', 'flax'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_specs_and_recipes_know_nothing_of_the_command_line() -> None:
    code = (
        "import sys, triptych.spec, triptych.recipes, triptych.algorithms.dqn, triptych.envs\n"
        "assert 'tyro' not in sys.modules"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_learners_mirror_each_other() -> None:
    """The same files with the same public functions and methods in each framework's folder."""

    def methods(name: str) -> set[str]:
        tree = ast.parse((ROOT / "frameworks" / name / "learner.py").read_text(encoding="utf-8"))
        learner = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Learner")
        return {n.name for n in learner.body if isinstance(n, ast.FunctionDef)}

    contract = {
        "act",
        "update",
        "gradients",
        "apply",
        "sync_target",
        "get_weights",
        "set_weights",
        "get_state",
        "set_state",
    }
    for name in ("torch", "jax", "keras"):
        files = {path.name for path in (ROOT / "frameworks" / name).glob("*.py")}
        assert files == {
            "__init__.py",
            "ops.py",
            "net.py",
            "learner.py",
            "frames.py",
            "layers.py",
            "export.py",
            "neural_map.py",
            "plain.py",
            "faults.py",
        }
        assert contract <= methods(name)


def asked_of_algorithms(root: Path = ROOT) -> list[str]:
    """Where somebody outside `algorithms/` asks of which algorithm a config is, instead of asking the config itself."""
    found = []
    for path in sorted(root.rglob("*.py")):
        if path.relative_to(root).parts[0] in ("algorithms", "envs"):  # whose configs are the games' own
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            given = [ast.unparse(argument) for argument in node.args]
            of_kind = node.func.id in ("isinstance", "issubclass") and re.search(
                r"\b(dqn|drqn|a2c|ppo)\.Config\b|^Config\b", given[1]
            )
            guessed = (
                node.func.id == "getattr" and len(given) == 3 and re.search(r"(^|\.)(config|algorithm)$", given[0])
            )
            if of_kind or guessed:
                found.append(f"{path.relative_to(root)}:{node.lineno}: {ast.unparse(node)}")
    return found


def test_nobody_asks_of_which_algorithm_a_config_is() -> None:
    """What an algorithm is, its config says (`algorithms/base.py`), so that one from outside is treated as ours are."""
    assert asked_of_algorithms() == []


def test_such_a_question_is_found(tmp_path: Path) -> None:
    (tmp_path / "runs.py").write_text(
        "isinstance(config, dqn.Config)\nisinstance(recipe.algorithm, (a2c.Config, int))\n"
        "getattr(config, 'warm_up', 0)\ngetattr(recipe.algorithm, 'n_step', 1)\n"
        "getattr(config, name)\nisinstance(layer, Memory)\n"
    )
    assert len(asked_of_algorithms(tmp_path)) == 4
