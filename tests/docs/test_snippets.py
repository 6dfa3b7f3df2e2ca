"""Every command and every piece of Python on every page is run, or read by what would run it. docs/writing-docs.md says which and how."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import triptych
from tests.docs.blocks import ROOT, Block, blocks_of, commands, pages, read_command, read_python
from tests.registries import restored
from triptych.cli.main import run
from triptych.experiments.train import train
from triptych.utils.checks import InputError

PAGES = pages()
# Pages whose blocks are run from top to bottom, as a reader would.
RUN = [
    "docs/first-ten-minutes.md", "docs/python.md",
    "docs/how-to/resume.md", "docs/how-to/own-callback.md", "docs/how-to/own-network.md",
]  # fmt: skip
LESS = {"steps": 150, "warm_up": 60, "checkpoint_every": 150}  # what a run of theirs is cut down to
# Of the commands only those that neither start other processes nor wait for somebody; the others have tests of their own, and are read.
QUICK = {
    "recipes": {},
    "train": {"--steps": "150", "--warm-up": "60", "--checkpoint-every": "150", "--no-video": ""},
    "resume": {"--steps": "+60"},
    "evaluate": {"--games": "2"},
    "report": {},
    "show": {},
}
SLOW = ("--help", "--env", "--frameworks", "kung-fu-master", "breakout", "drqn", "--track", "--pdf", "--question", "--on", "--callback")  # fmt: skip
CALLS = ("compare", "lockstep", "run_study", "tune", "video")  # Python that starts other processes
READ: set[tuple[str, ...]] = set()
RUNS = (
    "pole",
    "pole-jax",
    "pixels-torch",
    "breakout-torch",
    "kung-fu-master-1",
    "lstm-torch-seed0-1",
    "no-memory-torch-seed0-1",
    "map",
)  # names that pages give to runs


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the pages speak of: recipe files, a module with a game, callbacks, a run."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "results").symlink_to(ROOT / "results")
    for path in (ROOT / "docs" / "examples").glob("*.py"):
        shutil.copy(path, folder)
    shutil.copy(folder / "own_layer.py", folder / "mine.py")
    shutil.copy(ROOT / "docs" / "examples" / "own_agents" / "torch_cartpole.py", folder / "my_agent.py")
    (folder / "progress.csv").write_text("total,ep_ret\n1000,20\n2000,21\n", encoding="utf-8")
    game = (folder / "own_environment.py").read_text(encoding="utf-8").partition("# The settings of the recipe")[0]
    (folder / "my_games.py").write_text(game.replace("mine/Room-v0", "Shop-v0"), encoding="utf-8")
    watch = "import triptych\n\n\nclass Watch(triptych.Callback):\n    pass\n"
    (folder / "my_callbacks.py").write_text(watch, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        train("cartpole", run_name=RUNS[0], video=False, threads=1, **LESS)
    for name in RUNS[1:]:
        shutil.copytree(folder / "runs" / RUNS[0], folder / "runs" / name)
    return folder


@pytest.fixture
def there(world: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """In that folder, to read commands; what recipe files register is taken back."""
    monkeypatch.chdir(world)
    with restored():
        yield world


@pytest.fixture
def reader(there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In a copy of it without the runs, to run them."""
    shutil.copytree(there, tmp_path / "reader", symlinks=True, ignore=shutil.ignore_patterns("runs"))
    monkeypatch.chdir(tmp_path / "reader")
    return tmp_path / "reader"


def fail(block: Block, words: Any, error: Exception) -> None:
    raise AssertionError(f"{block}: {words}: {type(error).__name__}: {error}") from error


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_are_what_a_reader_can_type(page: Path, there: Path) -> None:
    """All of them, also those that are run: flags, names and values of commands, imports and calls of Python."""
    for block in blocks_of(page):
        if block.language == "bash":
            for words in commands(block.text):
                if tuple(words) in READ:  # on another page, and it was right
                    continue
                try:
                    read_command(words, str(block))
                    READ.add(tuple(words))
                except (InputError, AssertionError, OSError, SystemExit) as error:
                    fail(block, " ".join(words), error)
        elif block.language == "python":
            try:
                read_python(block.text)
            except (InputError, AssertionError, ImportError, SyntaxError, TypeError) as error:
                fail(block, block.text, error)


def is_quick(words: list[str]) -> bool:
    told = words[0] == "triptych" and words[1] in QUICK
    return told and not any(word.startswith(slow) for word in words for slow in SLOW)


def smaller(words: list[str]) -> list[str]:
    """A command with less to do: the flags of QUICK in place of its own."""
    kept = list(words)
    for flag, value in QUICK[words[1]].items():
        if flag in kept:
            kept[kept.index(flag) + 1] = value
        elif words[1] != "resume":  # which is given steps only where the page does so
            kept += [flag, value] if value else [flag]
    if "--framework" in kept:  # the others would have to be loaded, and compile
        kept[kept.index("--framework") + 1] = "torch"
    return kept


@pytest.mark.parametrize("name", RUN)
def test_a_page_is_run_from_top_to_bottom(
    name: str, reader: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = triptych.train

    def train_less(*given: Any, **named: Any) -> Any:
        return real(*given, **{**named, **LESS, "framework": "torch", "video": False})

    monkeypatch.setattr(triptych, "train", train_less, raising=False)
    ran, space = 0, {"__name__": "__page__"}
    for block in blocks_of(ROOT / name):
        if block.language == "python" and not any(f"triptych.{call}(" in block.text for call in CALLS):
            exec(compile(block.text, str(block), "exec"), space)
            ran += 1
        elif block.language == "bash":
            for words in filter(is_quick, commands(block.text)):
                assert run(smaller(words)[1:]) == 0, f"{block}: {words}"
                ran += 1
    assert ran > 0


def test_a_wrong_command_is_found(there: Path) -> None:
    for line in (
        "triptych train cartpole --stepz 5",
        "triptych trian cartpole",
        "make dmeo",
        "pip install .[tarch]",
        "frobnicate x",
    ):
        with pytest.raises((InputError, AssertionError)):
            read_command(line.split())
    with pytest.raises(TypeError):
        read_python("import triptych\ntriptych.load_agent('pole', wieghts='best')")
    with pytest.raises(InputError):
        read_python("import triptych\ntriptych.train('cartpole', stepz=3)")
    with pytest.raises(AssertionError):
        read_python("from triptych.spec import Cnov")


def test_every_language_of_a_block_is_known() -> None:
    """A block that is neither read nor known to be no code would be skipped in silence."""
    from tests.docs.blocks import NOT_CODE

    known = {"bash", "python", *NOT_CODE}
    found = {(str(block), block.language) for page in PAGES for block in blocks_of(page)}
    assert {one for one in found if one[1] not in known and not one[1].startswith("{")} == set()
