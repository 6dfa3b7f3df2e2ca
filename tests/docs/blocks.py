"""The blocks of code on the pages: where they are, and how each is read without being run."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

import triptych
from triptych.cli.main import COMMANDS
from triptych.cli.parse import parse
from triptych.recipes.override import override

ROOT = Path(__file__).parents[2]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
TARGETS = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
SHELLS = ("bash", "sh", "console")
NOT_CODE = ("text", "json", "mermaid", "diff", "powershell", "yaml", "toml")
# Programs that are not ours: nothing of them is checked but that somebody meant to write them.
FOREIGN = {
    "git",
    "jupyter",
    "cd",
    ".",
    "source",
    "export",
    "echo",
    "ray",
    "ssh",
    "tensorboard",
    "wandb",
    "trackio",
    "mlflow",
    "scp",
}
PACKAGES = {"torch", "jax[cuda12]", "tensorflow[and-cuda]", "mlflow"}  # of others, that a page says to install
OURS = {"triptych", "make", "pip", "python"}


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Every page that people read."""
    found = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("results/**/*.md"),
        *ROOT.glob("benchmarks/*.md"),
    ]
    return sorted(path for path in found if path.name != "CHANGELOG.md")


def blocks_of(page: Path) -> list[Block]:
    """The fenced blocks of a page. One without a language is of a shell where it begins with a program that we know."""
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    fences = [token for token in tokens if token.type == "fence" and token.map]
    return [Block(page, token.map[0] + 1, language(token.info, token.content), token.content) for token in fences]


def language(info: str, text: str) -> str:
    word = info.strip().split(" ")[0]
    if word in SHELLS:
        return "bash"
    if not word:
        first = next(iter(commands(text)), [""])[0] if text.strip() else ""
        return "bash" if first in OURS | {"git"} else "text"
    return word


def commands(text: str) -> list[list[str]]:
    """The commands of a shell's block, as words; without comments, and what `&&`, `|` and `>` join or lead away is apart."""
    found: list[list[str]] = []
    for line in text.replace("\\\n", " ").splitlines():
        try:
            lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;")
            lexer.whitespace_split = True
            words = list(lexer)
        except ValueError:
            words = line.split()
        command: list[str] = []
        for word in words:
            if set(word) <= set("&|;"):
                found.append(command)
                command = []
            else:
                command.append(word)
        found.append(command)
    return [command for command in map(without_redirection, found) if command]


def without_redirection(words: list[str]) -> list[str]:
    end = next((place for place, word in enumerate(words) if word.startswith(">")), len(words))
    return [word for word in words[:end] if not (re.fullmatch(r"[A-Z_]+=.*", word) and word == words[0])]


def read_command(words: list[str], place: str = "") -> None:
    """Reads one command with the parser of what it calls.

    Raises:
        InputError, AssertionError: it cannot be what its reader is to type.
    """
    program, *rest = words
    if program == "python" and rest[:2] == ["-m", "triptych"]:
        program, rest = "triptych", rest[2:]
    if program in FOREIGN:
        return
    assert program in OURS, f"{place}: {program} is not known; a new program needs a line in tests/docs/blocks.py"
    {"triptych": read_triptych, "make": read_make, "pip": read_pip, "python": read_python_call}[program](rest)


def read_triptych(words: list[str]) -> None:
    first, *rest = words
    if first in ("--version", "--help", "--print-completion", "help"):
        return
    assert first in COMMANDS, f"triptych {first}"
    if "--help" in rest:
        rest = [word for word in rest if word != "--help"]
        rest = rest or (["cartpole"] if first == "train" else rest)
        if not rest:
            return
    kind = COMMANDS[first]
    parse(kind.for_arguments(rest) if hasattr(kind, "for_arguments") else kind, first, rest)


def read_make(words: list[str]) -> None:
    for word in words:
        assert word in TARGETS or "=" in word, f"make {word}"


def read_pip(words: list[str]) -> None:
    assert words[0] == "install", words
    files = [words[place + 1] for place, word in enumerate(words[:-1]) if word == "-c"]
    assert [file for file in files if not (ROOT / file).is_file()] == []
    for word in words[1:]:
        if word in files:
            continue
        if extras := re.fullmatch(r"(?:triptych|\.)\[([\w,]+)\]", word):
            assert set(extras[1].split(",")) <= set(EXTRAS), word
        else:
            assert word in PACKAGES or word.startswith("-"), f"pip install {word}"


def read_python_call(words: list[str]) -> None:
    """`python SCRIPT --flags`, `python -m pytest PATHS`: the files are there, and a script knows its flags."""
    if words[:2] == ["-m", "pytest"]:
        paths = [word for word in words[2:] if "/" in word]
        assert [path for path in paths if not (ROOT / path.partition("::")[0]).exists()] == []
        return
    script = ROOT / words[0]
    assert script.is_file(), script
    text = script.read_text(encoding="utf-8")
    flags = [word for word in words[1:] if word.startswith("--")]
    assert [flag for flag in flags if flag not in text and flag[2:].replace("-", "_") not in text] == []


def read_python(text: str) -> None:
    """Compiles a block, makes its imports, and holds its calls of `triptych` against their signatures."""
    tree = ast.parse(text)
    compile(tree, "<block>", "exec")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                importlib.import_module(alias.name)
        elif isinstance(node, ast.ImportFrom):
            module = importlib.import_module(str(node.module))
            assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "triptych":
            assert hasattr(triptych, node.attr) or importlib.import_module(f"triptych.{node.attr}"), node.attr
        elif isinstance(node, ast.Call) and ast.unparse(node.func).startswith("triptych."):
            check_call(node)


def check_call(node: ast.Call) -> None:
    """A call of a public function has arguments that it takes; what a recipe's fields are to become, they can become."""
    name = ast.unparse(node.func).removeprefix("triptych.")
    if name not in triptych.__all__:
        return
    signature = inspect.signature(getattr(triptych, name))
    named = {keyword.arg: value_of(keyword.value) for keyword in node.keywords if keyword.arg}
    signature.bind(*map(value_of, node.args), **named)
    changes = {key: value for key, value in named.items() if key not in signature.parameters and value is not None}
    if changes:
        override(triptych.load_recipe("cartpole"), changes)


def value_of(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None
