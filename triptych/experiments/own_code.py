"""`check my_agent.py`: code of people's own, looked at in a process of its own that has a time limit."""

from __future__ import annotations

import ast
import inspect
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from triptych.checkup.findings import Finding
from triptych.checkup.looks import Checkup, Look
from triptych.checkup.own.whole import check_own
from triptych.recipes.load import run_file
from triptych.utils.checks import InputError, check
from triptych.utils.child import read_job
from triptych.utils.files import write_json
from triptych.utils.processes import read_answer, start

NAMES = ("make_agent", "Agent", "agent")  # what a file may define, the first of them that it does
AGENTS = re.compile(
    r"^((class Agent|def make_agent)\b|agent\s*[:=])", re.MULTILINE
)  # of a file that Python cannot read
RECIPE = re.compile(r"^recipe\s*[:=]", re.MULTILINE)
TIME_LIMIT = 300.0  # seconds
ENTRY = "triptych.experiments.own_code:look_in_child"


def is_own(word: str) -> bool:
    """Whether a word is a Python file that defines an agent and no recipe. It is read, not run."""
    path = Path(word)
    if path.suffix != ".py" or not path.is_file():
        return False
    try:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
    except SyntaxError:  # which is told when it is run: as a file of the kind that it looks like
        return bool(AGENTS.search(text)) and not RECIPE.search(text)
    except (ValueError, OSError):
        return False
    defined = set[str]()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.Assign):
            defined |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and node.value is not None and isinstance(node.target, ast.Name):
            defined.add(node.target.id)
        elif isinstance(node, ast.ImportFrom):
            defined |= {name.asname or name.name for name in node.names}
    return bool(defined & set(NAMES)) and "recipe" not in defined


def check_file(path: str | Path, framework: str | None = None, time_limit: float = TIME_LIMIT) -> Checkup:
    """Looks at what a file of the user's defines.

    Args:
        framework: given to `make_agent`, where it takes one.
        time_limit: seconds, of reading the file and all its methods together.

    Raises:
        InputError: the file does not run, defines no agent, a method is missing, fails or answers otherwise than it should, or
            all takes longer than the limit.
    """
    check(time_limit > 0, "time_limit", time_limit, "a number above 0")
    check(Path(path).is_file(), "file", str(path), "a Python file that is there")
    with tempfile.TemporaryDirectory() as folder, open(Path(folder) / "said", "w+b") as said:
        answer = Path(folder) / "answer.json"
        job = {"file": str(path), "framework": framework}
        process = start(ENTRY, "check", job, answer, said)
        try:
            code = process.wait(time_limit)
        except subprocess.TimeoutExpired:
            allowed = "code that ends by itself, or a higher --time-limit"
            last = last_look(answer.with_suffix(".look"))
            raise InputError(f"{path} takes longer than {time_limit:g} s{last}; allowed: {allowed}") from None
        finally:
            end(process)
        found = read_answer(answer)
        if "error" in found:
            raise InputError(found["error"])
        if not found:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
            raise InputError(f"{path} ends its process with code {code}: {lines[-1] if lines else 'without a word'}")
    return read(found)


def end(process: subprocess.Popen[str]) -> None:
    """Ends a process and those that it began."""
    if process.poll() is None:
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdin is not None:
        process.stdin.close()


def last_look(path: Path) -> str:
    """Where it was when its time was over."""
    if path.is_file():
        return f", at {path.read_text(encoding='utf-8')}"
    return ', at its import: what trains belongs under `if __name__ == "__main__":`'


def look_in_child() -> None:
    """In a process of its own: the job's file is run and looked at."""
    job = read_job()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # small batches: more threads only wait for each other
    answer, at = Path(job["answer"]), Path(job["answer"]).with_suffix(".look")
    try:
        found = check_own(given_by(job["file"], job["framework"]), job["file"], lambda what: at.write_text(what))
    except InputError as error:
        write_json(answer, {"error": str(error)})
        return
    findings = [one.row(None) for one in found.findings]
    write_json(answer, {"subject": found.subject, "findings": findings, "looks": [vars(one) for one in found.looks]})


def given_by(file: str, framework: str | None) -> Any:
    """What a file defines: an object, or what makes one."""
    defined = vars(run_file(Path(file), what="agent"))
    name = next((name for name in NAMES if name in defined), None)
    check(name is not None, f"{file} defines", "no agent", f"one of {', '.join(NAMES)}")
    found = defined[str(name)]
    if name == "make_agent" and inspect.signature(found).parameters:
        check(framework is not None, "framework", None, "one, as make_agent takes it: --framework")
        return lambda: found(framework)
    return found


def read(found: dict[str, Any]) -> Checkup:
    """What the process wrote."""
    looks = [Look(**one) for one in found["looks"]]
    return Checkup(found["subject"], [Finding.read(row) for row in found["findings"]], looks)
